//! The configuration: defaults, then the file, then the command line.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use netmonitor_protocol::ServiceName;
use netmonitor_service::mqtt::{BrokerUrl, Dial, Endpoint};
use netmonitor_service::{DataDir, config, environment, tls};
use serde::{Deserialize, Serialize};

/// Everything that can be set. Each service reads its own table, and `[mqtt]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    pub(crate) hub: Hub,
    pub(crate) mqtt: Mqtt,
    pub(crate) broker: netmonitor_broker::Config,
    pub(crate) api: netmonitor_api::Config,
    pub(crate) history: History,
    pub(crate) ingest: netmonitor_ingest::Config,
    pub(crate) alerting: netmonitor_alerting::Config,
}

/// Table `[hub]`: the hub as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Hub {
    /// Under which addresses agents outside the network reach the hub over TLS, `host:port`: a
    /// forwarded port, or the listener of an external broker.
    pub(crate) public_addresses: Vec<String>,
}

/// Table `[history]`: where samples and events are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct History {
    /// A file, as `sqlite:/path/monitor.db`; empty for `monitor.db` in the data directory.
    pub(crate) url: String,
}

/// Table `[mqtt]`: which broker the services use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Mqtt {
    /// An external broker, as `mqtt://host:1883` or `mqtts://host:8883`; empty for the embedded
    /// one.
    pub(crate) url: String,
    /// The certificate of the authority that signed the external broker's certificate, in PEM
    /// form. Empty: the hub's own, which signed the one that `export-mosquitto` writes; then the
    /// name in the URL does not matter.
    pub(crate) ca_file: String,
}

/// What the command line may change.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of the services")]
pub(crate) struct Flags {
    /// Where dashboard and API listen without TLS; may be repeated; `off` for nowhere
    #[arg(long, global = true, value_name = "ADDRESS")]
    http: Vec<String>,
    /// Where dashboard and API listen with TLS; may be repeated; `off` for nowhere
    #[arg(long, global = true, value_name = "ADDRESS")]
    https: Vec<String>,
    /// Where the broker listens without TLS; may be repeated; `off` for nowhere
    #[arg(long, global = true, value_name = "ADDRESS")]
    mqtt: Vec<String>,
    /// Where the broker listens with TLS; may be repeated; `off` for nowhere
    #[arg(long, global = true, value_name = "ADDRESS")]
    mqtts: Vec<String>,
    /// Where the broker listens for MQTT over WebSocket; may be repeated
    #[arg(long, global = true, value_name = "ADDRESS")]
    mqtt_ws: Vec<String>,
    /// Keep the history elsewhere: sqlite:FILE
    #[arg(long, global = true, value_name = "URL")]
    store_url: Option<String>,
    /// Use an external broker: mqtt://host:port, mqtts://, ws:// or wss://
    #[arg(long, global = true, value_name = "URL")]
    mqtt_url: Option<String>,
    /// Do not watch this machine itself
    #[arg(long, global = true)]
    pub(crate) no_agent: bool,
}

/// Stands for an empty list on the command line.
const OFF: &str = "off";

/// Reads the file, if there is one, and applies the command line.
pub(crate) fn load(
    given: Option<&Path>,
    data_dir: &DataDir,
    flags: &Flags,
) -> anyhow::Result<Config> {
    load_from(file(given, data_dir), flags)
}

/// The configuration file that a person or the environment names, wherever it is.
pub(crate) fn named_file(given: Option<&Path>) -> Option<PathBuf> {
    given.map(Path::to_owned).or_else(environment::config_file)
}

/// The configuration file in force; none if there is none.
pub(crate) fn file(given: Option<&Path>, data_dir: &DataDir) -> Option<PathBuf> {
    named_file(given).or_else(|| Some(data_dir.config()).filter(|path| path.exists()))
}

/// Reads that file, and applies the command line.
pub(crate) fn load_from(path: Option<PathBuf>, flags: &Flags) -> anyhow::Result<Config> {
    let mut config: Config =
        path.map_or_else(|| Ok(Config::default()), |path| config::read(&path))?;
    apply(&flags.http, &mut config.api.http);
    apply(&flags.https, &mut config.api.https);
    apply(&flags.mqtt, &mut config.broker.mqtt);
    apply(&flags.mqtts, &mut config.broker.mqtts);
    apply(&flags.mqtt_ws, &mut config.broker.mqtt_ws);
    if let Some(url) = &flags.store_url {
        config.history.url.clone_from(url);
    }
    if let Some(url) = &flags.mqtt_url {
        config.mqtt.url.clone_from(url);
    }
    config.hub.check()?;
    // The hub's own services do not use TLS: they would have no broker to talk to.
    anyhow::ensure!(
        !config.mqtt.url.is_empty() || !config.broker.mqtt.is_empty(),
        "the hub's own services need a listener without TLS: give --mqtt an address (127.0.0.1:1883 \
         is closed to the network), or an external broker with --mqtt-url"
    );
    Ok(config)
}

fn apply(flag: &[String], setting: &mut Vec<String>) {
    if !flag.is_empty() {
        *setting = flag.iter().filter(|text| *text != OFF).cloned().collect();
    }
}

