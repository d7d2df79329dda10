//! Under which addresses others reach the hub, as far as it has written down where it listens.

use netmonitor_protocol::payload::Address;
use netmonitor_service::{DataDir, announced};
use poem::http::Uri;

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

/// The same for a machine beside a browser that has come by `origin` (`http://hub.lan:8080`): that
/// address, if it is one of this hub. Loopback is no address for others.
pub(crate) fn web_as_seen(data_dir: &DataDir, origin: Option<&str>) -> Option<String> {
    let seen = origin.and_then(|origin| among(origin, &hosts(data_dir)));
    seen.or_else(|| web(data_dir))
}

/// The names and addresses of this hub, as they stand in a URL.
fn hosts(data_dir: &DataDir) -> Vec<String> {
    let name = addresses::host_name();
    let public = announced::public_addresses(data_dir);
    let public = public
        .iter()
        .filter_map(|address| address.rsplit_once(':'))
        .map(|(host, _port)| host.to_owned());
    let lan = addresses::lan().into_iter().filter(|ip| !ip.is_loopback());
    let mut hosts: Vec<_> = lan.map(addresses::in_url).chain(public).collect();
    hosts.push(format!("{name}.local"));
    hosts.push(name);
    hosts
}

/// An origin whose host is one of these. What is returned has nothing else of it but scheme, host
/// and port.
fn among(origin: &str, hosts: &[String]) -> Option<String> {
    let origin: Uri = origin.parse().ok()?;
    let scheme = origin
        .scheme_str()
        .filter(|it| ["http", "https"].contains(it))?;
    let host = origin.host()?;
    let host = hosts
        .iter()
        .find(|known| known.eq_ignore_ascii_case(host))?;
    let port = origin.port_u16().map(|port| format!(":{port}"));
    Some(format!("{scheme}://{host}{}", port.unwrap_or_default()))
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
    fn only_an_origin_of_this_hub_is_passed_on_and_nothing_beside_it() {
        let hosts = ["192.168.1.5", "[fd00::5]", "Hub.local"].map(str::to_owned);
        for (origin, expected) in [
            ("http://192.168.1.5:8080", Some("http://192.168.1.5:8080")),
            ("https://[fd00::5]:8443", Some("https://[fd00::5]:8443")),
            ("https://hub.local", Some("https://Hub.local")),
            (
                "http://me@192.168.1.5:80/a?b=$(reboot)",
                Some("http://192.168.1.5:80"),
            ),
            ("http://192.168.1.6:8080", None),
            ("http://evil.example", None),
            ("http://localhost:8080", None),
            ("ftp://192.168.1.5", None),
            ("192.168.1.5:8080", None),
            ("null", None),
            ("", None),
        ] {
            assert_eq!(among(origin, &hosts).as_deref(), expected, "{origin}");
        }
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
