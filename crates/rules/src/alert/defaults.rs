//! What holds where an admin has set nothing, and what holds where they have.

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{OFFLINE_TIMEOUT_SECS, RuleSettings, Rules, Severity};

/// One rule as it is in force.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RuleConfig {
    /// Whether it is watched.
    pub enabled: bool,
    /// Beyond this it is bad. None: the rule compares nothing.
    pub limit: Option<f64>,
    /// At this it is good again.
    pub clear: Option<f64>,
    /// How long it must be bad before it fires, in seconds.
    pub for_secs: u32,
    /// How much it matters.
    pub severity: Severity,
}

impl RuleConfig {
    /// [`for_secs`](Self::for_secs) in milliseconds.
    pub(super) fn for_ms(&self) -> i64 {
        i64::from(self.for_secs) * 1000
    }

    /// Whether the value is beyond the limit. At the limit it is not.
    pub fn is_bad(&self, kind: RuleKind, value: f64) -> bool {
        self.limit
            .is_some_and(|limit| is_beyond(kind, value, limit))
    }

    /// Whether the value is good enough for an alert to end.
    pub fn is_good(&self, kind: RuleKind, value: f64) -> bool {
        self.clear
            .or(self.limit)
            .is_none_or(|clear| !is_beyond(kind, value, clear))
    }
}

fn is_beyond(kind: RuleKind, value: f64, limit: f64) -> bool {
    if kind.is_below() {
        value < limit
    } else {
        value > limit
    }
}

/// The rule as it is without any settings.
pub fn default_config(kind: RuleKind) -> RuleConfig {
    use RuleKind as K;
    use Severity::{Critical, Info, Warning};
    let config = |enabled, limit: Option<f64>, for_secs, severity| RuleConfig {
        enabled,
        limit,
        clear: limit.map(|limit| default_clear(kind, limit)),
        for_secs,
        severity,
    };
    match kind {
        K::Offline => config(true, None, OFFLINE_TIMEOUT_SECS, Critical),
        K::Stale => config(true, None, 60, Warning),
        K::Reboot | K::SamplesLost => config(true, None, 0, Warning),
        K::Cpu => config(true, Some(90.0), 300, Warning),
        K::Ram => config(true, Some(90.0), 120, Warning),
        // Swap that is full and not used is nothing to worry about.
        K::Swap => config(false, Some(80.0), 300, Warning),
        K::Disk | K::Inodes | K::Storage => config(true, Some(90.0), 60, Critical),
        K::DiskTrend => config(true, Some(3.0), 0, Warning),
        K::Load => config(false, Some(2.0), 600, Warning),
        // Below this all but a few processors slow down by themselves.
        K::Temperature => config(true, Some(95.0), 300, Warning),
        // As much as a link of 1 Gbit/s nearly carries.
        K::Network => config(false, Some(100_000_000.0), 300, Info),
        K::Clock => config(true, Some(60.0), 300, Warning),
        K::Service => config(true, None, 5, Critical),
        K::Database => config(true, None, 30, Critical),
        K::Ingest => config(true, None, 60, Critical),
        K::Time => config(true, None, 300, Warning),
        K::Settings => config(true, None, 300, Info),
        K::Unknown => config(false, None, 0, Info),
    }
}

/// Where it is good again, for a limit: far enough that a value that trembles stays on one side.
fn default_clear(kind: RuleKind, limit: f64) -> f64 {
    match kind {
        RuleKind::Load | RuleKind::Network => limit * 0.9,
        RuleKind::Clock => limit / 2.0,
        RuleKind::DiskTrend => limit + 1.0,
        _ => (limit - 5.0).max(limit * 0.5),
    }
}

/// The rule with what is set for all devices, and above that for this one.
pub fn effective(kind: RuleKind, fleet: &Rules, device: Option<&Rules>) -> RuleConfig {
    let own = device.and_then(|rules| rules.get(&kind));
    let all = fleet.get(&kind);
    [all, own]
        .into_iter()
        .flatten()
        .fold(default_config(kind), |config, it| with(kind, config, *it))
}

fn with(kind: RuleKind, before: RuleConfig, set: RuleSettings) -> RuleConfig {
    // A rule without a limit does not get one.
    let limit = before.limit.map(|limit| set.limit.unwrap_or(limit));
    let clear = match (set.clear, set.limit) {
        (Some(clear), _) => Some(clear),
        // Another limit, and nothing said of where it is good again.
        (None, Some(limit)) => Some(default_clear(kind, limit)),
        (None, None) => before.clear,
    };
    RuleConfig {
        enabled: set.enabled.unwrap_or(before.enabled),
        limit,
        // Beyond the limit it cannot be good.
        clear: limit.map(|limit| match clear {
            Some(clear) if !is_beyond(kind, clear, limit) => clear,
            _ => limit,
        }),
        for_secs: set.for_secs.unwrap_or(before.for_secs),
        severity: set.severity.unwrap_or(before.severity),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(limit: f64) -> RuleSettings {
        RuleSettings {
            limit: Some(limit),
            ..RuleSettings::default()
        }
    }

    #[test]
    fn processor_memory_and_disks_are_watched_at_90_percent() {
        for kind in [RuleKind::Cpu, RuleKind::Ram, RuleKind::Disk] {
            let config = default_config(kind);
            assert!(config.enabled && config.limit == Some(90.0), "{kind}");
            assert!(!config.is_bad(kind, 90.0) && config.is_bad(kind, 90.1));
            assert!(!config.is_good(kind, 85.1) && config.is_good(kind, 85.0));
        }
    }

    #[test]
    fn few_days_are_bad_and_many_good() {
        let config = default_config(RuleKind::DiskTrend);
        assert!(config.is_bad(RuleKind::DiskTrend, 2.9));
        assert!(!config.is_bad(RuleKind::DiskTrend, 3.0));
        assert!(!config.is_good(RuleKind::DiskTrend, 3.9));
        assert!(config.is_good(RuleKind::DiskTrend, 4.0));
    }

    #[test]
    fn what_is_set_for_a_device_goes_above_what_is_set_for_all() {
        let fleet = Rules::from([(RuleKind::Cpu, limit(50.0))]);
        let own = Rules::from([(
            RuleKind::Cpu,
            RuleSettings {
                for_secs: Some(7),
                ..RuleSettings::default()
            },
        )]);
        let config = effective(RuleKind::Cpu, &fleet, Some(&own));
        assert_eq!((config.limit, config.for_secs), (Some(50.0), 7));
        // The clear level follows the limit.
        assert_eq!(config.clear, Some(45.0));
        assert_eq!(
            effective(RuleKind::Ram, &fleet, None),
            default_config(RuleKind::Ram)
        );
    }

    #[test]
    fn a_clear_level_beyond_the_limit_is_the_limit() {
        let set = RuleSettings {
            clear: Some(99.0),
            ..limit(80.0)
        };
        let rules = Rules::from([(RuleKind::Cpu, set)]);
        assert_eq!(effective(RuleKind::Cpu, &rules, None).clear, Some(80.0));
        let rules = Rules::from([(RuleKind::Offline, limit(80.0))]);
        let config = effective(RuleKind::Offline, &rules, None);
        assert_eq!((config.limit, config.clear), (None, None));
    }
}
