//! What is to be done when time passes and nothing is heard: only about those of whom something is due,
//! so that many that are gone at once do not cost their square.

use std::collections::BTreeSet;

use netmonitor_protocol::payload::{Alert, DeviceAlerting};
use netmonitor_protocol::{DeviceId, Subject};

use super::conclude::{Found, PENDING_SAVED_AFTER_MS};
use super::defaults::RuleConfig;
use super::engine::{CONFIRMED_WITHIN_MS, Engine, KNOWN_WITHIN_MS, Key, Output};
use super::life::Verdict;
use super::member::{Member, Saved};
use super::now::Now;
use super::reading::is_by_sample;
use super::tell::MUTED_AGAIN_MS;

impl Engine {
    /// Time has passed.
    pub(super) fn elapsed(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.settings.is_none() || self.next.is_none_or(|next| next > now.ms) {
            return;
        }
        let is_long_ago = |it: Now| now.since(it) >= CONFIRMED_WITHIN_MS;
        if self.connected.is_some_and(is_long_ago) {
            self.settle(now, out);
        }
        if !self.is_settled {
            // Then there is time for everything.
            self.next = self.connected.map(|it| it.plus(CONFIRMED_WITHIN_MS).ms);
            return;
        }
        self.may_tell = true;
        let due = self.due(now);
        for subject in &due {
            for rule in self.rules_of(subject) {
                self.time_has_passed(&(subject.clone(), rule), now, out);
            }
        }
        // What is told now is not due any more.
        self.tell(now, out);
        self.may_tell = true;
        self.look_at_broker(now, out);
        for subject in &due {
            if let Some(member) = self.members.get_mut(subject) {
                member.next = None;
            }
            self.look_at_services(subject, now, out);
            self.touch_all(subject, now, out);
        }
        self.next = self.members.values().filter_map(|it| it.next).min();
        self.wake_for_broker(now);
    }

    /// About whom there is something to do. Whether somebody may be told of an alert can depend on
    /// others.
    fn due(&self, now: Now) -> BTreeSet<Subject> {
        let is_due = |member: &Member| member.next.is_some_and(|next| next <= now.ms);
        let due = self.members.iter().filter(|it| is_due(it.1));
        let untold = self.untold.iter().map(|(subject, _)| subject);
        due.map(|it| it.0).chain(untold).cloned().collect()
    }

    /// What is set for each device has come.
    pub(super) fn settle(&mut self, now: Now, out: &mut Vec<Output>) {
        if !std::mem::replace(&mut self.is_settled, true) {
            self.review_all(now, out);
        }
    }

    /// When there is something to do about this alert though nothing is heard, in milliseconds.
    pub(super) fn deadline_of(&self, key: &Key, config: &RuleConfig, now: Now) -> Option<i64> {
        let (subject, rule) = key;
        let watched = self.members.get(subject)?.alerts.get(rule)?;
        let life = &watched.life;
        let for_ms = watched.for_ms(config);
        let fires = life.pending_since().map(|since| since.plus(for_ms).ms);
        let fires = fires.filter(|_| !is_by_sample(rule.kind()));
        let is_blind = self
            .members
            .get(subject)?
            .blind_since(rule.kind())
            .is_some();
        let fires = fires.filter(|_| watched.standing == Verdict::Bad && !is_blind);
        let firing = life.firing();
        let wakes = firing
            .and_then(|it| it.snoozed)
            .map(|it| it.until.ms)
            .filter(|until| *until > now.ms);
        let reminds = firing.and_then(|_| self.reminds_at(key));
        let reminds = reminds.and_then(|at| {
            let may_be_told = at > now.ms || self.may_be_told(key, now);
            let is_muted = || self.muted(key, now).is_some();
            let again = || is_muted().then(|| now.plus(MUTED_AGAIN_MS).ms);
            if may_be_told { Some(at) } else { again() }
        });
        let windows = firing.and_then(|_| self.maintenance_changes(subject, now));
        let is_unsaved = watched.saved == Saved::Nothing && life.is_only_pending();
        let saves = life
            .pending_since()
            .filter(|_| is_unsaved && fires.is_some());
        let saves = saves.map(|it| it.plus(PENDING_SAVED_AFTER_MS).ms);
        let saves = saves.filter(|it| *it > now.ms);
        let all = [fires, wakes, reminds, watched.over_at, windows, saves];
        all.into_iter().flatten().min()
    }

