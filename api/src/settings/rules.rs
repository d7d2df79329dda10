//! What holds for a device, and whether a change of rules fits it.

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{AlertingSettings, Rules};
use netmonitor_rules::Limits;
use netmonitor_rules::alert::{RuleConfig, effective};
use netmonitor_store::hub::SettingsError;

/// Above this, in percent, nothing can be.
const NEVER: f64 = 100.0;

/// Refuses clear levels beyond the limit that is in force, which may come from elsewhere.
/// `device`: the rules of one device; none: these are those of all.
pub(crate) fn check(fleet: &Rules, device: Option<&Rules>) -> Result<(), SettingsError> {
    for (kind, set) in device.unwrap_or(fleet) {
        let config = effective(*kind, fleet, device);
        // One beyond the limit would be taken for the limit.
        if let (Some(clear), Some(limit)) = (set.clear, config.limit)
            && config.clear != Some(clear)
        {
            let word = if kind.is_below() { "less" } else { "more" };
            return Err(SettingsError::Value(format!(
                "clear of {kind} is {clear}: give no {word} than its limit, which is {limit}"
            )));
        }
    }
    Ok(())
}

/// Above which numbers a device is shown to be in trouble.
pub(crate) fn limits(rules: &Rules, fleet: &AlertingSettings) -> Limits {
    let limit = |kind: RuleKind| {
        let config: RuleConfig = effective(kind, &fleet.rules, Some(rules));
        config.limit.filter(|_| config.enabled).unwrap_or(NEVER)
    };
    Limits {
        cpu_percent: limit(RuleKind::Cpu),
        ram_percent: limit(RuleKind::Ram),
        disk_percent: limit(RuleKind::Disk),
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::RuleSettings;

    use super::*;

    fn rules(kind: RuleKind, limit: Option<f64>, clear: Option<f64>) -> Rules {
        let set = RuleSettings {
            limit,
            clear,
            ..RuleSettings::default()
        };
        Rules::from([(kind, set)])
    }

    #[test]
    fn a_clear_level_is_compared_with_the_limit_that_is_in_force() {
        let refused = |fleet: &Rules, device: Option<&Rules>| {
            let error = check(fleet, device).unwrap_err();
            assert!(error.to_string().contains("than its limit"), "{error}");
        };
        refused(&rules(RuleKind::Cpu, None, Some(91.0)), None);
        refused(&rules(RuleKind::DiskTrend, None, Some(2.0)), None);
        check(&rules(RuleKind::Cpu, None, Some(90.0)), None).unwrap();
        let fleet = rules(RuleKind::Cpu, Some(50.0), None);
        let own = rules(RuleKind::Cpu, None, Some(60.0));
        refused(&fleet, Some(&own));
        check(&Rules::new(), Some(&own)).unwrap();
    }

    #[test]
    fn a_rule_that_is_off_shows_no_trouble() {
        let off = RuleSettings {
            enabled: Some(false),
            ..RuleSettings::default()
        };
        let own = Rules::from([(RuleKind::Ram, off)]);
        let limits = limits(&own, &AlertingSettings::default());
        assert_eq!((limits.cpu_percent, limits.ram_percent), (90.0, NEVER));
    }
}
