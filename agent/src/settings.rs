//! What the hub wants of this agent.

use std::collections::BTreeSet;
use std::time::Duration;

use netmonitor_protocol::payload::{OFFLINE_TIMEOUT_SECS, Settings, keepalive_secs};

use crate::Config;
use crate::interval::{LONGEST, SHORTEST};

/// So many services can be watched: no machine has more that matter.
const WATCHED_AT_MOST: usize = 256;

/// What counts where the hub says nothing: what the configuration says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    /// Time between two samples.
    pub(crate) interval: Duration,
    /// Whether notifications are shown.
    pub(crate) notifications: bool,
    /// Names of the services to watch.
    pub(crate) watched: Vec<String>,
}

impl Defaults {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            interval: config.interval,
            notifications: config.notifications,
            watched: config.watched_services.clone().unwrap_or_default(),
        }
    }
}

/// What follows from the settings of the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Time between two samples.
    pub(crate) interval: Duration,
    /// How long the broker may hear nothing.
    pub(crate) keep_alive: Duration,
    /// Whether notifications are shown to the person at this machine.
    pub(crate) notifications: bool,
    /// Names of the services to watch, without `.service`, each once.
    pub(crate) watched: BTreeSet<String>,
}

impl Wanted {
    /// Reads the settings; `defaults` is what counts where the hub says nothing.
    pub(crate) fn from(settings: &Settings, defaults: &Defaults) -> Self {
        let timeout = settings
            .offline_timeout_secs
            .unwrap_or(OFFLINE_TIMEOUT_SECS);
        let watched = settings.watched_services.as_ref();
        let name = |name: &String| name.strip_suffix(".service").unwrap_or(name).to_owned();
        Self {
            interval: settings
                .interval_secs
                .map_or(defaults.interval, within_limits),
            keep_alive: Duration::from_secs(keepalive_secs(timeout).into()),
            notifications: settings.notifications.unwrap_or(defaults.notifications),
            watched: watched
                .unwrap_or(&defaults.watched)
                .iter()
                .take(WATCHED_AT_MOST)
                .map(name)
                .filter(|name| !name.is_empty())
                .collect(),
        }
    }
}

/// The nearest interval that is allowed: an agent that stops because of a setting could not be
/// told a better one.
fn within_limits(secs: f64) -> Duration {
    let wanted = if secs.is_nan() {
        0.0
    } else {
        secs.clamp(0.0, LONGEST.as_secs_f64())
    };
    let allowed = Duration::from_secs_f64(wanted).clamp(SHORTEST, LONGEST);
    if (allowed.as_secs_f64() - secs).abs() > 1e-6 || secs.is_nan() {
        tracing::warn!(
            wanted = secs,
            ?allowed,
            "the hub wants an interval outside the limits"
        );
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(interval_secs: Option<f64>, offline_timeout_secs: Option<u32>) -> (f64, u64) {
        let settings = Settings {
            interval_secs,
            offline_timeout_secs,
            ..Settings::default()
        };
        let defaults = Defaults {
            interval: Duration::from_secs(7),
            ..Defaults::default()
        };
        let wanted = Wanted::from(&settings, &defaults);
        (wanted.interval.as_secs_f64(), wanted.keep_alive.as_secs())
    }

    #[test]
    fn what_the_hub_does_not_say_stays_as_it_is() {
        assert_eq!(wanted(None, None), (7.0, 6));
        assert_eq!(wanted(Some(1.5), Some(30)), (1.5, 20));
    }

    #[test]
    fn the_hub_says_which_services_are_watched_and_else_the_machine_does() {
        let defaults = Defaults {
            interval: Duration::from_secs(3),
            notifications: true,
            watched: vec!["cron".to_owned()],
        };
        let wanted = |watched: Option<&[&str]>, notifications| {
            let settings = Settings {
                watched_services: watched
                    .map(|names| names.iter().map(|&name| name.to_owned()).collect()),
                notifications,
                ..Settings::default()
            };
            let wanted = Wanted::from(&settings, &defaults);
            let watched: Vec<String> = wanted.watched.into_iter().collect();
            (watched.join(" "), wanted.notifications)
        };
        assert_eq!(wanted(None, None), ("cron".to_owned(), true));
        assert_eq!(wanted(Some(&[]), Some(false)), (String::new(), false));
        let names = ["ssh.service", "nginx", "ssh", ""];
        assert_eq!(wanted(Some(&names), None).0, "nginx ssh");
    }

    #[test]
    fn what_is_outside_the_limits_becomes_the_nearest_that_is_not() {
        for (secs, expected) in [
            (0.0, 1.0),
            (-3.0, 1.0),
            (0.2, 1.0),
            (1e9, 3600.0),
            (f64::NAN, 1.0),
            (f64::INFINITY, 3600.0),
            (f64::NEG_INFINITY, 1.0),
        ] {
            assert_eq!(wanted(Some(secs), Some(0)), (expected, 5), "{secs}");
        }
    }
}
