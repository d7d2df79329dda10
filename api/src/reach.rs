//! Under which addresses others reach the hub, as far as it has written down where it listens.

use netmonitor_protocol::payload::Address;
use netmonitor_service::{DataDir, announced};

use crate::addresses;

/// Where agents reach the broker over TLS, `host:port`: this machine's addresses on its
/// networks first, then those that the configuration names. Join codes and `hub/info` carry
/// this list.
pub fn agents(data_dir: &DataDir) -> Vec<String> {
    let lan = addresses::lan().into_iter().map(addresses::in_url);
    let lan: Vec<String> = lan.collect();
    of_agents(
        &announced::listeners(data_dir),
        &lan,
        announced::public_addresses(data_dir),
    )
}

/// What a browser on the network can open.
pub(crate) fn web(data_dir: &DataDir) -> Option<String> {
    web_base(&announced::listeners(data_dir))
}

fn of_agents(listeners: &[Address], lan: &[String], public: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for (host, port) in of_listener(listeners, "mqtts") {
        if is_any(host) {
            all.extend(lan.iter().map(|host| format!("{host}:{port}")));
        } else {
            all.push(format!("{host}:{port}"));
        }
    }
    for address in public {
        if !all.contains(&address) {
            all.push(address);
        }
    }
    all
}

fn web_base(listeners: &[Address]) -> Option<String> {
    let of_scheme = |scheme| Some((scheme, of_listener(listeners, scheme).next()?));
    let (scheme, (host, port)) = of_scheme("http").or_else(|| of_scheme("https"))?;
    let host = if is_any(host) {
        let lan = addresses::lan().into_iter().next();
        lan.map_or_else(|| host.to_owned(), addresses::in_url)
    } else {
        host.to_owned()
    };
    Some(format!("{scheme}://{host}:{port}"))
}

fn of_listener<'a>(
    listeners: &'a [Address],
    name: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    listeners
        .iter()
        .filter(move |address| address.listener == name)
        .filter_map(|address| address.address.rsplit_once(':'))
}

fn is_any(host: &str) -> bool {
    host == "[::]" || host == "0.0.0.0"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(name: &str, address: &str) -> Address {
        Address {
            listener: name.to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn a_link_carries_an_address_that_others_can_open() {
        let all = [
            listener("http", "[::]:8080"),
            listener("https", "[::]:8443"),
        ];
        let base = web_base(&all).unwrap();
        assert!(
            base.starts_with("http://") && base.ends_with(":8080"),
            "{base}"
        );
        assert!(
            !base.contains("[::]") && !base.contains("localhost"),
            "{base}"
        );
        assert_eq!(
            web_base(&[listener("https", "192.168.1.5:444")]).as_deref(),
            Some("https://192.168.1.5:444")
        );
        assert_eq!(web_base(&[listener("mqtts", "[::]:8883")]), None);
    }

    #[test]
    fn agents_try_the_network_before_the_way_from_outside() {
        let lan = ["192.168.1.5", "[fd00::5]"].map(str::to_owned);
        let public = || vec!["monitor.example.org:8883".to_owned()];
        let everywhere = [
            listener("http", "[::]:8080"),
            listener("mqtts", "[::]:8883"),
        ];
        assert_eq!(
            of_agents(&everywhere, &lan, public()),
            [
                "192.168.1.5:8883",
                "[fd00::5]:8883",
                "monitor.example.org:8883"
            ]
        );
        let one = [listener("mqtts", "10.0.0.1:1")];
        let same = vec!["10.0.0.1:1".to_owned()];
        assert_eq!(of_agents(&one, &lan, same), ["10.0.0.1:1"]);
        assert_eq!(of_agents(&[], &lan, public()), public());
        assert_eq!(of_agents(&[], &lan, Vec::new()), [""; 0]);
    }
}
