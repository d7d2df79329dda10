//! Which collectors are read, and how often: what the configuration says of them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use super::{COLLECTORS, Every, Wanted};
use crate::interval::LONGEST;

/// What the configuration says of each collector; nothing of most.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switches(BTreeMap<&'static str, Switch>);

/// What it says of one.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Switch {
    /// Whether to read it.
    pub(crate) enabled: Option<bool>,
    /// The least time between two readings.
    #[serde(rename = "interval_secs", deserialize_with = "interval_secs")]
    pub(crate) interval: Option<Duration>,
}

impl Switches {
    pub(super) fn of(&self, collector: &str) -> Switch {
        self.0.get(collector).copied().unwrap_or_default()
    }
}

fn interval_secs<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Duration>, D::Error> {
    let secs = u64::deserialize(value)
        .map_err(|error| D::Error::custom(format!("interval_secs: {error}")))?;
    let longest = LONGEST.as_secs();
    if !(1..=longest).contains(&secs) {
        let text = format!("interval_secs: {secs} is not allowed: from 1 to {longest}");
        return Err(D::Error::custom(text));
    }
    Ok(Some(Duration::from_secs(secs)))
}

impl<'de> Deserialize<'de> for Switches {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = BTreeMap::<String, Switch>::deserialize(deserializer)?;
        let mut switches = BTreeMap::new();
        for (name, switch) in given {
            let Some(source) = COLLECTORS.iter().find(|it| it.name == name) else {
                let names: Vec<&str> = COLLECTORS.iter().map(|it| it.name).collect();
                let names = names.join(", ");
                let text = format!("{name} is no collector here: there are {names}");
                return Err(D::Error::custom(text));
            };
            let fault = if source.wanted == Wanted::Always && switch.enabled == Some(false) {
                "cannot be switched off: a sample without it would be a lie"
            } else if source.every == Every::Sample && switch.interval.is_some() {
                "is read with each sample: it has no interval of its own"
            } else {
                switches.insert(source.name, switch);
                continue;
            };
            return Err(D::Error::custom(format!("{name} {fault}")));
        }
        Ok(Self(switches))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Switches, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_collector_that_is_not_there_or_must_not_be_off_is_named() {
        let refused = |text: &str, part: &str| {
            let error = parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        refused("[dsiks]\nenabled = false\n", "there are uptime, ");
        refused("[cpu]\nenabled = false\n", "cpu cannot be switched off");
        refused("[disks]\ninterval_secs = 0\n", "from 1 to 3600");
        refused("[network]\ninterval_secs = 5\n", "with each sample");
        refused("[disks]\ninterval = 5\n", "interval_secs");
    }

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        let switches = parse("[disks]\ninterval_secs = 60\n").unwrap();
        assert_eq!(switches.of("disks").interval, Some(Duration::from_mins(1)));
        assert_eq!(switches.of("disks").enabled, None);
        assert_eq!(switches.of("network").interval, None);
    }
}
