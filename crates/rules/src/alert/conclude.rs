//! What follows from what was found of a rule: its state, what is published, logged and remembered.

use netmonitor_protocol::payload::{Alert, AlertState, Event, EventKind, Severity};
use netmonitor_protocol::{Rule, RuleKind, Subject};

use super::engine::{Engine, Key, Output};
use super::hear::{LOSS_SHOWN_MS, REBOOT_SHOWN_MS};
use super::life::{Life, Phase, Step, Verdict, Wait};
use super::member::{Saved, Watched};
use super::now::Now;
use super::reading::is_by_sample;
use super::restarts::Restarts;
use super::shown::{is_news, shown};

/// Where nobody has looked for longer than this and three intervals, a wait begins anew.
const GAP_MS: i64 = 30_000;

/// What is pending for so long is written to the journal: most of what is pending ends sooner, and a
/// card does not last for ever.
pub(super) const PENDING_SAVED_AFTER_MS: i64 = 120_000;

/// What was found of a rule.
pub(super) struct Found {
    pub(super) verdict: Verdict,
    pub(super) value: Option<f64>,
    pub(super) detail: Option<String>,
    /// Since when it is so, if that is known.
    pub(super) began: Option<Now>,
}

impl Found {
    pub(super) fn of(verdict: Verdict) -> Self {
        Self {
            verdict,
            value: None,
            detail: None,
            began: None,
        }
    }
}

impl Engine {
    /// The alert, if there is one.
    pub(super) fn watched(&mut self, subject: &Subject, rule: &Rule) -> Option<&mut Watched> {
        self.members.get_mut(subject)?.alerts.get_mut(rule)
    }

    /// Something was found. A rule that is not watched is let go.
    pub(super) fn found(
        &mut self,
        subject: &Subject,
        rule: Rule,
        found: Found,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let kind = rule.kind();
        let Some(config) = self.config(subject, kind) else {
            return;
        };
        let key = (subject.clone(), rule);
        if !config.enabled {
            // What is set for the device itself may not have come yet.
            if self.is_settled {
                self.remove(&key, "disabled", now, out);
            }
            return;
        }
        let remembers_all = self.remembers_all;
        let seed = self.seeds.remove(&key);
        let Some(member) = self.members.get_mut(subject) else {
            return;
        };
        let is_blind = member.blind_since(kind).is_some();
        let gap_ms = if is_by_sample(kind) {
            GAP_MS.saturating_add(3 * member.interval_ms())
        } else {
            i64::MAX
        };
        let watched = member.alerts.entry(key.1.clone()).or_insert_with(|| {
            let mut watched = Watched::new(begin(seed.as_ref(), remembers_all, now), now);
            watched.is_confirmed = seed.is_some();
            if seed.is_some() && remembers_all {
                // Else it would be remembered.
                watched.life.restarts = Restarts::none_before();
            }
            watched.published = seed;
            watched.over_at = over_at(kind, &watched.life, now);
            watched
        });
        if is_blind {
            return;
        }
        watched.standing = found.verdict;
        if found.verdict != Verdict::Unclear {
            watched.life.value = found.value;
            if found.verdict == Verdict::Bad || watched.life.firing().is_none() {
                watched.life.detail = found.detail;
            }
        }
        let for_ms = watched.for_ms(&config);
        let wait = Wait { for_ms, gap_ms };
        let step = watched.life.judge(found.verdict, found.began, wait, now);
        // Nearly always all is well, and was before.
        let is_well =
            matches!(watched.life.phase, Phase::Ok(_)) && !watched.life.is_worth_keeping();
        let published = watched.published.as_ref().map(|it| it.state);
        let is_published = published == Some(AlertState::Ok);
        if step.is_none() && is_well && is_published && watched.saved == Saved::Nothing {
            return;
        }
        self.stepped(&key, step, None, now, out);
        self.touch(&key, now, out);
    }

    /// What the log says, and who is to be told.
    pub(super) fn stepped(
        &mut self,
        key: &Key,
        step: Option<Step>,
        why: Option<&str>,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let (subject, rule) = key;
        match step {
            Some(Step::Fired) => {
                // Who was told of an end hears of it before the next beginning.
                self.settle_owed(key, now, out);
                self.untold.insert(key.clone());
                self.may_tell = true;
                let config = self.config(subject, rule.kind());
                let severity = config.map_or(Severity::Warning, |it| it.severity);
                let mut event = event(key, EventKind::AlertFiring, severity, now);
                if let Some(watched) = self.watched(subject, rule) {
                    let life = &watched.life;
                    let limit = config.and_then(|it| it.limit);
                    for (name, text) in [
                        ("value", life.value.map(|it| format!("{it:.1}"))),
                        ("limit", limit.map(|it| it.to_string())),
                        ("detail", life.detail.clone()),
                    ] {
                        let parameters = &mut event.parameters;
                        parameters.extend(text.map(|text| (name.to_owned(), text)));
                    }
                }
                out.push(Output::Log(event));
            }
            Some(Step::Ended) => {
                self.untold.remove(key);
                if self
                    .watched(subject, rule)
                    .is_some_and(|it| it.life.owed.is_some())
                {
                    self.owed.insert(key.clone());
                }
                let mut event = event(key, EventKind::AlertResolved, Severity::Info, now);
                let why = why.map(|why| ("detail".to_owned(), why.to_owned()));
                event.parameters.extend(why);
                out.push(Output::Log(event));
            }
            Some(Step::Pending | Step::Calmed) | None => {}
        }
    }

