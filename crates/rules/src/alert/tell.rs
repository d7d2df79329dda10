//! Who is to be told of what, and when: one message for what belongs together.

use std::collections::BTreeMap;

use netmonitor_protocol::payload::{Muted, Severity};
use netmonitor_protocol::{DeviceId, RuleKind, Subject};

use super::engine::{CONFIRMED_WITHIN_MS, Engine, Key, Output};
use super::life::{LastTold, Verdict};
use super::maintenance;
use super::member::Member;
use super::notice::{Notice, NoticeKind, Told};
use super::now::Now;
use super::shown::rounded;

/// So long a message about devices that are gone waits for others that are gone as well and have not
/// fired yet, in milliseconds.
const GATHER_MS: i64 = 15_000;

/// So long a message that a device is back waits for others, after each, in milliseconds, ...
const BACK_MS: i64 = 5_000;

/// ... and in all.
const BACK_MAX_MS: i64 = 30_000;

/// How often it is looked whether what is muted may be told, in milliseconds.
pub(super) const MUTED_AGAIN_MS: i64 = 30_000;

const HOUR_MS: i64 = 3600 * 1000;

impl Engine {
    /// Why nobody is told of the alert, though it fires.
    pub(super) fn muted(&self, key: &Key, now: Now) -> Option<Muted> {
        let (subject, rule) = key;
        let member = self.members.get(subject)?;
        member.alerts.get(rule)?.life.firing()?;
        if self.is_in_maintenance(subject, member, now) {
            return Some(Muted::Maintenance);
        }
        if rule.kind() != RuleKind::Offline {
            return None;
        }
        self.behind(subject, member, now).map(Muted::Behind)
    }

    fn is_in_maintenance(&self, subject: &Subject, member: &Member, now: Now) -> bool {
        self.settings.as_ref().is_some_and(|settings| {
            let (windows, groups) = (&settings.maintenance, &member.config.groups);
            maintenance::is_open(windows, subject, groups, now.wall, &self.zone)
        })
    }

    /// When a maintenance window opens or ends, in milliseconds.
    pub(super) fn maintenance_changes(&self, subject: &Subject, now: Now) -> Option<i64> {
        let windows = &self.settings.as_ref()?.maintenance;
        let groups = &self.members.get(subject)?.config.groups;
        let next = maintenance::next_change(windows, subject, groups, now.wall, &self.zone);
        next.map(|at| now.at(at).ms)
    }

    pub(super) fn offline_for_ms(&self, id: &DeviceId) -> i64 {
        let subject = Subject::Device(id.clone());
        let config = self.config(&subject, RuleKind::Offline);
        config.map_or(0, |it| it.for_ms())
    }

    /// When somebody is to be told again, in milliseconds.
    pub(super) fn reminds_at(&self, key: &Key) -> Option<i64> {
        let hours = self.settings.as_ref()?.repeat_hours;
        let (subject, rule) = key;
        let firing = self.members.get(subject)?.alerts.get(rule)?.life.firing()?;
        let told = firing.told.filter(|_| firing.acknowledged.is_none())?;
        let snoozed = firing.snoozed.filter(|it| it.at.ms >= told.at.ms);
        // The end of a snooze is a reminder of its own.
        if let Some(snoozed) = snoozed {
            return Some(snoozed.until.ms);
        }
        let is_only_a_moment = matches!(rule.kind(), RuleKind::Reboot | RuleKind::SamplesLost);
        if hours == 0 || is_only_a_moment {
            return None;
        }
        Some(told.at.plus(i64::from(hours) * HOUR_MS).ms)
    }

    /// Whether somebody is to be told again now.
    pub(super) fn is_reminder_due(&self, key: &Key, now: Now) -> bool {
        let is_due = self.reminds_at(key).is_some_and(|at| at <= now.ms);
        is_due && self.may_be_told(key, now)
    }

