//! Rules: what is watched, and from where on it is an alert.

use std::collections::HashMap;

use netmonitor_protocol::RuleKind;
use netmonitor_protocol::payload::{RuleSettings, Rules};
use netmonitor_protocol::rule::Unit;
use netmonitor_rules::alert::{RuleConfig, default_config, effective};
use netmonitor_store::hub::SettingsError;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};

use super::Severity;

/// The unit of what a rule compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum RuleUnit {
    /// Percent.
    Percent,
    /// A number without a unit.
    Number,
    /// Degrees Celsius.
    Celsius,
    /// Bytes a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
}

/// What a device may have several of, each with an alert of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum RuleTarget {
    /// Disks.
    Disk,
    /// Watched services.
    Service,
}

/// A rule as it is in force.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct RuleValues {
    /// Whether it is watched at all.
    pub enabled: bool,
    /// Beyond this it is bad, in the unit of the rule. Absent if the rule compares nothing.
    #[oai(skip_serializing_if_is_none)]
    pub limit: Option<f64>,
    /// At this it is good again, in the unit of the rule. Between the two it stays what it is.
    #[oai(skip_serializing_if_is_none)]
    pub clear: Option<f64>,
    /// How long it must be bad before it fires, in seconds.
    pub for_secs: u32,
    /// How much it matters.
    pub severity: Severity,
}

/// What is set of a rule; what is absent follows what holds otherwise.
#[derive(Debug, Clone, Default, PartialEq, Object)]
pub struct RuleOverrides {
    /// Whether it is watched at all.
    #[oai(skip_serializing_if_is_none)]
    pub enabled: Option<bool>,
    /// Beyond this it is bad, in the unit of the rule.
    #[oai(skip_serializing_if_is_none)]
    pub limit: Option<f64>,
    /// At this it is good again, in the unit of the rule.
    #[oai(skip_serializing_if_is_none)]
    pub clear: Option<f64>,
    /// How long it must be bad before it fires, in seconds.
    #[oai(skip_serializing_if_is_none)]
    pub for_secs: Option<u32>,
    /// How much it matters.
    #[oai(skip_serializing_if_is_none)]
    pub severity: Option<Severity>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct RuleEntry {
    /// Its name, e.g. `cpu`.
    pub rule: String,
    /// The unit of limit and clear level. Absent if the rule compares nothing.
    #[oai(skip_serializing_if_is_none)]
    pub unit: Option<RuleUnit>,
    /// Whether what is below the limit is bad, and not what is above it.
    pub below: bool,
    /// Whether it is about the hub itself.
    pub of_hub: bool,
    /// What there is an alert for each of.
    #[oai(skip_serializing_if_is_none)]
    pub per: Option<RuleTarget>,
    /// What holds if nothing is set here: the defaults; of a device what holds for all.
    pub default: RuleValues,
    /// What is set here.
    pub set: RuleOverrides,
    /// What is in force.
    pub effective: RuleValues,
}

/// A list of rules.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct RulePage {
    /// In the order in which they are shown.
    pub items: Vec<RuleEntry>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
    /// Counts the changes of these settings.
    pub revision: u64,
}

/// What shall be different of a rule. What is absent stays as it is; null takes back what is set.
#[derive(Debug, Clone, Default, PartialEq, Object)]
#[oai(deny_unknown_fields)]
pub struct RuleChange {
    /// Whether it is watched at all.
    pub enabled: MaybeUndefined<bool>,
    /// Beyond this it is bad, in the unit of the rule.
    pub limit: MaybeUndefined<f64>,
    /// At this it is good again, in the unit of the rule; not beyond the limit. If it is not set, it
    /// follows the limit.
    pub clear: MaybeUndefined<f64>,
    /// How long it must be bad before it fires, in seconds: 0 to 86400.
    pub for_secs: MaybeUndefined<u32>,
    /// How much it matters.
    pub severity: MaybeUndefined<Severity>,
}

/// What shall be different of the rules.
#[derive(Debug, Clone, PartialEq, Object)]
#[oai(deny_unknown_fields)]
pub struct RulesChange {
    /// By the names of rules. What is absent stays as it is; null takes back all that is set of a
    /// rule.
    pub rules: HashMap<String, Option<RuleChange>>,
}

impl RulePage {
    /// The rules of all devices and of the hub.
    pub fn of_fleet(rules: &Rules, revision: u64) -> Self {
        let none = Rules::new();
        let entry = |kind| RuleEntry::new(kind, default_config(kind), (rules, &none), rules);
        Self::new(RuleKind::ALL.into_iter().map(entry), revision)
    }

    /// The rules of one device.
    pub fn of_device(fleet: &Rules, own: &Rules, revision: u64) -> Self {
        let kinds = RuleKind::ALL.into_iter().filter(|kind| !kind.is_of_hub());
        let entry = |kind| RuleEntry::new(kind, effective(kind, fleet, None), (fleet, own), own);
        Self::new(kinds.map(entry), revision)
    }

    fn new(items: impl Iterator<Item = RuleEntry>, revision: u64) -> Self {
        Self {
            items: items.collect(),
            next: None,
            revision,
        }
    }
}

