//! Addresses of brokers as people write them: `mqtts://host:8883`.

use std::str::FromStr;
use std::sync::Arc;

use rustls::ClientConfig;

use super::dial::Endpoint;

/// The path of the resource where the URL of a WebSocket names none: nearly every broker has it
/// there.
const WEBSOCKET_PATH: &str = "/mqtt";

/// A URL of a broker: `mqtt://`, `mqtts://` (TLS), `ws://` or `wss://` (over WebSocket), a host, and
/// a port unless it is the usual one (1883, 8883, 80, 443).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    host: String,
    port: u16,
    tls: bool,
    websocket: Option<String>,
}

/// The text is no URL of a broker.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the address of a broker: write mqtt://host:port, mqtts://host:port, \
     ws://host:port/path or wss://host:port/path"
)]
pub struct NotABroker(String);

impl BrokerUrl {
    /// Whether the connection is to be encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.tls
    }

    /// Where to connect. `tls`: whom to trust, if it is to be encrypted.
    pub fn endpoint(&self, tls: Option<Arc<ClientConfig>>) -> Endpoint {
        Endpoint {
            host: self.host.clone(),
            port: self.port,
            tls,
            websocket: self.websocket.clone(),
        }
    }
}

impl FromStr for BrokerUrl {
    type Err = NotABroker;

    fn from_str(text: &str) -> Result<Self, NotABroker> {
        parse(text.trim()).ok_or_else(|| NotABroker(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<BrokerUrl> {
    let (scheme, rest) = text.split_once("://")?;
    let (usual_port, tls, is_websocket) = match scheme {
        "mqtt" | "tcp" => (1883, false, false),
        "mqtts" | "ssl" => (8883, true, false),
        "ws" => (80, false, true),
        "wss" => (443, true, true),
        _ => return None,
    };
    let (address, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if !is_websocket && !matches!(path, "" | "/") {
        return None;
    }
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(_, port)| !port.ends_with(']'));
    let address = if has_port {
        address.to_owned()
    } else {
        format!("{address}:{usual_port}")
    };
    // Whoever writes a password here would find it in the log.
    let endpoint = Endpoint::parse(&address, None).filter(|it| !it.host.contains(['@', ' ']))?;
    let path = if path.len() > 1 { path } else { WEBSOCKET_PATH };
    Some(BrokerUrl {
        host: endpoint.host,
        port: endpoint.port,
        tls,
        websocket: is_websocket.then(|| path.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_people_write_them() {
        let check = |text: &str, address: &str, tls: bool, path: Option<&str>| {
            let url: BrokerUrl = text.parse().unwrap();
            let endpoint = url.endpoint(None);
            assert_eq!(endpoint.to_string(), address, "{text}");
            assert_eq!(url.is_encrypted(), tls, "{text}");
            assert_eq!(endpoint.websocket.as_deref(), path, "{text}");
        };
        check("mqtt://pi", "pi:1883", false, None);
        check("mqtt://pi:1884/", "pi:1884", false, None);
        check(
            "mqtts://monitor.example.org",
            "monitor.example.org:8883",
            true,
            None,
        );
        check("mqtts://[2001:db8::1]", "[2001:db8::1]:8883", true, None);
        check("mqtt://[::1]:1", "[::1]:1", false, None);
        check("ws://pi:9001", "pi:9001", false, Some("/mqtt"));
        check("wss://pi/broker/ws", "pi:443", true, Some("/broker/ws"));
    }

    #[test]
    fn what_is_no_url_of_a_broker_says_how_to_write_one() {
        for text in [
            "",
            "pi:1883",
            "http://pi:1883",
            "mqtt://",
            "mqtt://:1883",
            "mqtt://pi:port",
            "mqtt://pi:1883/path",
            "mqtt://user:secret@pi:1883",
        ] {
            let error = text.parse::<BrokerUrl>().unwrap_err().to_string();
            assert!(error.contains("mqtts://host:port"), "{error}");
        }
    }
}
