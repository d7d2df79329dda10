//! The addresses on which the hub listens: printed for people, written down for services and
//! commands.

use std::io::{self, Write as _};
use std::net::SocketAddr;

use anyhow::Context as _;
use netmonitor_protocol::ServiceName;
use netmonitor_protocol::payload::Address;
use netmonitor_service::{DataDir, announced, private_file};
use netmonitor_store::WriteLock;

/// The listeners of the broker, and those of the api: whoever runs a service answers for its
/// lines in the file.
pub(crate) const OF_BROKER: [&str; 3] = ["mqtt", "mqtts", "mqtt-ws"];
pub(crate) const OF_API: [&str; 2] = ["http", "https"];

/// The listeners of a service.
pub(crate) fn of(service: ServiceName) -> &'static [&'static str] {
    match service {
        ServiceName::Broker => &OF_BROKER,
        ServiceName::Api => &OF_API,
        ServiceName::Hub | ServiceName::Ingest | ServiceName::Alerting => &[],
    }
}

/// Prints a line for each listener, and replaces all of the names `ours` in the file, and the
/// addresses under which the configuration says that the hub is reached from outside.
pub(crate) fn announce(
    data_dir: &DataDir,
    ours: &[&str],
    listeners: &[(&'static str, SocketAddr)],
    public: &[String],
) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    for (name, address) in listeners {
        writeln!(out, "listening {name} {address}").context("cannot print the addresses")?;
    }
    out.flush().context("cannot print the addresses")?;
    write_down(data_dir, ours, listeners, public)
}

/// Each service of a hub may be a process of its own: they share the file.
fn write_down(
    data_dir: &DataDir,
    ours: &[&str],
    listeners: &[(&'static str, SocketAddr)],
    public: &[String],
) -> anyhow::Result<()> {
    let path = data_dir.addresses();
    let lock = path.with_extension("lock");
    let _lock = WriteLock::wait(&lock)?;
    let before: Vec<Address> = announced::all(data_dir);
    let mut all = before.clone();
    let is_old = |name: &str| name == announced::PUBLIC || ours.contains(&name);
    all.retain(|address| !is_old(&address.listener));
    let listeners = listeners
        .iter()
        .map(|(name, address)| (*name, address.to_string()));
    let public = public
        .iter()
        .map(|address| (announced::PUBLIC, address.clone()));
    all.extend(listeners.chain(public).map(|(name, address)| Address {
        listener: name.to_owned(),
        address,
    }));
    all.sort_by(|left, right| left.listener.cmp(&right.listener));
    if all == before {
        // As after most starts: a hub whose disk is full starts as well.
        return Ok(());
    }
    let json = serde_json::to_vec_pretty(&all).context("cannot write the addresses")?;
    private_file::write(&path, &json).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_replaces_its_own_listeners_only() {
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(folder.path().to_owned());
        let at = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
        let [mqtt, mqtts] = [1, 2].map(at);
        let both = [("mqtt", mqtt), ("mqtts", mqtts)];
        write_down(&data_dir, &OF_BROKER, &both, &[]).unwrap();
        let public = ["a.example.org:1", "b.example.org:1"].map(str::to_owned);
        write_down(&data_dir, &OF_API, &[("http", at(3))], &public[..1]).unwrap();
        write_down(&data_dir, &OF_BROKER, &[("mqtt", at(4))], &public).unwrap();
        let all: Vec<String> = announced::listeners(&data_dir)
            .into_iter()
            .map(|address| format!("{} {}", address.listener, address.address))
            .collect();
        assert_eq!(all, ["http 127.0.0.1:3", "mqtt 127.0.0.1:4"]);
        assert_eq!(announced::public_addresses(&data_dir), public);
    }
}
