//! What the engine makes of what it hears.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use netmonitor_protocol::payload::{
    Alert, AlertAction, AlertCommand, AlertingSettings, EventKind, Metrics, Presence,
    PresenceCause, PresenceState, Severity,
};
use netmonitor_protocol::{DeviceId, Rule, RuleKind, Subject};

use super::conclude::{Found, event};
use super::engine::{
    CONFIRMED_WITHIN_MS, Engine, Finding, KNOWN_WITHIN_MS, Key, MAX_DEVICES, Output,
};
use super::life::{Acknowledged, Phase, Snoozed, Verdict};
use super::member::{Member, Watched};
use super::now::Now;
use super::reading::{is_by_sample, mounts, readings};

/// A sample that was taken longer ago says nothing about now.
const OLD_SAMPLE_MS: u64 = 30_000;

/// A disk that was in no sample for so long is not there any more.
const GONE_AFTER_MS: i64 = 5 * 60 * 1000;

/// How long an unexpected start is shown as an alert.
pub(super) const REBOOT_SHOWN_MS: i64 = 10 * 60 * 1000;

/// How long lost samples are shown as an alert after the last one.
pub(super) const LOSS_SHOWN_MS: i64 = 3600 * 1000;

/// The longest snooze.
const MAX_SNOOZE_SECS: u64 = 365 * 24 * 3600;

impl Engine {
    pub(super) fn connected(&mut self, now: Now) {
        self.connected = Some(now);
        self.may_tell = true;
        for watched in self
            .members
            .values_mut()
            .flat_map(|it| it.alerts.values_mut())
        {
            watched.is_confirmed = false;
        }
        self.wake(now.plus(CONFIRMED_WITHIN_MS).ms);
        self.wake(now.plus(KNOWN_WITHIN_MS).ms);
    }

    pub(super) fn settings(
        &mut self,
        settings: AlertingSettings,
        zone: TimeZone,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        self.zone = zone;
        self.settings = Some(settings);
        self.review_all(now, out);
    }

    /// The settings of everybody may have changed.
    pub(super) fn review_all(&mut self, now: Now, out: &mut Vec<Output>) {
        self.may_tell = true;
        let subjects: Vec<Subject> = self.members.keys().cloned().collect();
        for subject in subjects {
            self.review(&subject, now, out);
        }
    }

    /// The settings of a subject may have changed, or what was heard of it was not judged before.
    pub(super) fn review(&mut self, subject: &Subject, now: Now, out: &mut Vec<Output>) {
        if self.settings.is_none() {
            return;
        }
        self.look_at_presence(subject, now, out);
        self.look_at_services(subject, now, out);
        if *subject == Subject::Hub {
            for (kind, finding) in self.findings.clone() {
                self.hub(kind, finding, now, out);
            }
        }
        self.touch_all(subject, now, out);
        let seeds = self.seeds.keys().filter(|(of, _)| of == subject);
        let seeds: Vec<Key> = seeds.cloned().collect();
        for key in seeds {
            self.let_go_if_disabled(&key, now, out);
        }
    }

    /// What was retained of a rule that is not watched any more.
    fn let_go_if_disabled(&mut self, key: &Key, now: Now, out: &mut Vec<Output>) {
        let config = self.config(&key.0, key.1.kind());
        if self.is_settled && config.is_some_and(|it| !it.enabled) {
            self.remove(key, "disabled", now, out);
        }
    }

