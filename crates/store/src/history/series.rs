//! The series of a device: the names under which they are stored and shown, their scale, and
//! how a sample becomes numbers.

use std::borrow::Cow;

use netmonitor_protocol::payload::Metrics;

/// What the numbers of a series mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value at a moment.
    Gauge,
    /// A sum since the machine's boot; shown as its increase per second.
    Counter,
}

/// Stored names of counters, and under which they are shown.
const COUNTERS: [(&str, &str); 2] = [("rx_bytes:", "rx:"), ("tx_bytes:", "tx:")];

/// What the numbers mean.
pub(super) fn kind(stored: &str) -> Kind {
    let is_counter = COUNTERS.iter().any(|(name, _)| stored.starts_with(name));
    if is_counter {
        Kind::Counter
    } else {
        Kind::Gauge
    }
}

/// The name under which a stored series is shown.
pub(super) fn shown(stored: &str) -> Cow<'_, str> {
    for (name, shown) in COUNTERS {
        if let Some(rest) = stored.strip_prefix(name) {
            return Cow::Owned(format!("{shown}{rest}"));
        }
    }
    Cow::Borrowed(stored)
}

/// How a number becomes an integer: multiplied by this. Fewer digits compress better, and
/// nobody reads more than these.
pub(super) fn scale(stored: &str) -> f64 {
    match stored.split(':').next().unwrap_or(stored) {
        "cpu" | "ram" | "swap" | "disk" | "temp" => 10.0,
        "load1" => 100.0,
        _ => 1.0,
    }
}

/// The numbers of a sample that the history keeps, each with the name of its series.
///
/// `cpu`, `ram`, `swap` and `disk:{mount}` in percent, `load1` as a number, `rx_bytes:{interface}`
/// and `tx_bytes:{interface}` in bytes since boot, `temp:{sensor}` in degrees Celsius. What the
/// machine does not have is absent.
pub(super) fn numbers_of(metrics: &Metrics) -> Vec<(String, i64)> {
    let mut numbers = Vec::with_capacity(16);
    let mut push = |name: &str, part: Option<&str>, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            let number = rounded(value * scale(name));
            numbers.push((named(name, part), number));
        }
    };
    push("cpu", None, Some(metrics.cpu.usage_percent));
    push("ram", None, metrics.memory.used_percent());
    push(
        "swap",
        None,
        metrics.swap.and_then(|swap| swap.used_percent()),
    );
    push("load1", None, metrics.cpu.load.map(|load| load.one));
    for disk in &metrics.disks {
        push("disk", Some(&disk.mount), disk.used_percent());
    }
    for sensor in &metrics.temperatures {
        push("temp", Some(&sensor.sensor), Some(sensor.celsius));
    }
    for link in &metrics.network {
        for (name, bytes) in [
            ("rx_bytes", link.received_bytes),
            ("tx_bytes", link.sent_bytes),
        ] {
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            numbers.push((named(name, Some(&link.interface)), bytes));
        }
    }
    numbers
}

fn named(name: &str, part: Option<&str>) -> String {
    match part {
        // A comma separates names in a request.
        Some(part) => format!("{name}:{}", part.replace(',', "_")),
        None => name.to_owned(),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a value outside of i64 is clamped, and nothing that is measured comes near it"
)]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_does_not_have_is_absent() {
        let metrics: Metrics = serde_json::from_str(
            r#"{"session":"00000000000000aa","seq":1,"time":"2026-11-22T10:00:00Z",
                "uptime_secs":5,"cpu":{"usage_percent":12.34},
                "memory":{"total_bytes":0,"used_bytes":0},
                "disks":[{"mount":"/a,b","total_bytes":120,"used_bytes":50,"available_bytes":50}],
                "network":[{"interface":"eth0","received_bytes":1,"sent_bytes":2,
                            "received_bytes_per_sec":7.0}]}"#,
        )
        .unwrap();
        let expected = [
            ("cpu", 123),
            ("disk:/a_b", 500),
            ("rx_bytes:eth0", 1),
            ("tx_bytes:eth0", 2),
        ];
        let expected = expected.map(|(name, number)| (name.to_owned(), number));
        assert_eq!(numbers_of(&metrics), expected);
    }

    #[test]
    fn a_counter_is_shown_under_another_name() {
        assert_eq!(shown("rx_bytes:eth0"), "rx:eth0");
        assert_eq!(shown("rx:eth0"), "rx:eth0");
        assert_eq!(
            (kind("rx_bytes:eth0"), kind("cpu")),
            (Kind::Counter, Kind::Gauge)
        );
    }
}