    /// Whether anything stands against telling of this alert.
    pub(super) fn may_be_told(&self, key: &Key, now: Now) -> bool {
        let (subject, rule) = key;
        let Some(member) = self.members.get(subject) else {
            return false;
        };
        let firing = member.alerts.get(rule).and_then(|it| it.life.firing());
        let is_open = firing.is_some_and(|it| it.acknowledged.is_none() && !it.sleeps(now));
        let is_seen = member.is_known(subject) && member.blind_since(rule.kind()).is_none();
        is_open && is_seen && self.muted(key, now).is_none()
    }

    /// Tells what is to be told now.
    pub(super) fn tell(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.settings.is_none() || !self.is_settled {
            return;
        }
        self.tell_ends(now, out);
        if std::mem::take(&mut self.may_tell) {
            self.tell_beginnings(now, out);
        }
        self.tell_again(now, out);
    }

    fn tell_beginnings(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.untold.is_empty() {
            self.gathering = None;
            return;
        }
        let ready = self.untold.iter().filter(|key| self.may_be_told(key, now));
        let (gone, others): (Vec<Key>, Vec<Key>) = ready
            .cloned()
            .partition(|(_, rule)| rule.kind() == RuleKind::Offline);
        for keys in by_subject(others) {
            self.say(NoticeKind::Firing, &keys, now, out);
        }
        if gone.is_empty() {
            self.gathering = None;
        } else if let Some(until) = self.not_known_before(now) {
            self.wake(until);
        } else if let Some(until) = self.more_are_to_come(now) {
            self.wake(until);
        } else {
            self.gathering = None;
            self.say(NoticeKind::Firing, &gone, now, out);
        }
        if !self.untold.is_empty() {
            self.wake(now.plus(MUTED_AGAIN_MS).ms);
        }
    }

    /// Until when it is not known yet who else is gone: the connection is new.
    fn not_known_before(&self, now: Now) -> Option<i64> {
        let known = self.connected?.plus(CONFIRMED_WITHIN_MS).ms;
        (now.ms < known).then_some(known)
    }

    /// Whether other devices are gone as well, and fire soon. Until when to wait for them.
    fn more_are_to_come(&mut self, now: Now) -> Option<i64> {
        let since = *self.gathering.get_or_insert(now);
        let last = since.plus(GATHER_MS).ms;
        if now.ms >= last {
            return None;
        }
        let rule = netmonitor_protocol::Rule::of(RuleKind::Offline);
        let fires = |(subject, member): (&Subject, &Member)| {
            let watched = member.alerts.get(&rule)?;
            let since = watched.life.pending_since()?;
            let is_told = watched.standing == Verdict::Bad
                && member.blind_since(RuleKind::Offline).is_none()
                && self.behind(subject, member, now).is_none()
                && !self.is_in_maintenance(subject, member, now);
            let at = since.plus(self.offline_for_ms(subject.device()?)).ms;
            (is_told && at <= last).then_some(at)
        };
        let next = self.members.iter().filter_map(fires).min();
        next.map(|next| next.min(last))
    }

    fn tell_ends(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.owed.is_empty() {
            return;
        }
        let (back, others): (Vec<Key>, Vec<Key>) = self
            .owed
            .iter()
            .cloned()
            .partition(|(_, rule)| rule.kind() == RuleKind::Offline);
        for keys in by_subject(others) {
            self.say(NoticeKind::Resolved, &keys, now, out);
        }
        let ended = |(subject, rule): &Key| {
            let watched = self.members.get(subject)?.alerts.get(rule)?;
            Some(watched.life.owed.as_ref()?.ended)
        };
        let ends: Vec<Now> = back.iter().filter_map(ended).collect();
        let first = ends.iter().map(|it| it.plus(BACK_MAX_MS).ms).min();
        let last = ends.iter().map(|it| it.plus(BACK_MS).ms).max();
        let due = first.into_iter().chain(last).min();
        match due {
            Some(due) if due > now.ms => self.wake(due),
            _ => self.say(NoticeKind::Resolved, &back, now, out),
        }
    }

    /// Tells of an end at once, if somebody is to be told of it.
    pub(super) fn settle_owed(&mut self, key: &Key, now: Now, out: &mut Vec<Output>) {
        if self.owed.contains(key) {
            self.say(NoticeKind::Resolved, std::slice::from_ref(key), now, out);
        }
    }