    fn time_has_passed(&mut self, key: &Key, now: Now, out: &mut Vec<Output>) {
        let (subject, rule) = key;
        let Some(watched) = self.watched(subject, rule) else {
            return;
        };
        if watched.over_at.is_some_and(|it| it <= now.ms) {
            watched.over_at = None;
            let step = watched.life.end(None, now);
            // It was over when it had happened: nobody needs to hear of that.
            watched.life.owed = None;
            return self.stepped(key, Some(step), None, now, out);
        }
        if self.is_reminder_due(key, now) {
            self.reminders.insert(key.clone());
        }
        let Some(watched) = self.watched(subject, rule) else {
            return;
        };
        let waits = watched.life.pending_since().is_some() && !is_by_sample(rule.kind());
        if waits && watched.standing == Verdict::Bad {
            let found = Found {
                value: watched.life.value,
                detail: watched.life.detail.clone(),
                ..Found::of(Verdict::Bad)
            };
            self.found(subject, rule.clone(), found, now, out);
        }
    }

    /// What the broker has, some time after the connection was made.
    fn look_at_broker(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(connected) = self.connected else {
            return;
        };
        let passed = now.since(connected);
        if passed < CONFIRMED_WITHIN_MS {
            return;
        }
        self.publish_what_is_missing(now, out);
        if passed < KNOWN_WITHIN_MS {
            return;
        }
        self.connected = None;
        let nobody = |member: &Member| member.presence.is_none();
        let unknown: Vec<DeviceId> = self
            .members
            .iter()
            .filter(|(_, member)| nobody(member))
            .filter_map(|(subject, _)| subject.device().cloned())
            .collect();
        for id in unknown {
            // What is set for a device that has not come yet holds when it comes.
            let config = self.members.get(&Subject::Device(id.clone()));
            let config = config.map(|it| it.config.clone()).unwrap_or_default();
            self.removed(&id, now, out);
            if config != DeviceAlerting::default()
                && let Some(member) = self.meet(&id)
            {
                member.config = config;
            }
        }
        for (key, seed) in std::mem::take(&mut self.seeds) {
            self.adopt(&key, seed, now, out);
        }
    }

    /// What did not come with this connection is not there.
    fn publish_what_is_missing(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut missing: Vec<Key> = Vec::new();
        for (subject, member) in &mut self.members {
            let unconfirmed = member.alerts.iter_mut().filter(|it| !it.1.is_confirmed);
            for (rule, watched) in unconfirmed {
                watched.published = None;
                missing.push((subject.clone(), rule.clone()));
            }
        }
        for key in missing {
            self.touch(&key, now, out);
        }
    }

    /// When to look at it again.
    fn wake_for_broker(&mut self, now: Now) {
        if let Some(connected) = self.connected {
            let looks = [CONFIRMED_WITHIN_MS, KNOWN_WITHIN_MS].map(|it| connected.plus(it).ms);
            if let Some(next) = looks.into_iter().find(|it| *it > now.ms) {
                self.wake(next);
            }
        }
    }

    /// Nothing was heard that has something about this alert. Of a device that is away nothing can be
    /// heard; else it is of something that is gone.
    fn adopt(&mut self, key: &Key, seed: Alert, now: Now, out: &mut Vec<Output>) {
        let (subject, rule) = key;
        let member = self.members.get(subject);
        let is_away = member.is_some_and(|it| it.presence.is_some() && !it.is_seen());
        if is_away {
            self.seeds.insert(key.clone(), seed);
            let found = Found::of(Verdict::Unclear);
            self.found(subject, rule.clone(), found, now, out);
        } else {
            out.push(Output::Clear(subject.clone(), rule.clone()));
        }
    }
}