    pub(super) fn presence(
        &mut self,
        id: DeviceId,
        presence: &Presence,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(member) = self.meet(&id) else {
            return;
        };
        let before = member.presence.replace(presence.clone());
        let was = before.as_ref().map(|it| it.state);
        member.forget_waits(now);
        let is_back = presence.state == PresenceState::Online;
        if is_back && was != Some(PresenceState::Online) {
            member.came_back(now);
        }
        if is_back && was == Some(PresenceState::Offline) && member.is_missed() {
            member.back = Some(now);
        }
        if presence.state == PresenceState::Offline {
            member.went_away();
        }
        let was_known = before.is_some();
        let is_reboot = presence.cause == Some(PresenceCause::Reboot)
            && before.is_none_or(|it| it.cause != presence.cause || it.since != presence.since);
        let subject = Subject::Device(id);
        self.look_at_presence(&subject, now, out);
        // One that was told by an earlier run is no news, and one of long ago neither.
        let is_untold = self.remembers_all && now.since(now.past(presence.since)) < REBOOT_SHOWN_MS;
        if is_back && is_reboot && (was_known || is_untold) {
            self.happened(&subject, RuleKind::Reboot, REBOOT_SHOWN_MS, now, out);
        }
        self.look_at_services(&subject, now, out);
        self.touch_all(&subject, now, out);
        self.touch_behind(&subject, now, out);
        self.may_tell = true;
    }

    /// Whether somebody is told of what hangs behind a device depends on that device.
    fn touch_behind(&mut self, above: &Subject, now: Now, out: &mut Vec<Output>) {
        let hangs = |member: &Member| member.config.uplink.as_ref() == above.device();
        let behind = self
            .members
            .iter()
            .filter(|(_, it)| it.config.uplink.is_some() && hangs(it));
        let behind: Vec<Subject> = behind.map(|(subject, _)| subject.clone()).collect();
        for subject in behind {
            self.touch(&(subject, Rule::of(RuleKind::Offline)), now, out);
        }
    }

    fn look_at_presence(&mut self, subject: &Subject, now: Now, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(subject) else {
            return;
        };
        let Some(presence) = &member.presence else {
            return;
        };
        let began = Some(now.at(presence.since));
        let cause = presence.cause.map(|it| it.as_str().to_owned());
        let (offline, stale) = (member.offline(), member.stale());
        let is_planned = presence.state == PresenceState::Offline && offline == Verdict::Good;
        let detail = cause.filter(|_| offline == Verdict::Bad);
        if is_planned {
            self.end_as_planned(subject, now, out);
        }
        for (kind, verdict, detail) in [
            (RuleKind::Offline, offline, detail),
            (RuleKind::Stale, stale, None),
        ] {
            let found = Found {
                verdict,
                value: None,
                detail,
                began: began.filter(|_| verdict == Verdict::Bad),
            };
            self.found(subject, Rule::of(kind), found, now, out);
        }
        for kind in [RuleKind::Reboot, RuleKind::SamplesLost] {
            let found = Found::of(Verdict::Unclear);
            self.found(subject, Rule::of(kind), found, now, out);
        }
    }

    /// The device is not back: it is away on purpose.
    fn end_as_planned(&mut self, subject: &Subject, now: Now, out: &mut Vec<Output>) {
        let key = (subject.clone(), Rule::of(RuleKind::Offline));
        let Some(watched) = self.watched(&key.0, &key.1) else {
            return;
        };
        if watched.life.firing().is_some() {
            let step = watched.life.end(Some("planned"), now);
            self.stepped(&key, Some(step), Some("planned"), now, out);
            self.touch(&key, now, out);
        }
    }

    pub(super) fn sample(
        &mut self,
        id: &DeviceId,
        metrics: &Metrics,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let has_settings = self.settings.is_some();
        let Some(member) = self.meet(id) else {
            return;
        };
        member.booted = Some(boot_of(metrics, now));
        if !member.is_seen() || metrics.age_ms > OLD_SAMPLE_MS || !has_settings {
            return;
        }
        member.mounts = mounts(metrics);
        let subject = Subject::Device(id.clone());
        let off = self.is_clock_known().then(|| clock_off_secs(metrics, now));
        for (rule, value) in readings(metrics, off) {
            let found = self.compared(&subject, rule.kind(), value);
            self.found(&subject, rule.clone(), found, now, out);
            if let Some(watched) = self.watched(&subject, &rule) {
                watched.in_sample = now;
            }
            // A trend is asked for seldom, and there as long as its disk is.
            if rule.kind() == RuleKind::Disk
                && let Some(mount) = rule.target()
                && let Some(watched) =
                    self.watched(&subject, &Rule::about(RuleKind::DiskTrend, mount))
            {
                watched.in_sample = now;
            }
        }
        // What a collector that fails would tell is absent, and not gone.
        if metrics.failing.is_empty() {
            self.end_what_is_gone(&subject, now, out);
        } else if let Some(member) = self.members.get_mut(&subject) {
            for watched in member.alerts.values_mut() {
                watched.in_sample = now;
            }
        }
    }