impl RuleEntry {
    fn new(
        kind: RuleKind,
        default: RuleConfig,
        (fleet, own): (&Rules, &Rules),
        set: &Rules,
    ) -> Self {
        Self {
            rule: kind.to_string(),
            unit: kind.unit().map(Into::into),
            below: kind.is_below(),
            of_hub: kind.is_of_hub(),
            per: match kind {
                RuleKind::Service => Some(RuleTarget::Service),
                kind => kind.has_target().then_some(RuleTarget::Disk),
            },
            default: default.into(),
            set: set.get(&kind).copied().unwrap_or_default().into(),
            effective: effective(kind, fleet, Some(own)).into(),
        }
    }
}

impl RulesChange {
    /// Makes the change.
    pub fn apply(self, rules: &mut Rules) -> Result<(), SettingsError> {
        for (name, change) in self.rules {
            let kind = kind(&name)?;
            let mut settings = rules.remove(&kind).unwrap_or_default();
            match change {
                Some(change) => change.apply(&mut settings),
                None => settings = RuleSettings::default(),
            }
            if settings != RuleSettings::default() {
                rules.insert(kind, settings);
            }
        }
        Ok(())
    }
}

/// The rule of this name.
pub(crate) fn kind(name: &str) -> Result<RuleKind, SettingsError> {
    name.parse().map_err(|_| {
        let text = format!("there is no rule {name:?}: GET /rules lists them");
        SettingsError::Value(text)
    })
}

impl RuleChange {
    /// Makes the change.
    pub fn apply(self, settings: &mut RuleSettings) {
        self.enabled.update_to(&mut settings.enabled);
        self.limit.update_to(&mut settings.limit);
        self.clear.update_to(&mut settings.clear);
        self.for_secs.update_to(&mut settings.for_secs);
        let mut severity = settings.severity.map(Severity::from);
        self.severity.update_to(&mut severity);
        settings.severity = severity.map(Into::into);
    }
}

impl From<RuleConfig> for RuleValues {
    fn from(config: RuleConfig) -> Self {
        Self {
            enabled: config.enabled,
            limit: config.limit,
            clear: config.clear,
            for_secs: config.for_secs,
            severity: config.severity.into(),
        }
    }
}

impl From<RuleSettings> for RuleOverrides {
    fn from(settings: RuleSettings) -> Self {
        Self {
            enabled: settings.enabled,
            limit: settings.limit,
            clear: settings.clear,
            for_secs: settings.for_secs,
            severity: settings.severity.map(Into::into),
        }
    }
}

impl From<Unit> for RuleUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Percent => Self::Percent,
            Unit::Number => Self::Number,
            Unit::Celsius => Self::Celsius,
            Unit::BytesPerSecond => Self::BytesPerSecond,
            Unit::Seconds => Self::Seconds,
            Unit::Days => Self::Days,
        }
    }
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON as _;
    use serde_json::json;

    use super::*;

    fn change(json: serde_json::Value, rules: &mut Rules) -> Result<(), SettingsError> {
        RulesChange::parse_from_json(Some(json))
            .map_err(poem_openapi::types::ParseError::into_message)
            .expect("it can be read")
            .apply(rules)
    }

    #[test]
    fn what_is_named_is_set_and_null_takes_it_back() {
        let mut rules = Rules::new();
        let first = json!({"rules": {"cpu": {"limit": 80.0, "for_secs": 5}, "ram": {}}});
        change(first, &mut rules).unwrap();
        let set = rules[&RuleKind::Cpu];
        assert_eq!((set.limit, set.for_secs), (Some(80.0), Some(5)));
        assert_eq!(rules.len(), 1);
        change(json!({"rules": {"cpu": {"limit": null}}}), &mut rules).unwrap();
        let set = rules[&RuleKind::Cpu];
        assert_eq!((set.limit, set.for_secs), (None, Some(5)));
        change(json!({"rules": {"cpu": null}}), &mut rules).unwrap();
        assert_eq!(rules, Rules::new());
        let unknown = change(json!({"rules": {"colour": null}}), &mut rules).unwrap_err();
        assert!(unknown.to_string().contains("no rule \"colour\""));
    }

    #[test]
    fn a_device_shows_what_holds_for_all_and_what_is_its_own() {
        let limit = |limit| RuleSettings {
            limit: Some(limit),
            ..RuleSettings::default()
        };
        let fleet = Rules::from([(RuleKind::Cpu, limit(70.0))]);
        let own = Rules::from([(RuleKind::Cpu, limit(50.0))]);
        let find = |page: &RulePage| {
            let cpu = page.items.iter().find(|it| it.rule == "cpu").unwrap();
            (cpu.default.limit, cpu.set.limit, cpu.effective.limit)
        };
        let all = RulePage::of_fleet(&fleet, 1);
        assert_eq!(all.items.len(), RuleKind::ALL.len());
        assert_eq!(find(&all), (Some(90.0), Some(70.0), Some(70.0)));
        let device = RulePage::of_device(&fleet, &own, 2);
        assert!(device.items.iter().all(|it| !it.of_hub));
        assert_eq!(find(&device), (Some(70.0), Some(50.0), Some(50.0)));
    }
}