    fn tell_again(&mut self, now: Now, out: &mut Vec<Output>) {
        let due = std::mem::take(&mut self.reminders);
        let due: Vec<Key> = due
            .into_iter()
            .filter(|key| self.is_reminder_due(key, now))
            .collect();
        if !due.is_empty() {
            self.say(NoticeKind::Reminder, &due, now, out);
        }
    }

    /// One message about these alerts.
    fn say(&mut self, kind: NoticeKind, keys: &[Key], now: Now, out: &mut Vec<Output>) {
        let mut told: Vec<(Now, u32, Told)> = Vec::new();
        for key in keys {
            if let Some(line) = self.line(kind, key) {
                told.push(line);
            }
            self.said(kind, key, now);
        }
        let Some((fired, times, first)) = told.first() else {
            return;
        };
        let word = match kind {
            NoticeKind::Reminder => format!("reminder-{times}"),
            NoticeKind::Resolved => "resolved".to_owned(),
            NoticeKind::Firing | NoticeKind::Test => "firing".to_owned(),
        };
        let at = fired.wall.as_millisecond();
        let id = format!("{}/{}/{at}/{word}", first.subject, first.rule);
        let alerts: Vec<Told> = told.into_iter().map(|it| it.2).collect();
        let severity = alerts.iter().map(|it| it.severity).max();
        out.push(Output::Tell(Notice {
            id,
            kind,
            time: now.wall,
            severity: severity.unwrap_or(Severity::Warning),
            alerts,
        }));
        for key in keys {
            self.touch(key, now, out);
        }
    }

    /// What a message says of one alert; when that began to fire, and how often it was told.
    fn line(&self, kind: NoticeKind, key: &Key) -> Option<(Now, u32, Told)> {
        let (subject, rule) = key;
        let config = self.config(subject, rule.kind())?;
        let member = self.members.get(subject)?;
        let life = &member.alerts.get(rule)?.life;
        let (since, fired, times, detail, channels) = if kind == NoticeKind::Resolved {
            let owed = life.owed.as_ref()?;
            let channels = owed.channels.clone();
            (owed.since, owed.fired, 0, owed.why.clone(), channels)
        } else {
            let firing = life.firing()?;
            let times = firing.told.map_or(0, |it| it.times);
            (firing.since, firing.fired, times, life.detail.clone(), None)
        };
        let is_about_absence = rule.kind() == RuleKind::Offline && kind != NoticeKind::Resolved;
        let hanging = subject.device().filter(|_| is_about_absence);
        let told = Told {
            subject: subject.clone(),
            name: member.config.name.clone().unwrap_or_default(),
            groups: member.config.groups.clone(),
            rule: rule.clone(),
            severity: config.severity,
            since: since.wall,
            value: life.value.map(rounded),
            limit: config.limit,
            detail,
            behind: hanging.map_or_else(Vec::new, |id| self.hanging_on(id)),
            channels,
        };
        Some((fired, times, told))
    }

    fn said(&mut self, kind: NoticeKind, key: &Key, now: Now) {
        let (subject, rule) = key;
        if kind == NoticeKind::Resolved {
            self.owed.remove(key);
        } else {
            self.untold.remove(key);
        }
        let Some(watched) = self.watched(subject, rule) else {
            return;
        };
        if kind == NoticeKind::Resolved {
            watched.life.owed = None;
        } else if let Some(firing) = watched.life.firing_mut() {
            let times = firing.told.map_or(0, |it| it.times);
            let times = times.saturating_add(1);
            firing.told = Some(LastTold { at: now, times });
        }
    }
}

/// Those of one subject belong together.
fn by_subject(keys: Vec<Key>) -> impl Iterator<Item = Vec<Key>> {
    let mut all: BTreeMap<Subject, Vec<Key>> = BTreeMap::new();
    for key in keys {
        all.entry(key.0.clone()).or_default().push(key);
    }
    all.into_values()
}
