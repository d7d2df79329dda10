//! The series of a device: the names under which they are stored and shown, and their scale.

use std::borrow::Cow;
use std::fmt;

/// What the numbers of a series mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A value at a moment.
    Gauge,
    /// A sum since the machine's boot; shown as its increase per second.
    Counter,
}

/// Stored names of counters, and under which they are shown.
const COUNTERS: [(&str, &str); 4] = [
    ("rx_bytes:", "rx:"),
    ("tx_bytes:", "tx:"),
    ("read_bytes:", "read:"),
    ("written_bytes:", "written:"),
];

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
pub(super) struct Quantity {
    pub(super) name: &'static str,
    /// How a number becomes an integer: multiplied by this. Fewer digits compress better, and
    /// nobody reads more than these.
    pub(super) scale: f64,
}

const fn quantity(name: &'static str, scale: f64) -> Quantity {
    Quantity { name, scale }
}

pub(super) const CPU: Quantity = quantity("cpu", 10.0);
pub(super) const CPU_USER: Quantity = quantity("cpu_user", 10.0);
pub(super) const CPU_SYSTEM: Quantity = quantity("cpu_system", 10.0);
pub(super) const CPU_IOWAIT: Quantity = quantity("cpu_iowait", 10.0);
pub(super) const CPU_STEAL: Quantity = quantity("cpu_steal", 10.0);
/// In steps of 10 MHz: it never stands still.
pub(super) const FREQUENCY: Quantity = quantity("freq", 0.1);
pub(super) const RAM: Quantity = quantity("ram", 10.0);
pub(super) const SWAP: Quantity = quantity("swap", 10.0);
pub(super) const LOAD: Quantity = quantity("load1", 100.0);
pub(super) const PRESSURE_CPU: Quantity = quantity("psi_cpu", 10.0);
pub(super) const PRESSURE_MEMORY: Quantity = quantity("psi_memory", 10.0);
pub(super) const PRESSURE_IO: Quantity = quantity("psi_io", 10.0);
pub(super) const PROCESSES: Quantity = quantity("processes", 1.0);
pub(super) const DISK: Quantity = quantity("disk", 10.0);
pub(super) const INODES: Quantity = quantity("inodes", 10.0);
pub(super) const BUSY: Quantity = quantity("busy", 10.0);
pub(super) const TEMPERATURE: Quantity = quantity("temp", 10.0);
/// In steps of 10 revolutions, for the same reason.
pub(super) const FAN: Quantity = quantity("fan", 0.1);
pub(super) const BATTERY: Quantity = quantity("battery", 10.0);
pub(super) const SIGNAL: Quantity = quantity("signal", 1.0);
pub(super) const GPU: Quantity = quantity("gpu", 1.0);
pub(super) const CONTAINER_CPU: Quantity = quantity("container_cpu", 10.0);
/// Shown in bytes, kept in steps of 256 KiB: what is less goes up and down without end.
pub(super) const CONTAINER_MEMORY: Quantity = quantity("container_memory_bytes", 1.0 / 262_144.0);

/// Those whose numbers are multiplied.
const SCALED: [Quantity; 20] = [
    CPU,
    CPU_USER,
    CPU_SYSTEM,
    CPU_IOWAIT,
    CPU_STEAL,
    FREQUENCY,
    RAM,
    SWAP,
    LOAD,
    PRESSURE_CPU,
    PRESSURE_MEMORY,
    PRESSURE_IO,
    DISK,
    INODES,
    BUSY,
    TEMPERATURE,
    FAN,
    BATTERY,
    CONTAINER_CPU,
    CONTAINER_MEMORY,
];

/// By what the numbers of a series were multiplied.
pub(super) fn scale(stored: &str) -> f64 {
    let name = stored.split_once(':').map_or(stored, |(name, _)| name);
    SCALED
        .iter()
        .find(|it| it.name == name)
        .map_or(1.0, |it| it.scale)
}

/// The name under which a number of a sample is stored, before anybody writes it out: most
/// samples have those that the one before had.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name<'a> {
    pub(super) what: &'static str,
    pub(super) part: Option<&'a str>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_shown_under_another_name() {
        assert_eq!(shown("rx_bytes:eth0"), "rx:eth0");
        assert_eq!(shown("rx:eth0"), "rx:eth0");
        assert_eq!(stored_as("rx:eth0"), ["rx:eth0", "rx_bytes:eth0"]);
        assert_eq!(shown("written_bytes:sda"), "written:sda");
        assert_eq!(stored_as("cpu"), ["cpu"]);
        assert_eq!(
            (kind("rx_bytes:eth0"), kind("cpu")),
            (Kind::Counter, Kind::Gauge)
        );
    }
    #[test]
    fn the_scale_of_what_is_stored_never_changes() {
        let check = |stored: &str, expected: f64| {
            assert_eq!(scale(stored).to_bits(), expected.to_bits(), "{stored}");
        };
        for name in [
            "cpu",
            "ram",
            "swap",
            "disk:/srv",
            "temp:a",
            "psi_io",
            "busy:sda",
        ] {
            check(name, 10.0);
        }
        check("load1", 100.0);
        for name in ["rx_bytes:eth0", "processes", "signal:wlan0", "gpu:card0"] {
            check(name, 1.0);
        }
        check("freq", 0.1);
        check("fan:a", 0.1);
        check("container_memory_bytes:web", 1.0 / 262_144.0);
    }
}
