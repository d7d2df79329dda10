//! Where to connect, and as whom.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use netmonitor_protocol::ServiceName;
use netmonitor_protocol::payload::Address;
use rustls::ClientConfig;
use tokio::sync::watch;

use crate::{DataDir, Secret, announced};

/// One address of a broker.
#[derive(Clone)]
pub struct Endpoint {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// TLS, if it is to be used.
    pub tls: Option<Arc<ClientConfig>>,
    /// The path of the resource, if MQTT is to be spoken over a WebSocket.
    pub websocket: Option<String>,
}

impl Endpoint {
    /// From `host:port`, `1.2.3.4:port` or `[2001:db8::1]:port`.
    pub fn parse(text: &str, tls: Option<Arc<ClientConfig>>) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host
            .strip_prefix('[')
            .map_or(Some(host), |rest| rest.strip_suffix(']'))?;
        Some(Self {
            host: (!host.is_empty()).then(|| host.to_owned())?,
            port: port.parse().ok()?,
            tls,
            websocket: None,
        })
    }

    /// Whether it is the same address.
    pub(crate) fn is(&self, other: &Self) -> bool {
        (self.port, &self.host) == (other.port, &other.host)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Where to connect, and as whom: asked anew before each attempt. Of several addresses the one
/// that has worked last is tried first.
#[derive(Debug, Clone)]
pub enum Dial {
    /// Addresses that do not change.
    Fixed {
        /// At least one, the best first.
        endpoints: Vec<Endpoint>,
        /// MQTT user name.
        user: String,
        /// MQTT password.
        password: Secret,
    },
    /// Addresses that may change while the connection stands; the next attempt uses them.
    Listed {
        /// The best first.
        endpoints: watch::Receiver<Vec<Endpoint>>,
        /// MQTT user name.
        user: String,
        /// MQTT password.
        password: Secret,
    },
    /// A service of the hub. Its password, and the address of the embedded broker, are read
    /// from the data directory, where the broker leaves them.
    Hub {
        /// The hub's data directory.
        data_dir: DataDir,
        /// Which service.
        service: ServiceName,
        /// An external broker, if not the embedded one.
        external: Option<Endpoint>,
    },
}

/// What one attempt to connect needs.
#[derive(Debug, Clone)]
pub struct Target {
    /// Where.
    pub endpoint: Endpoint,
    /// As whom.
    pub user: String,
    /// With which password.
    pub password: Secret,
}

/// Why there is nowhere to connect to yet.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// The list of addresses is empty.
    #[error("no address of a broker is known")]
    NoEndpoint,
    /// The embedded broker has not said where it is.
    #[error("the broker of this hub has not been started yet, or has no listener without TLS")]
    NoBroker,
    /// The password is not there yet.
    #[error("no password at {} yet: the broker makes it at its first start", path.display())]
    NoPassword {
        /// Where it is expected.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

impl Dial {
    /// Where to connect, the best first: at least one.
    pub(crate) fn targets(&self) -> Result<Vec<Target>, DialError> {
        match self {
            Self::Fixed {
                endpoints,
                user,
                password,
            } => targets(endpoints, user, password),
            Self::Listed {
                endpoints,
                user,
                password,
            } => targets(&endpoints.borrow(), user, password),
            Self::Hub {
                data_dir,
                service,
                external,
            } => {
                let path = data_dir.secret(*service);
                let password = std::fs::read_to_string(&path)
                    .map_err(|source| DialError::NoPassword { path, source })?;
                let endpoint = match external {
                    Some(endpoint) => endpoint.clone(),
                    None => embedded_broker(data_dir).ok_or(DialError::NoBroker)?,
                };
                Ok(vec![Target {
                    endpoint,
                    user: service.mqtt_user(),
                    password: Secret::new(password.trim()),
                }])
            }
        }
    }
}

fn targets(
    endpoints: &[Endpoint],
    user: &str,
    password: &Secret,
) -> Result<Vec<Target>, DialError> {
    let targets: Vec<Target> = endpoints
        .iter()
        .map(|endpoint| Target {
            endpoint: endpoint.clone(),
            user: user.to_owned(),
            password: password.clone(),
        })
        .collect();
    if targets.is_empty() {
        return Err(DialError::NoEndpoint);
    }
    Ok(targets)
}

/// The embedded broker's plain listener, as it was last reported. Never a guess: whoever
/// listens there is told a password.
fn embedded_broker(data_dir: &DataDir) -> Option<Endpoint> {
    plain_listener(&announced::listeners(data_dir))
}

fn plain_listener(addresses: &[Address]) -> Option<Endpoint> {
    let plain = addresses.iter().find(|a| a.listener == "mqtt")?;
    let mut endpoint = Endpoint::parse(&plain.address, None)?;
    // Bound to all addresses: this machine reaches it on loopback.
    match endpoint.host.as_str() {
        "0.0.0.0" => "127.0.0.1".clone_into(&mut endpoint.host),
        "::" => "::1".clone_into(&mut endpoint.host),
        _ => {}
    }
    Some(endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_read_as_people_write_them() {
        let check = |text: &str, expected: Option<(&str, u16)>| {
            let endpoint = Endpoint::parse(text, None);
            let parts = endpoint.as_ref().map(|e| (e.host.as_str(), e.port));
            assert_eq!(parts, expected, "{text}");
            if let Some(endpoint) = endpoint {
                assert_eq!(endpoint.to_string(), text);
            }
        };
        check("hub.lan:8883", Some(("hub.lan", 8883)));
        check("192.168.1.5:1883", Some(("192.168.1.5", 1883)));
        check("[2001:db8::1]:8883", Some(("2001:db8::1", 8883)));
        check("hub.lan", None);
        check(":1883", None);
        check("hub.lan:port", None);
        check("[::1:1883", None);
    }

    #[test]
    fn a_list_of_addresses_may_change_between_two_attempts() {
        let parse = |text| Endpoint::parse(text, None).unwrap();
        let (list, endpoints) = watch::channel(vec![]);
        let dial = Dial::Listed {
            endpoints,
            user: "ws-14".to_owned(),
            password: Secret::new("x"),
        };
        assert!(matches!(dial.targets(), Err(DialError::NoEndpoint)));
        list.send_replace(vec![parse("a:1"), parse("b:2")]);
        let dialled: Vec<String> = dial
            .targets()
            .unwrap()
            .iter()
            .map(|target| target.endpoint.to_string())
            .collect();
        assert_eq!(dialled, ["a:1", "b:2"]);
    }

    #[test]
    fn a_service_finds_the_broker_wherever_it_listens() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(directory.path().to_owned());
        let dial = Dial::Hub {
            data_dir: data_dir.clone(),
            service: ServiceName::Ingest,
            external: None,
        };
        let error = dial.targets().unwrap_err();
        assert!(error.to_string().contains("secrets/ingest"), "{error}");

        std::fs::create_dir(data_dir.secrets()).unwrap();
        std::fs::write(data_dir.secret(ServiceName::Ingest), "pw\n").unwrap();
        let json = r#"[{"listener":"mqtts","address":"127.0.0.1:1"}]"#;
        std::fs::write(data_dir.addresses(), json).unwrap();
        assert!(matches!(dial.targets(), Err(DialError::NoBroker)));

        let json = r#"[{"listener":"mqtt","address":"127.0.0.1:4320"}]"#;
        std::fs::write(data_dir.addresses(), json).unwrap();
        let target = &dial.targets().unwrap()[0];
        assert_eq!(target.endpoint.to_string(), "127.0.0.1:4320");
        assert_eq!(target.password.expose(), "pw");

        let json = r#"[{"listener":"mqtt","address":"[::]:4321"}]"#;
        std::fs::write(data_dir.addresses(), json).unwrap();
        assert_eq!(
            dial.targets().unwrap()[0].endpoint.to_string(),
            "[::1]:4321"
        );
    }
}