    /// The hub's own clock is the measure, if it has one.
    fn is_clock_known(&self) -> bool {
        let hub = self.members.get(&Subject::Hub);
        let time = hub.and_then(|it| it.alerts.get(&Rule::of(RuleKind::Time)));
        time.is_none_or(|it| matches!(it.life.phase, Phase::Ok(_)))
    }

    fn compared(&self, subject: &Subject, kind: RuleKind, value: Option<f64>) -> Found {
        let config = self.config(subject, kind);
        let verdict = match (config, value) {
            (Some(config), Some(value)) if config.is_bad(kind, value) => Verdict::Bad,
            (Some(config), Some(value)) if config.is_good(kind, value) => Verdict::Good,
            (Some(_), Some(_)) => Verdict::Between,
            _ => Verdict::Unclear,
        };
        Found {
            value,
            ..Found::of(verdict)
        }
    }

    fn end_what_is_gone(&mut self, subject: &Subject, now: Now, out: &mut Vec<Output>) {
        let Some(member) = self.members.get(subject) else {
            return;
        };
        let is_gone = |rule: &Rule, watched: &Watched| {
            let kind = rule.kind();
            (is_by_sample(kind) || kind == RuleKind::DiskTrend)
                && now.since(watched.in_sample) > GONE_AFTER_MS.max(3 * member.interval_ms())
        };
        let gone = member.alerts.iter().filter(|it| is_gone(it.0, it.1));
        let gone: Vec<Rule> = gone.map(|(rule, _)| rule.clone()).collect();
        for rule in gone {
            self.remove(&(subject.clone(), rule), "gone", now, out);
        }
    }

    /// Something has happened that has no end: it is shown for a while.
    pub(super) fn happened(
        &mut self,
        subject: &Subject,
        kind: RuleKind,
        for_ms: i64,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let rule = Rule::of(kind);
        self.found(subject, rule.clone(), Found::of(Verdict::Bad), now, out);
        let until = now.plus(for_ms).ms;
        if let Some(watched) = self.watched(subject, &rule) {
            watched.over_at = Some(until);
            self.wake_for(subject, until);
        }
    }

    pub(super) fn trend(
        &mut self,
        id: DeviceId,
        mount: &str,
        days: Option<f64>,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let subject = Subject::Device(id);
        let is_seen = self.members.get(&subject).is_some_and(Member::is_seen);
        if !is_seen {
            return;
        }
        let kind = RuleKind::DiskTrend;
        // Not to be seen: it does not fill up.
        let found = days.map_or(Found::of(Verdict::Good), |days| {
            self.compared(&subject, kind, Some(days))
        });
        let rule = Rule::about(kind, mount);
        self.found(&subject, rule.clone(), found, now, out);
        if let Some(watched) = self.watched(&subject, &rule) {
            watched.in_sample = now;
        }
    }

    pub(super) fn hub(
        &mut self,
        kind: RuleKind,
        finding: Finding,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        self.findings.insert(kind, finding.clone());
        let found = match finding {
            Finding::Value(value) => self.compared(&Subject::Hub, kind, Some(value)),
            Finding::Bad(word) => Found {
                detail: Some(word),
                ..Found::of(Verdict::Bad)
            },
            Finding::Good => Found::of(Verdict::Good),
        };
        self.found(&Subject::Hub, Rule::of(kind), found, now, out);
    }

