//! What a sample says about each rule.

use std::collections::BTreeSet;

use netmonitor_protocol::payload::{Disk, Metrics};
use netmonitor_protocol::{Rule, RuleKind};

/// The rules that a sample decides: nobody else knows.
pub(super) fn is_by_sample(kind: RuleKind) -> bool {
    matches!(
        kind,
        RuleKind::Cpu
            | RuleKind::Ram
            | RuleKind::Swap
            | RuleKind::Load
            | RuleKind::Temperature
            | RuleKind::Network
            | RuleKind::Clock
            | RuleKind::Disk
            | RuleKind::Inodes
    )
}

/// Each rule that the sample has something about, with its value in the unit of the rule. None: it is
/// there, and nobody knows. `clock_off_secs`: how far the device's clock is off, if that is known.
pub(super) fn readings(metrics: &Metrics, clock_off_secs: Option<f64>) -> Vec<(Rule, Option<f64>)> {
    let mut found = Vec::new();
    let mut add = |kind, value: Option<f64>| {
        if value.is_some() {
            found.push((Rule::of(kind), value));
        }
    };
    add(RuleKind::Cpu, Some(metrics.cpu.usage_percent));
    add(RuleKind::Ram, metrics.memory.used_percent());
    add(
        RuleKind::Swap,
        metrics.swap.and_then(|it| it.used_percent()),
    );
    add(RuleKind::Load, load_per_core(metrics));
    add(RuleKind::Temperature, hottest(metrics));
    add(RuleKind::Network, traffic(metrics));
    // That the hub does not know the time is no sign that the device has no clock.
    found.push((Rule::of(RuleKind::Clock), clock_off_secs.map(f64::abs)));
    for disk in metrics.disks.iter().filter(|disk| is_its_own(disk)) {
        let known = !disk.unresponsive;
        let fill = disk.used_percent().filter(|_| known);
        found.push((Rule::about(RuleKind::Disk, &disk.mount), fill));
        if let Some(inodes) = disk.inodes {
            let used = inodes.used_percent().filter(|_| known);
            found.push((Rule::about(RuleKind::Inodes, &disk.mount), used));
        }
    }
    found
}

/// Where a device's own disks are mounted.
pub(super) fn mounts(metrics: &Metrics) -> BTreeSet<String> {
    let own = metrics.disks.iter().filter(|disk| is_its_own(disk));
    own.map(|disk| disk.mount.clone()).collect()
}

/// A disk of another machine is that one's to watch, and one that cannot be written cannot fill up.
fn is_its_own(disk: &Disk) -> bool {
    !disk.remote && !disk.read_only
}

fn load_per_core(metrics: &Metrics) -> Option<f64> {
    let cores = metrics.cpu.per_core_percent.len();
    let load = metrics.cpu.load?;
    (cores > 0).then(|| load.five / cores as f64)
}

fn hottest(metrics: &Metrics) -> Option<f64> {
    let all = metrics.temperatures.iter().map(|it| it.celsius);
    all.reduce(f64::max)
}

/// Received and sent, all interfaces together, in bytes a second.
fn traffic(metrics: &Metrics) -> Option<f64> {
    let both = |it: &netmonitor_protocol::payload::Network| {
        Some(it.received_bytes_per_sec? + it.sent_bytes_per_sec?)
    };
    metrics.network.iter().filter_map(both).reduce(|a, b| a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(
        clippy::option_option,
        reason = "not there, and not known, are two things"
    )]
    fn value(metrics: &Metrics, rule: &str) -> Option<Option<f64>> {
        let found = readings(metrics, Some(-7.0));
        let rule: Rule = rule.parse().unwrap();
        found.into_iter().find(|it| it.0 == rule).map(|it| it.1)
    }

    #[test]
    fn a_sample_decides_what_it_has_and_is_silent_about_the_rest() {
        let metrics: Metrics = serde_json::from_value(serde_json::json!({
            "session": "0000000000000001", "seq": 1, "time": "2026-11-22T10:00:00Z",
            "uptime_secs": 1,
            "cpu": { "usage_percent": 12.5, "per_core_percent": [20.0, 5.0],
                     "load": { "one": 1.0, "five": 3.0, "fifteen": 1.0 } },
            "memory": { "total_bytes": 100, "used_bytes": 50 },
            "disks": [
                { "mount": "/", "total_bytes": 100, "used_bytes": 97, "available_bytes": 3,
                  "inodes": { "total": 10, "used": 1 } },
                { "mount": "/nas", "total_bytes": 100, "used_bytes": 97, "available_bytes": 3,
                  "remote": true },
                { "mount": "/cdrom", "total_bytes": 100, "used_bytes": 100, "available_bytes": 0,
                  "read_only": true },
                { "mount": "/usb", "total_bytes": 100, "used_bytes": 97, "available_bytes": 3,
                  "unresponsive": true },
            ],
            "network": [
                { "interface": "eth0", "received_bytes": 1, "sent_bytes": 1,
                  "received_bytes_per_sec": 10.0, "sent_bytes_per_sec": 1.0 },
                { "interface": "eth1", "received_bytes": 1, "sent_bytes": 1 },
            ],
            "temperatures": [ { "sensor": "a", "celsius": 40.0 }, { "sensor": "b", "celsius": 61.5 } ],
        }))
        .unwrap();
        let check = |rule, expected| assert_eq!(value(&metrics, rule), expected, "{rule}");
        check("cpu", Some(Some(12.5)));
        check("ram", Some(Some(50.0)));
        check("swap", None);
        check("load", Some(Some(1.5)));
        check("temperature", Some(Some(61.5)));
        check("network", Some(Some(11.0)));
        check("clock", Some(Some(7.0)));
        check("disk-root", Some(Some(97.0)));
        check("inodes-root", Some(Some(10.0)));
        check("disk-nas", None);
        check("disk-cdrom", None);
        check("disk-usb", Some(None));
        for (rule, _) in readings(&metrics, Some(1.0)) {
            assert!(is_by_sample(rule.kind()), "{rule}");
        }
    }
}
