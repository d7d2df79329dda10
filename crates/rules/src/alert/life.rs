//! The life of one alert: from all is well to something is wrong, and back.

use std::collections::BTreeSet;

use netmonitor_protocol::payload::{Alert, AlertState};
use serde::{Deserialize, Serialize};

use super::now::Now;
use super::restarts::Restarts;

/// What was found just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is wrong.
    Bad,
    /// It is not wrong; not well enough for an alert to end.
    Between,
    /// All is well.
    Good,
    /// Nobody knows: nothing changes.
    Unclear,
}

/// What became of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Something is wrong, and not yet for long enough.
    Pending,
    /// It was not wrong for long enough.
    Calmed,
    /// It began to fire.
    Fired,
    /// It ended.
    Ended,
}

/// One alert, as it is remembered over a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Life {
    pub(super) phase: Phase,
    /// What was measured last, in the unit of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<f64>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
    /// An end of which nobody was told yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) owed: Option<Owed>,
    /// Of a service: how often it was started again.
    #[serde(default, skip_serializing_if = "Restarts::is_unknown")]
    pub(super) restarts: Restarts,
}

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Phase {
    /// All is well, since then.
    Ok(Now),
    /// Something is wrong.
    Pending {
        /// Since then.
        since: Now,
        /// It was still wrong then.
        seen: Now,
    },
    /// It fires.
    Firing(Firing),
}

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Firing {
    /// Since when something is wrong.
    pub(super) since: Now,
    /// Since when it fires.
    pub(super) fired: Now,
    /// When somebody was told last, and how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<LastTold>,
    /// The channels that were told. None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) channels: Option<BTreeSet<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) acknowledged: Option<Acknowledged>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) snoozed: Option<Snoozed>,
}

/// When somebody was told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct LastTold {
    pub(super) at: Now,
    pub(super) times: u32,
}

/// Somebody has taken it on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Acknowledged {
    pub(super) at: Now,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
}

/// Nobody wants to hear of it for a while.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Snoozed {
    pub(super) at: Now,
    pub(super) until: Now,
}

/// An end of which somebody is to be told who was told of the beginning.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Owed {
    /// Since when it had been wrong.
    pub(super) since: Now,
    /// When it had begun to fire: with subject and rule what tells it from others.
    pub(super) fired: Now,
    /// When it ended.
    pub(super) ended: Now,
    /// Why, unless all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
    /// The channels that were told of the beginning. None: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) channels: Option<BTreeSet<String>>,
}

/// What must hold for an alert to fire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    /// So long it must have been wrong, in milliseconds.
    pub(super) for_ms: i64,
    /// And known to be at least so often: where nobody has looked for longer, the wait begins anew.
    pub(super) gap_ms: i64,
}

impl Life {
    pub(super) fn ok(since: Now) -> Self {
        Self {
            phase: Phase::Ok(since),
            value: None,
            detail: None,
            owed: None,
            restarts: Restarts::default(),
        }
    }

    /// One that fires since then, and of which somebody was told, as far as can be known from what
    /// was published.
    pub(super) fn firing_again(seed: &Alert, since: Now, now: Now) -> Self {
        let acknowledged = (seed.state == AlertState::Acknowledged).then(|| Acknowledged {
            at: now.past(seed.since),
            by: seed.acknowledged_by.clone(),
            note: seed.note.clone(),
        });
        let snoozed = seed.snoozed_until.map(|until| Snoozed {
            at: now.past(seed.since),
            until: now.at(until),
        });
        Self {
            phase: Phase::Firing(Firing {
                since,
                fired: since,
                told: Some(LastTold {
                    at: since,
                    times: 1,
                }),
                channels: None,
                acknowledged,
                snoozed,
            }),
            value: seed.value,
            detail: seed.detail.clone(),
            owed: None,
            restarts: Restarts::default(),
        }
    }