    pub(super) fn removed(&mut self, id: &DeviceId, now: Now, out: &mut Vec<Output>) {
        let subject = Subject::Device(id.clone());
        let Some(member) = self.members.get(&subject) else {
            return;
        };
        let rules: Vec<Rule> = member.alerts.keys().cloned().collect();
        for rule in rules {
            self.remove(&(subject.clone(), rule), "removed", now, out);
        }
        self.members.remove(&subject);
        let (gone, left) = std::mem::take(&mut self.seeds)
            .into_iter()
            .partition(|((of, _), _)| *of == subject);
        self.seeds = left;
        let gone: BTreeMap<Key, Alert> = gone;
        out.extend(gone.into_keys().map(|(of, rule)| Output::Clear(of, rule)));
    }

    pub(super) fn command(
        &mut self,
        key: &Key,
        command: AlertCommand,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let (subject, rule) = key;
        let Some(watched) = self.watched(subject, rule) else {
            return;
        };
        let Some(firing) = watched.life.firing_mut() else {
            return;
        };
        let AlertCommand { action, by } = command;
        let (kind, parameters) = match action {
            AlertAction::Ack { note } => {
                firing.snoozed = None;
                firing.acknowledged = Some(Acknowledged {
                    at: now,
                    by: by.clone(),
                    note: note.clone(),
                });
                let note = note.map(|note| ("note", note));
                (EventKind::AlertAcknowledged, note)
            }
            AlertAction::Unack => {
                firing.acknowledged = None;
                firing.snoozed = None;
                (EventKind::AlertUnacknowledged, None)
            }
            AlertAction::Snooze { for_secs } => {
                let for_secs = for_secs.clamp(1, MAX_SNOOZE_SECS);
                let ms = i64::try_from(for_secs * 1000).unwrap_or(i64::MAX);
                let until = now.plus(ms);
                firing.acknowledged = None;
                firing.snoozed = Some(Snoozed { at: now, until });
                let until = ("until", until.wall.to_string());
                (EventKind::AlertSnoozed, Some(until))
            }
        };
        let severity = Severity::Info;
        let mut event = event(key, kind, severity, now);
        event.actor = by;
        if let Some((name, text)) = parameters {
            event.parameters.insert(name.to_owned(), text);
        }
        out.push(Output::Log(event));
        self.may_tell = true;
        self.touch(key, now, out);
    }

    pub(super) fn retained(&mut self, key: &Key, alert: Alert, now: Now, out: &mut Vec<Output>) {
        let (subject, rule) = key;
        let Some(watched) = self.watched(subject, rule) else {
            // A broker that is not ours may have anything.
            if self.seeds.len() < MAX_DEVICES * 32 {
                self.seeds.insert(key.clone(), alert);
                self.let_go_if_disabled(key, now, out);
            }
            return;
        };
        if watched.is_confirmed {
            return;
        }
        watched.is_confirmed = true;
        watched.published = Some(alert);
        if self.settings.is_some() {
            self.touch(key, now, out);
        }
    }
}

/// When the device's machine was started, by the hub's clock.
pub(super) fn boot_of(metrics: &Metrics, now: Now) -> i64 {
    let uptime = i64::try_from(metrics.uptime_secs).unwrap_or(i64::MAX);
    now.ms.saturating_sub(uptime.saturating_mul(1000))
}

/// How far the device's clock is ahead of the hub's, in seconds.
fn clock_off_secs(metrics: &Metrics, now: Now) -> f64 {
    let taken = metrics.time.as_millisecond();
    let age = i64::try_from(metrics.age_ms).unwrap_or(i64::MAX);
    let off = taken
        .saturating_add(age)
        .saturating_sub(now.wall.as_millisecond());
    off as f64 / 1000.0
}