    /// The rule is not watched any more.
    pub(super) fn remove(&mut self, key: &Key, why: &str, now: Now, out: &mut Vec<Output>) {
        let (subject, rule) = key;
        let is_seed = self.seeds.remove(key).is_some();
        let Some(watched) = self.watched(subject, rule) else {
            if is_seed {
                out.push(Output::Clear(subject.clone(), rule.clone()));
            }
            return;
        };
        let step = watched.life.end(Some(why), now);
        self.stepped(key, Some(step), Some(why), now, out);
        self.settle_owed(key, now, out);
        self.untold.remove(key);
        let member = self.members.get_mut(subject);
        let Some(watched) = member.and_then(|it| it.alerts.remove(rule)) else {
            return;
        };
        if watched.saved != Saved::Nothing {
            out.push(Output::Save(subject.clone(), rule.clone(), None));
        }
        out.push(Output::Clear(subject.clone(), rule.clone()));
    }

    pub(super) fn touch_all(&mut self, subject: &Subject, now: Now, out: &mut Vec<Output>) {
        for rule in self.rules_of(subject) {
            let is_enabled = self
                .config(subject, rule.kind())
                .is_none_or(|it| it.enabled);
            let key = (subject.clone(), rule);
            if is_enabled {
                self.touch(&key, now, out);
            } else if self.is_settled {
                self.remove(&key, "disabled", now, out);
            }
        }
    }

    pub(super) fn rules_of(&self, subject: &Subject) -> Vec<Rule> {
        let rules = self.members.get(subject).map(|it| it.alerts.keys());
        rules.into_iter().flatten().cloned().collect()
    }

    /// Publishes and remembers what has changed, and looks when there is something to do.
    pub(super) fn touch(&mut self, key: &Key, now: Now, out: &mut Vec<Output>) {
        let (subject, rule) = key;
        let kind = rule.kind();
        let Some(config) = self.config(subject, kind) else {
            return;
        };
        let muted = self.muted(key, now);
        let deadline = self.deadline_of(key, &config, now);
        let Some(member) = self.members.get_mut(subject) else {
            return;
        };
        // Of a device that was never seen nothing is said.
        let is_known = member.is_known(subject);
        let blind_since = member.blind_since(kind);
        let Some(watched) = member.alerts.get_mut(rule) else {
            return;
        };
        let alert = shown(&watched.life, &config, blind_since, muted, now);
        let before = watched.published.as_ref();
        if is_known && before.is_none_or(|before| is_news(before, &alert)) {
            watched.published = Some(alert.clone());
            watched.is_confirmed = true;
            out.push(Output::Publish(
                subject.clone(),
                rule.clone(),
                Box::new(alert),
            ));
        }
        if let Some(saved) = saved(&watched.life, &watched.saved, now) {
            let life = match &saved {
                Saved::Nothing => None,
                _ => Some(Box::new(watched.life.clone())),
            };
            watched.saved = saved;
            out.push(Output::Save(subject.clone(), rule.clone(), life));
        }
        if let Some(deadline) = deadline {
            self.wake_for(subject, deadline);
        }
    }
}

/// Where an alert begins of which an earlier run has published this, and has remembered nothing.
///
/// If all is remembered that there was, one that was published as firing and is not remembered was
/// being told, or had ended, when the earlier run was killed: what is found next decides.
fn begin(seed: Option<&Alert>, remembers_all: bool, now: Now) -> Life {
    let Some(seed) = seed else {
        return Life::ok(now);
    };
    let since = now.past(seed.since);
    if let Some(firing_since) = seed.firing_since {
        if remembers_all {
            let mut life = Life::ok(now);
            life.phase = Phase::Pending {
                since: now.past(firing_since),
                seen: now,
            };
            return life;
        }
        return Life::firing_again(seed, now.past(firing_since), now);
    }
    let mut life = Life::ok(since);
    if seed.state == AlertState::Pending {
        life.phase = Phase::Pending { since, seen: now };
    }
    if seed.state == AlertState::Unknown {
        life = Life::ok(now);
    }
    life
}

/// When an alert of what only ever begins is over.
pub(super) fn over_at(kind: RuleKind, life: &Life, now: Now) -> Option<i64> {
    let shown = match kind {
        RuleKind::Reboot => REBOOT_SHOWN_MS,
        RuleKind::SamplesLost => LOSS_SHOWN_MS,
        _ => return None,
    };
    let fired = life.firing()?.fired;
    Some(fired.plus(shown).ms.max(now.ms))
}

/// What must be written into the journal. None: it has what it needs.
fn saved(life: &Life, before: &Saved, now: Now) -> Option<Saved> {
    if !life.is_worth_keeping() {
        return (*before != Saved::Nothing).then_some(Saved::Nothing);
    }
    if life.is_only_pending()
        && let Some(since) = life.pending_since()
    {
        let is_there = *before == Saved::Pending(since.ms);
        let is_due = now.since(since) >= PENDING_SAVED_AFTER_MS || *before != Saved::Nothing;
        return (is_due && !is_there).then_some(Saved::Pending(since.ms));
    }
    let mut whole = life.clone();
    whole.value = None;
    let whole = Saved::Whole(Box::new(whole));
    (*before != whole).then_some(whole)
}

pub(super) fn event(key: &Key, kind: EventKind, severity: Severity, now: Now) -> Event {
    let (subject, rule) = key;
    Event {
        device: subject.device().cloned(),
        ..Event::new(now.wall, kind, severity, [("rule", rule.to_string())])
    }
}
