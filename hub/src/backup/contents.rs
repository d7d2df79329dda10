//! What belongs to a backup: the files that make a hub what it is. Not what is of this run or this
//! machine only: locks, sockets, addresses.

use netmonitor_store::Database;

/// The configuration.
pub(crate) const CONFIG: &str = "netmonitor.toml";

/// Folders of which files are kept.
pub(crate) const FOLDERS: [&str; 3] = ["tls", "secrets", "agent"];

/// Of the local agent: who it is, and how it is set up. With its identity, the machine of the hub
/// stays the device that it was.
const AGENT: [&str; 2] = ["identity.json", "agent.toml"];

/// A file that only says who is at work.
const LOCK: &str = "lock";

/// Longest name of a file in a folder: with the folder it fits in the header of a tar archive.
const NAME_MAX: usize = 80;

/// What a database is called in a backup, and in a data directory.
pub(crate) fn database_file(database: Database) -> &'static str {
    match database {
        Database::Hub => "hub.db",
        Database::History => "monitor.db",
        Database::Retained => "retained.db",
        Database::Alerting => "alerting.db",
    }
}

/// Which database a file of a backup is, if any.
pub(crate) fn database(name: &str) -> Option<Database> {
    Database::ALL
        .into_iter()
        .find(|database| database_file(*database) == name)
}

/// Whether a file of a backup may have this name. Whatever passes lies below the data directory,
/// one folder deep at most.
pub(crate) fn is_known(name: &str) -> bool {
    match name.split_once('/') {
        None => name == CONFIG || database(name).is_some(),
        Some(("tls" | "secrets", name)) => is_plain(name) && name != LOCK,
        Some(("agent", name)) => AGENT.contains(&name),
        Some(_) => false,
    }
}

fn is_plain(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty()
        && name.len() <= NAME_MAX
        && !name.starts_with('.')
        && name.chars().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_not_known() {
        for name in [
            "hub.db",
            "monitor.db",
            "retained.db",
            "alerting.db",
            "netmonitor.toml",
            "tls/ca.pem",
            "secrets/ingest",
            "agent/identity.json",
        ] {
            assert!(is_known(name), "{name}");
        }
        for name in [
            "",
            "/etc/passwd",
            "../hub.db",
            "tls",
            "tls/",
            "tls/..",
            "tls/../hub.db",
            "tls/a/b",
            "tls/.hidden",
            "tls/lock",
            "tls//x",
            "secrets/a\0b",
            "secrets/a b",
            "agent/keepalive",
            "./hub.db",
            "hub.db-wal",
            "HUB.DB",
            "hub.lock",
        ] {
            assert!(!is_known(name), "{name}");
        }
    }
}