    pub(super) fn firing(&self) -> Option<&Firing> {
        match &self.phase {
            Phase::Firing(firing) => Some(firing),
            _ => None,
        }
    }

    pub(super) fn firing_mut(&mut self) -> Option<&mut Firing> {
        match &mut self.phase {
            Phase::Firing(firing) => Some(firing),
            _ => None,
        }
    }

    pub(super) fn pending_since(&self) -> Option<Now> {
        match self.phase {
            Phase::Pending { since, .. } => Some(since),
            _ => None,
        }
    }

    /// Something was found at `now`. `began`: since when it is so, if that is known to be longer.
    pub(super) fn judge(
        &mut self,
        verdict: Verdict,
        began: Option<Now>,
        wait: Wait,
        now: Now,
    ) -> Option<Step> {
        let began = began.filter(|began| began.ms < now.ms).unwrap_or(now);
        match (&mut self.phase, verdict) {
            (Phase::Ok(_), Verdict::Bad) => {
                self.phase = Phase::Pending {
                    since: began,
                    seen: now,
                };
                Some(self.fire_if_due(wait, now).unwrap_or(Step::Pending))
            }
            (Phase::Pending { since, seen }, Verdict::Bad) => {
                if now.since(*seen) > wait.gap_ms {
                    *since = began;
                }
                *seen = now;
                self.fire_if_due(wait, now)
            }
            (Phase::Pending { .. }, Verdict::Between | Verdict::Good) => {
                self.phase = Phase::Ok(now);
                Some(Step::Calmed)
            }
            (Phase::Firing(_), Verdict::Good) => Some(self.end(None, now)),
            _ => None,
        }
    }

    fn fire_if_due(&mut self, wait: Wait, now: Now) -> Option<Step> {
        let since = self.pending_since()?;
        if now.since(since) < wait.for_ms {
            return None;
        }
        self.phase = Phase::Firing(Firing {
            since,
            fired: now,
            told: None,
            channels: None,
            acknowledged: None,
            snoozed: None,
        });
        Some(Step::Fired)
    }

    /// It does not fire any more, whatever is so.
    pub(super) fn end(&mut self, why: Option<&str>, now: Now) -> Step {
        let before = std::mem::replace(&mut self.phase, Phase::Ok(now));
        self.detail = None;
        let Phase::Firing(firing) = before else {
            return Step::Calmed;
        };
        if firing.told.is_some() {
            self.owed = Some(Owed {
                since: firing.since,
                fired: firing.fired,
                ended: now,
                why: why.map(str::to_owned),
                channels: firing.channels,
            });
        }
        Step::Ended
    }

    /// Whether there is nothing else to remember of it than that it is pending.
    pub(super) fn is_only_pending(&self) -> bool {
        let is_pending = self.pending_since().is_some();
        is_pending && self.owed.is_none() && self.restarts.is_nothing()
    }

    /// Whether anything of it must be remembered.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.owed.is_some() || !self.restarts.is_nothing() || !matches!(self.phase, Phase::Ok(_))
    }

    /// As it is after the machine was started anew.
    pub(super) fn after_restart(mut self, now: Now) -> Self {
        let moved = |at: &mut Now| *at = at.after_restart(now);
        match &mut self.phase {
            Phase::Ok(since) => moved(since),
            Phase::Pending { since, seen } => [since, seen].into_iter().for_each(moved),
            Phase::Firing(firing) => {
                moved(&mut firing.since);
                moved(&mut firing.fired);
                firing.told.iter_mut().for_each(|it| moved(&mut it.at));
                firing
                    .acknowledged
                    .iter_mut()
                    .for_each(|it| moved(&mut it.at));
                if let Some(snoozed) = &mut firing.snoozed {
                    let whole = snoozed.until.since(snoozed.at);
                    moved(&mut snoozed.at);
                    snoozed.until = snoozed.until.ahead_after_restart(whole, now);
                }
            }
        }
        self.restarts.moved(moved);
        if let Some(owed) = &mut self.owed {
            moved(&mut owed.since);
            moved(&mut owed.fired);
            moved(&mut owed.ended);
        }
        self
    }
}

