//! What may be set of a rule. Whether its clear level fits a limit that is not set here only those
//! can say who know the defaults.

use std::ops::RangeInclusive;

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{RuleSettings, Rules, Severity};
use netmonitor_protocol::rule::Unit;

use super::words::within;

/// How long something can be bad before it is an alert, in seconds: up to a day.
const FOR_SECS: RangeInclusive<u32> = 0..=86_400;

/// Between which values a limit can be.
fn bounds(unit: Unit) -> RangeInclusive<f64> {
    match unit {
        Unit::Percent => 0.0..=100.0,
        Unit::Number => 0.0..=1000.0,
        Unit::Celsius => -50.0..=200.0,
        // More than any link of today carries.
        Unit::BytesPerSecond => 0.0..=1e12,
        Unit::Seconds => 0.0..=86_400.0,
        Unit::Days => 0.0..=365.0,
    }
}

/// Whether all of these can be set, of devices and of the hub, or of a device alone.
pub(in crate::hub) fn check(rules: &Rules, is_of_device: bool) -> Result<(), String> {
    for (kind, settings) in rules {
        if *kind == RuleKind::Unknown {
            return Err("there is no rule \"unknown\": GET /rules lists them".to_owned());
        }
        if is_of_device && kind.is_of_hub() {
            return Err(format!(
                "the rule {kind} is about the hub and not about a device: set it for all"
            ));
        }
        check_one(*kind, settings)?;
    }
    Ok(())
}

fn check_one(kind: RuleKind, settings: &RuleSettings) -> Result<(), String> {
    let levels = [("limit", settings.limit), ("clear", settings.clear)];
    for (name, value) in levels {
        let Some(value) = value else { continue };
        let Some(unit) = kind.unit() else {
            return Err(format!(
                "the rule {kind} compares nothing: it has no {name}"
            ));
        };
        within(&format!("{name} of {kind}"), value, bounds(unit))?;
    }
    if let Some(for_secs) = settings.for_secs {
        within(&format!("for_secs of {kind}"), for_secs, FOR_SECS)?;
    }
    if settings.severity == Some(Severity::Unknown) {
        return Err(format!(
            "severity of {kind} is unknown: give info, warning or critical"
        ));
    }
    match (settings.limit, settings.clear) {
        (Some(limit), Some(clear)) if kind.is_below() && clear < limit => Err(format!(
            "clear of {kind} is {clear}: give no less than its limit, which is {limit}"
        )),
        (Some(limit), Some(clear)) if !kind.is_below() && clear > limit => Err(format!(
            "clear of {kind} is {clear}: give no more than its limit, which is {limit}"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rule_cannot_have_is_refused_by_its_name() {
        let check = |kind, settings: RuleSettings, of_device, part: &str| {
            let rules = Rules::from([(kind, settings)]);
            let error = super::check(&rules, of_device).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        let set = RuleSettings::default;
        let limit = |limit| RuleSettings {
            limit: Some(limit),
            ..set()
        };
        check(
            RuleKind::Cpu,
            limit(101.0),
            true,
            "limit of cpu is 101: give 0 to 100",
        );
        check(RuleKind::Cpu, limit(f64::NAN), true, "limit of cpu is NaN");
        check(RuleKind::Offline, limit(1.0), true, "it has no limit");
        check(RuleKind::Storage, limit(80.0), true, "about the hub");
        check(RuleKind::Unknown, set(), false, "GET /rules lists them");
        let clear = |limit, clear| RuleSettings {
            limit: Some(limit),
            clear: Some(clear),
            ..set()
        };
        check(RuleKind::Ram, clear(80.0, 81.0), false, "no more than");
        check(RuleKind::DiskTrend, clear(3.0, 2.0), false, "no less than");
        let for_secs = RuleSettings {
            for_secs: Some(86_401),
            ..set()
        };
        check(RuleKind::Ram, for_secs, false, "for_secs of ram is 86401");
        let severity = RuleSettings {
            severity: Some(Severity::Unknown),
            ..set()
        };
        check(RuleKind::Ram, severity, false, "info, warning or critical");
    }

    #[test]
    fn what_a_rule_can_have_is_taken() {
        let settings = RuleSettings {
            enabled: Some(true),
            limit: Some(80.0),
            clear: Some(80.0),
            for_secs: Some(0),
            severity: Some(Severity::Info),
        };
        let rules = Rules::from([(RuleKind::Cpu, settings), (RuleKind::Storage, settings)]);
        assert_eq!(check(&rules, false), Ok(()));
    }
}
