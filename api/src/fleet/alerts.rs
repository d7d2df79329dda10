//! The alerts that are published now.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use netmonitor_protocol::payload::{Alert, AlertState};
use netmonitor_protocol::{DeviceId, Rule, Subject};

use crate::types::{self, Live, LiveAlert};

/// Every rule that is watched, with what is concluded of it.
#[derive(Debug, Default)]
pub(super) struct Alerts {
    all: BTreeMap<Subject, BTreeMap<Rule, Alert>>,
}

impl Alerts {
    /// The state of one rule was said.
    pub(super) fn said(&mut self, subject: Subject, rule: Rule, alert: Alert) -> Vec<Live> {
        let shown = types::Alert::new(&subject, &rule, &alert);
        let of_subject = self.all.entry(subject).or_default();
        let before = of_subject.insert(rule, alert.clone());
        if before == Some(alert) {
            return Vec::new();
        }
        vec![said(shown)]
    }

    /// A rule is not watched any more.
    pub(super) fn cleared(&mut self, subject: &Subject, rule: &Rule) -> Vec<Live> {
        let of_subject = self.all.get_mut(subject);
        let removed = of_subject.and_then(|rules| rules.remove(rule));
        removed.map(|_| gone(subject, rule)).into_iter().collect()
    }

    /// A device is none any more.
    pub(super) fn forget(&mut self, device: &DeviceId) {
        self.all.remove(&Subject::from(device.clone()));
    }

    /// Nothing is certain any more.
    pub(super) fn lose_sight(&mut self) -> Vec<Live> {
        let all = std::mem::take(&mut self.all);
        let shown = each(&all).filter(|(_, _, alert)| is_shown(alert));
        shown
            .map(|(subject, rule, _)| gone(subject, rule))
            .collect()
    }

    /// One of them.
    pub(super) fn get(&self, subject: &Subject, rule: &Rule) -> Option<&Alert> {
        self.all.get(subject)?.get(rule)
    }

    /// Those of a device that somebody may have to look at.
    pub(super) fn of_device(&self, device: &DeviceId) -> Vec<types::Alert> {
        let subject = Subject::from(device.clone());
        let own = self.all.get(&subject).into_iter().flatten();
        let own = own.map(|(rule, alert)| (&subject, rule, alert));
        sorted(own.filter(|(_, _, alert)| is_shown(alert)))
    }

    /// All of them.
    pub(super) fn all(&self) -> Vec<types::Alert> {
        sorted(each(&self.all))
    }

    /// Those that somebody may have to look at, as if they had just been said.
    pub(super) fn snapshot(&self) -> Vec<Live> {
        let shown = each(&self.all).filter(|(_, _, alert)| is_shown(alert));
        sorted(shown).into_iter().map(said).collect()
    }
}

type One<'a> = (&'a Subject, &'a Rule, &'a Alert);

fn each(all: &BTreeMap<Subject, BTreeMap<Rule, Alert>>) -> impl Iterator<Item = One<'_>> {
    let subjects = all.iter();
    subjects.flat_map(|(subject, rules)| {
        rules
            .iter()
            .map(move |(rule, alert)| (subject, rule, alert))
    })
}

fn said(alert: types::Alert) -> Live {
    Live::Alert(LiveAlert {
        device: alert.device.clone(),
        rule: alert.rule.clone(),
        alert: Some(alert),
    })
}

fn gone(subject: &Subject, rule: &Rule) -> Live {
    Live::Alert(LiveAlert {
        device: subject.to_string(),
        rule: rule.to_string(),
        alert: None,
    })
}

/// Whether there is, or was when it was seen last, something wrong.
fn is_shown(alert: &Alert) -> bool {
    match alert.state {
        AlertState::Ok => false,
        AlertState::Unknown => alert.firing_since.is_some(),
        _ => true,
    }
}

/// Those that fire first, of those the ones that matter most, then the newest.
fn sorted<'a>(alerts: impl Iterator<Item = One<'a>>) -> Vec<types::Alert> {
    let mut alerts: Vec<One<'a>> = alerts.collect();
    alerts.sort_by_key(|(subject, rule, alert)| {
        let place = match alert.state {
            AlertState::Firing => 0,
            AlertState::Acknowledged => 1,
            AlertState::Snoozed => 2,
            AlertState::Pending => 3,
            AlertState::Unknown => 4,
            AlertState::Ok => 5,
        };
        let newest_first = Reverse(alert.since);
        (
            place,
            Reverse(alert.severity),
            newest_first,
            *subject,
            *rule,
        )
    });
    let shown = alerts.into_iter();
    shown
        .map(|(subject, rule, alert)| types::Alert::new(subject, rule, alert))
        .collect()
}