impl Hub {
    fn check(&self) -> anyhow::Result<()> {
        for address in &self.public_addresses {
            let endpoint = Endpoint::parse(address, None).filter(|endpoint| {
                let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:_".contains(c);
                endpoint.port != 0
                    && endpoint.host.chars().all(is_host)
                    && endpoint.to_string() == *address
            });
            anyhow::ensure!(
                endpoint.is_some(),
                "{address:?} in hub.public_addresses is not an address: write host and port, as \
                 monitor.example.org:8883 or [2001:db8::1]:8883"
            );
        }
        Ok(())
    }
}

impl History {
    /// The file that holds the history.
    pub(crate) fn path(&self, data_dir: &DataDir) -> anyhow::Result<PathBuf> {
        if self.url.is_empty() {
            return Ok(data_dir.history_db());
        }
        let path = self
            .url
            .strip_prefix("sqlite:")
            .filter(|path| !path.is_empty());
        path.map(PathBuf::from).with_context(|| {
            format!(
                "{:?} is no place for the history: write sqlite:FILE (other databases are not \
                 supported yet)",
                self.url
            )
        })
    }
}

impl Mqtt {
    /// The external broker, if there is one.
    pub(crate) fn external(&self, data_dir: &DataDir) -> anyhow::Result<Option<Endpoint>> {
        if self.url.is_empty() {
            return Ok(None);
        }
        let url: BrokerUrl = self.url.parse()?;
        let tls = if !url.is_encrypted() {
            None
        } else if self.ca_file.is_empty() {
            Some(tls::pinned_to(&data_dir.tls().join("ca.pem"))?)
        } else {
            Some(tls::trusting(Path::new(&self.ca_file))?)
        };
        Ok(Some(url.endpoint(tls)))
    }

    /// How a service connects.
    pub(crate) fn dial(&self, data_dir: &DataDir, service: ServiceName) -> anyhow::Result<Dial> {
        Ok(Dial::Hub {
            data_dir: data_dir.clone(),
            service,
            external: self.external(data_dir)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_says_what_is_the_default() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../netmonitor.example.toml");
        let example: Config = config::read(Path::new(path)).unwrap();
        assert_eq!(example, Config::default());
        let text = std::fs::read_to_string(path).unwrap();
        let all = toml::Table::try_from(Config::default()).unwrap();
        for (table, keys) in all {
            assert!(text.contains(&format!("[{table}]")), "[{table}] is missing");
            for key in keys.as_table().unwrap().keys() {
                let line = format!("{key} = ");
                let has_it = text
                    .lines()
                    .any(|text| text.trim_start_matches("# ").starts_with(&line));
                assert!(has_it, "{table}.{key} is missing");
            }
        }
    }

    #[test]
    fn off_on_the_command_line_closes_a_listener() {
        let mut setting = vec!["[::]:8080".to_owned()];
        apply(&[], &mut setting);
        assert_eq!(setting, ["[::]:8080"]);
        apply(&["127.0.0.1:1".to_owned()], &mut setting);
        assert_eq!(setting, ["127.0.0.1:1"]);
        apply(&[OFF.to_owned()], &mut setting);
        assert!(setting.is_empty());
    }

    #[test]
    fn the_history_is_a_file_and_anything_else_is_refused_by_name() {
        let data_dir = DataDir::from(PathBuf::from("/data"));
        let path = |url: &str| {
            History {
                url: url.to_owned(),
            }
            .path(&data_dir)
        };
        assert_eq!(path("").unwrap(), Path::new("/data/monitor.db"));
        assert_eq!(path("sqlite:/ssd/m.db").unwrap(), Path::new("/ssd/m.db"));
        for url in ["sqlite:", "mysql://root@db/netmonitor", "/ssd/m.db"] {
            assert!(path(url).unwrap_err().to_string().contains(url), "{url}");
        }
    }

    #[test]
    fn a_public_address_is_a_host_and_a_port() {
        let check = |address: &str| {
            let public_addresses = vec![address.to_owned()];
            Hub { public_addresses }.check()
        };
        for address in [
            "monitor.example.org:8883",
            "203.0.113.7:443",
            "[2001:db8::1]:8883",
        ] {
            assert!(check(address).is_ok(), "{address}");
        }
        for address in [
            "",
            "monitor.example.org",
            "monitor.example.org:0",
            "monitor.example.org:88830",
            "mqtts://monitor.example.org:8883",
            "2001:db8::1:8883",
            "monitor example:8883",
            ":8883",
        ] {
            let error = check(address).unwrap_err().to_string();
            assert!(error.contains(&format!("{address:?}")), "{error}");
            assert!(error.contains("hub.public_addresses"), "{error}");
        }
    }

    #[test]
    fn an_external_broker_is_named_by_a_url() {
        let external = |url: &str| {
            let mqtt = Mqtt {
                url: url.to_owned(),
                ca_file: String::new(),
            };
            mqtt.external(&DataDir::from(PathBuf::from("/nonexistent")))
                .map(|endpoint| endpoint.map(|e| e.to_string()))
        };
        assert_eq!(external("").unwrap(), None);
        assert_eq!(
            external("mqtt://pi:1883").unwrap().as_deref(),
            Some("pi:1883")
        );
        assert_eq!(
            external("mqtt://[::1]:1/").unwrap().as_deref(),
            Some("[::1]:1")
        );
        let error = external("mqtts://pi:8883").unwrap_err().to_string();
        assert!(error.contains("tls/ca.pem"), "{error}");
        for url in ["pi:1883", "http://pi:1883", "mqtt://"] {
            assert!(
                external(url).unwrap_err().to_string().contains(url),
                "{url}"
            );
        }
    }
}