impl Firing {
    /// Whether it is snoozed now.
    pub(super) fn sleeps(&self, now: Now) -> bool {
        self.snoozed.is_some_and(|it| now.ms < it.until.ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Wait = Wait {
        for_ms: 60_000,
        gap_ms: 30_000,
    };

    fn at(secs: i64) -> Now {
        let start = Now {
            ms: 0,
            wall: "2026-11-30T10:00:00Z".parse().unwrap(),
        };
        start.plus(secs * 1000)
    }

    fn judge(life: &mut Life, verdict: Verdict, secs: i64) -> Option<Step> {
        life.judge(verdict, None, WAIT, at(secs))
    }

    #[test]
    fn it_fires_when_it_was_wrong_for_long_enough_and_ends_when_all_is_well() {
        let mut life = Life::ok(at(0));
        assert_eq!(judge(&mut life, Verdict::Bad, 10), Some(Step::Pending));
        assert_eq!(judge(&mut life, Verdict::Unclear, 20), None);
        assert_eq!(judge(&mut life, Verdict::Bad, 40), None);
        assert_eq!(judge(&mut life, Verdict::Bad, 70), Some(Step::Fired));
        assert_eq!(judge(&mut life, Verdict::Between, 80), None);
        assert_eq!(judge(&mut life, Verdict::Bad, 90), None);
        assert_eq!(judge(&mut life, Verdict::Good, 100), Some(Step::Ended));
        assert_eq!(life.owed, None, "nobody was told that it began");
    }

    #[test]
    fn a_moment_that_is_not_wrong_begins_the_wait_anew() {
        for between in [Verdict::Between, Verdict::Good] {
            let mut life = Life::ok(at(0));
            judge(&mut life, Verdict::Bad, 0);
            assert_eq!(judge(&mut life, between, 20), Some(Step::Calmed));
            assert_eq!(judge(&mut life, Verdict::Bad, 40), Some(Step::Pending));
            assert_eq!(judge(&mut life, Verdict::Bad, 65), None);
        }
    }

    #[test]
    fn what_nobody_has_watched_for_too_long_begins_anew() {
        let mut life = Life::ok(at(0));
        judge(&mut life, Verdict::Bad, 0);
        assert_eq!(judge(&mut life, Verdict::Bad, 70), None);
        assert_eq!(life.pending_since(), Some(at(70)));
    }

    #[test]
    fn what_has_been_so_for_longer_is_known_at_once() {
        let mut life = Life::ok(at(0));
        let step = life.judge(Verdict::Bad, Some(at(-70)), WAIT, at(0));
        assert_eq!(step, Some(Step::Fired));
        assert_eq!(life.firing().unwrap().since, at(-70));
    }

    #[test]
    fn without_a_wait_it_fires_at_once() {
        let mut life = Life::ok(at(0));
        let wait = Wait { for_ms: 0, ..WAIT };
        assert_eq!(
            life.judge(Verdict::Bad, None, wait, at(1)),
            Some(Step::Fired)
        );
    }

    #[test]
    fn an_end_is_owed_to_whoever_was_told_of_the_beginning() {
        let mut life = Life::ok(at(0));
        life.judge(Verdict::Bad, None, Wait { for_ms: 0, ..WAIT }, at(1));
        let told = LastTold {
            at: at(1),
            times: 1,
        };
        life.firing_mut().unwrap().told = Some(told);
        assert!(life.is_worth_keeping());
        assert_eq!(life.end(Some("gone"), at(9)), Step::Ended);
        let owed = life.owed.clone().unwrap();
        assert_eq!((owed.fired, owed.ended), (at(1), at(9)));
        assert!(life.is_worth_keeping());
    }
}
