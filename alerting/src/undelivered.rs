//! Whether devices do what they are told: an agent says in its inventory which settings it goes by.

use std::collections::BTreeMap;

use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{Info, Settings};

/// How far the interval that an agent tells may be from the one that was set: a rounded number is the
/// same.
const SAME: f64 = 0.01;

/// What was set, and what devices go by.
#[derive(Debug, Default)]
pub(crate) struct Undelivered {
    wanted: BTreeMap<DeviceId, Settings>,
    told: BTreeMap<DeviceId, Told>,
}

#[derive(Debug)]
struct Told {
    interval_secs: f64,
    /// None: it does not say.
    watched_services: Option<Vec<String>>,
}

impl Undelivered {
    /// What is set for a device; none: nothing any more.
    pub(crate) fn set(&mut self, id: &DeviceId, settings: Option<&Settings>) {
        match settings {
            Some(settings) => drop(self.wanted.insert(id.clone(), settings.clone())),
            None => drop(self.wanted.remove(id)),
        }
    }

    /// What a device goes by.
    pub(crate) fn hear(&mut self, id: &DeviceId, info: &Info) {
        let told = Told {
            interval_secs: info.interval_secs,
            watched_services: info.watched_services.clone(),
        };
        self.told.insert(id.clone(), told);
    }

    /// It is no device any more.
    pub(crate) fn forget(&mut self, id: &DeviceId) {
        self.wanted.remove(id);
        self.told.remove(id);
    }

    /// Whether a device goes by something else than what was set, as far as it has said.
    pub(crate) fn is_owed(&self, id: &DeviceId) -> bool {
        let (wanted, told) = (self.wanted.get(id), self.told.get(id));
        wanted
            .zip(told)
            .is_some_and(|(wanted, told)| !told.follows(wanted))
    }

    /// The first device that is there and does not do what it is told.
    pub(crate) fn first(&self, is_there: impl Fn(&DeviceId) -> bool) -> Option<&DeviceId> {
        let mut all = self.wanted.keys();
        all.find(|id| self.is_owed(id) && is_there(id))
    }
}

impl Told {
    fn follows(&self, wanted: &Settings) -> bool {
        let interval = wanted
            .interval_secs
            .is_none_or(|wanted| (wanted - self.interval_secs).abs() <= wanted.abs() * SAME);
        let services = match (&wanted.watched_services, &self.watched_services) {
            (Some(wanted), Some(told)) => {
                wanted.len() == told.len() && wanted.iter().all(|it| told.contains(it))
            }
            _ => true,
        };
        interval && services
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(interval_secs: f64, watched: Option<&[&str]>) -> Info {
        serde_json::from_value(serde_json::json!({
            "time": "2026-11-30T10:00:00Z", "name": "a", "host_name": "a", "os": "Linux",
            "architecture": "x86_64", "cores": 1, "memory_bytes": 1, "agent_version": "1",
            "interval_secs": interval_secs, "watched_services": watched,
        }))
        .unwrap()
    }

    #[test]
    fn a_device_that_is_there_and_goes_by_something_else_is_named() {
        let id: DeviceId = "a".parse().unwrap();
        let mut all = Undelivered::default();
        let settings = Settings {
            interval_secs: Some(10.0),
            watched_services: Some(vec!["x".to_owned(), "y".to_owned()]),
            ..Settings::default()
        };
        all.set(&id, Some(&settings));
        assert_eq!(all.first(|_| true), None, "it has not said anything");
        all.hear(&id, &info(3.0, Some(&["x", "y"])));
        assert_eq!(all.first(|_| true), Some(&id));
        assert_eq!(all.first(|_| false), None);
        all.hear(&id, &info(10.0, Some(&["y"])));
        assert_eq!(all.first(|_| true), Some(&id));
        all.hear(&id, &info(10.0, Some(&["y", "x"])));
        assert_eq!(all.first(|_| true), None);
        all.hear(&id, &info(10.0, None));
        assert_eq!(all.first(|_| true), None, "an older agent does not say");
        all.hear(&id, &info(3.0, None));
        all.set(&id, None);
        assert_eq!(all.first(|_| true), None);
    }
}
