//! The series of a device: the names under which they are stored and shown, their scale, and
//! how a sample becomes numbers.

use std::borrow::Cow;
use std::fmt;

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

/// The names under which a series that is shown so may be stored.
pub(super) fn stored_as(shown: &str) -> Vec<Cow<'_, str>> {
    let mut names = vec![Cow::Borrowed(shown)];
    for (name, prefix) in COUNTERS {
        if let Some(rest) = shown.strip_prefix(prefix) {
            names.push(Cow::Owned(format!("{name}{rest}")));
        }
    }
    names
}

/// What a sample has numbers of that the history keeps.
#[derive(Debug, Clone, Copy)]
struct Quantity {
    name: &'static str,
    /// How a number becomes an integer: multiplied by this. Fewer digits compress better, and
    /// nobody reads more than these.
    scale: f64,
}

const fn quantity(name: &'static str, scale: f64) -> Quantity {
    Quantity { name, scale }
}

const CPU: Quantity = quantity("cpu", 10.0);
const RAM: Quantity = quantity("ram", 10.0);
const SWAP: Quantity = quantity("swap", 10.0);
const LOAD: Quantity = quantity("load1", 100.0);
const DISK: Quantity = quantity("disk", 10.0);
const TEMPERATURE: Quantity = quantity("temp", 10.0);

/// By what the numbers of a series were multiplied.
pub(super) fn scale(stored: &str) -> f64 {
    let name = stored.split_once(':').map_or(stored, |(name, _)| name);
    [CPU, RAM, SWAP, LOAD, DISK, TEMPERATURE]
        .iter()
        .find(|it| it.name == name)
        .map_or(1.0, |it| it.scale)
}

/// The name under which a number of a sample is stored, before anybody writes it out: most
/// samples have those that the one before had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    what: &'static str,
    part: Option<&'a str>,
}

impl Name<'_> {
    /// How long it is, in bytes.
    pub(super) fn len(self) -> usize {
        self.what.len() + self.part.map_or(0, |part| 1 + part.len())
    }

    /// Whether a series has this name.
    pub(super) fn is(self, stored: &str) -> bool {
        let Some(rest) = stored.strip_prefix(self.what) else {
            return false;
        };
        let Some(part) = self.part else {
            return rest.is_empty();
        };
        rest.strip_prefix(':').is_some_and(|rest| {
            let shown = || {
                part.bytes()
                    .map(|byte| if byte == b',' { b'_' } else { byte })
            };
            rest == part || (rest.len() == part.len() && rest.bytes().eq(shown()))
        })
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)?;
        match self.part {
            // A comma separates names in a request.
            Some(part) => write!(f, ":{}", part.replace(',', "_")),
            None => Ok(()),
        }
    }
}

/// The numbers of a sample that the history keeps, each with the name of its series.
///
/// `cpu`, `ram`, `swap` and `disk:{mount}` in percent, `load1` as a number, `rx_bytes:{interface}`
/// and `tx_bytes:{interface}` in bytes since boot, `temp:{sensor}` in degrees Celsius. What the
/// machine does not have is absent.
pub(super) fn numbers_of(metrics: &Metrics) -> Vec<(Name<'_>, i64)> {
    let parts = metrics.disks.len() + metrics.temperatures.len() + 2 * metrics.network.len();
    let mut numbers = Vec::with_capacity(4 + parts);
    let mut push = |it: Quantity, part, value: Option<f64>| {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            let what = it.name;
            numbers.push((Name { what, part }, rounded(value * it.scale)));
        }
    };
    push(CPU, None, Some(metrics.cpu.usage_percent));
    push(RAM, None, metrics.memory.used_percent());
    push(
        SWAP,
        None,
        metrics.swap.and_then(|swap| swap.used_percent()),
    );
    push(LOAD, None, metrics.cpu.load.map(|load| load.one));
    for disk in &metrics.disks {
        push(DISK, Some(&disk.mount), disk.used_percent());
    }
    for sensor in &metrics.temperatures {
        push(TEMPERATURE, Some(&sensor.sensor), Some(sensor.celsius));
    }
    for link in &metrics.network {
        for (what, bytes) in [
            ("rx_bytes", link.received_bytes),
            ("tx_bytes", link.sent_bytes),
        ] {
            let part = Some(link.interface.as_str());
            let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
            numbers.push((Name { what, part }, bytes));
        }
    }
    numbers
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
        let numbers = numbers_of(&metrics);
        let named = numbers
            .iter()
            .map(|(name, value)| (name.to_string(), *value));
        assert!(named.eq(expected.map(|(name, number)| (name.to_owned(), number))));
        let are_known =
            expected.map(|(stored, _)| numbers.iter().filter(|it| it.0.is(stored)).count());
        assert_eq!(are_known, [1; 4]);
    }

    #[test]
    fn a_counter_is_shown_under_another_name() {
        assert_eq!(shown("rx_bytes:eth0"), "rx:eth0");
        assert_eq!(shown("rx:eth0"), "rx:eth0");
        assert_eq!(stored_as("rx:eth0"), ["rx:eth0", "rx_bytes:eth0"]);
        assert_eq!(stored_as("cpu"), ["cpu"]);
        assert_eq!(
            (kind("rx_bytes:eth0"), kind("cpu")),
            (Kind::Counter, Kind::Gauge)
        );
    }
}
