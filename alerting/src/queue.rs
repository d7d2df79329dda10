//! What waits for one channel, and what goes next: pure, with time as an argument.

use std::collections::VecDeque;

use netmonitor_rules::alert::{Notice, Now};

use crate::parcel::Parcel;
use crate::routing::{Routed, still_to_tell};

/// Messages that may wait for one channel. When there are more, the oldest is given up.
pub(crate) const WAITING: usize = 1_000;

/// A message that could not be sent for so long is given up: what it says is no news any more. What is
/// kept back on purpose does not age.
const TOO_OLD_MS: i64 = 24 * 3600 * 1000;

/// The first wait after a failure, in milliseconds; each further one is twice as long, ...
const FIRST_WAIT_MS: i64 = 5_000;

/// ... until this.
const LONGEST_WAIT_MS: i64 = 10 * 60 * 1000;

/// The messages that wait for one channel, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    /// The channel does not answer.
    outage: Option<Failures>,
}

#[derive(Debug)]
struct Waiting {
    parcel: Parcel,
    /// Since when it could be sent, in milliseconds: a clock that is set makes it no older. None: it is
    /// kept back.
    due: Option<i64>,
    /// It was tried.
    has_failed: bool,
    /// It was kept back for the quiet hours.
    is_held: bool,
    /// The channel does not take this one.
    refused: Option<Failures>,
}

/// Failures in a row.
#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    /// When to try again, in milliseconds.
    again: i64,
}

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub(crate) enum Next {
    /// Send this one; it stays until it is [settled](Queue::settle).
    Send(Parcel),
    /// Nobody wants it any more: its channel was changed, or its trouble is over.
    Drop(Parcel),
    /// It could not be sent for too long.
    GiveUp(Parcel),
    /// Nothing until then, in milliseconds; none: until there is something new.
    Wait(Option<i64>),
}

impl Queue {
    /// Adds a message. `is_held`: the quiet hours kept it back, of an earlier run perhaps. What had to go
    /// for it, if anything.
    pub(crate) fn add(&mut self, parcel: Parcel, is_held: bool, now: Now) -> Option<Parcel> {
        let oldest = if self.waiting.len() >= WAITING {
            self.waiting.pop_front()
        } else {
            None
        };
        self.waiting.push_back(Waiting {
            due: Some(now.at(parcel.made_at).ms.min(now.ms)),
            has_failed: false,
            parcel,
            is_held,
            refused: None,
        });
        oldest.map(|it| it.parcel)
    }

    /// What is to be done next. `route`: what the channel is to be told of a message now.
    pub(crate) fn next(&mut self, route: impl Fn(&Notice) -> Option<Routed>, now: Now) -> Next {
        let mut soonest: Option<i64> = None;
        let mut wake = |at: i64| soonest = Some(soonest.map_or(at, |it| it.min(at)));
        let outage = self.outage.filter(|it| it.again > now.ms);
        for index in 0..self.waiting.len() {
            let waiting = &mut self.waiting[index];
            let parcel = waiting.parcel.clone();
            let is_old = |due: i64| now.ms.saturating_sub(due) > TOO_OLD_MS;
            if waiting.has_failed && waiting.due.is_some_and(is_old) {
                return Next::GiveUp(parcel);
            }
            let Some(routed) = route(&parcel.notice) else {
                return Next::Drop(parcel);
            };
            if let Some(not_before) = routed.not_before.filter(|it| *it > now.wall) {
                waiting.is_held = true;
                waiting.due = None;
                wake(now.at(not_before).ms);
                continue;
            }
            if waiting.is_held {
                return self.release(now, route);
            }
            if let Some(refused) = waiting.refused.filter(|it| it.again > now.ms) {
                wake(refused.again);
            } else if let Some(outage) = outage {
                wake(outage.again);
            } else {
                return Next::Send(Parcel {
                    notice: routed.notice,
                    ..parcel
                });
            }
        }
        Next::Wait(soonest)
    }

    /// The quiet hours are over: what came and went in them is no news.
    fn release(&mut self, now: Now, route: impl Fn(&Notice) -> Option<Routed>) -> Next {
        let held: Vec<Notice> = self
            .waiting
            .iter()
            .filter(|it| it.is_held)
            .map(|it| it.parcel.notice.clone())
            .collect();
        let mut left = still_to_tell(&held).into_iter();
        for waiting in self.waiting.iter_mut().filter(|it| it.is_held) {
            waiting.is_held = false;
            waiting.due = Some(now.ms);
            match left.next().flatten() {
                Some(notice) => waiting.parcel.notice = notice,
                // Nothing is left of it: with no alert it goes nowhere.
                None => waiting.parcel.notice.alerts.clear(),
            }
        }
        self.next(route, now)
    }

    /// This one is there, or is given up.
    pub(crate) fn settle(&mut self, notice: &str) {
        self.waiting.retain(|it| it.parcel.notice.id != notice);
    }

    /// The channel took a message.
    pub(crate) fn reached(&mut self) {
        self.outage = None;
    }

    /// The channel did not answer when this message was sent. True if it had before.
    pub(crate) fn not_reached(&mut self, notice: &str, now: Now) -> bool {
        for waiting in &mut self.waiting {
            waiting.has_failed |= waiting.parcel.notice.id == notice;
        }
        let is_new = self.outage.is_none();
        self.outage = Some(failed(self.outage, now));
        is_new
    }

    /// The channel did not take this message, and would not take it as it is now. True if it is the
    /// first time.
    pub(crate) fn refused(&mut self, notice: &str, now: Now) -> bool {
        let mut waiting = self.waiting.iter_mut();
        let Some(waiting) = waiting.find(|it| it.parcel.notice.id == notice) else {
            return false;
        };
        waiting.has_failed = true;
        let is_new = waiting.refused.is_none();
        waiting.refused = Some(failed(waiting.refused, now));
        is_new
    }

    /// The channel was changed: what failed may go now.
    pub(crate) fn try_again(&mut self) {
        self.outage = None;
        for waiting in &mut self.waiting {
            waiting.refused = None;
        }
    }
}

fn failed(before: Option<Failures>, now: Now) -> Failures {
    let count = before.map_or(0, |it| it.count).saturating_add(1);
    let wait = FIRST_WAIT_MS.saturating_mul(1 << (count - 1).min(20));
    Failures {
        count,
        again: now.ms.saturating_add(wait.min(LONGEST_WAIT_MS)),
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::Severity;
    use netmonitor_protocol::{Rule, RuleKind, Subject};
    use netmonitor_rules::alert::{NoticeKind, Told};

    use super::*;

    fn now(secs: i64) -> Now {
        let start = Now {
            ms: 0,
            wall: "2026-11-30T10:00:00Z".parse().unwrap(),
        };
        start.plus(secs * 1000)
    }

    fn parcel(id: &str, kind: NoticeKind) -> Parcel {
        let told = Told {
            subject: Subject::Hub,
            name: String::new(),
            groups: Vec::new(),
            rule: Rule::of(RuleKind::Cpu),
            severity: Severity::Warning,
            since: now(0).wall,
            value: None,
            limit: None,
            detail: None,
            behind: Vec::new(),
            channels: None,
        };
        Parcel {
            channel: "mail".to_owned(),
            notice: Notice {
                id: id.to_owned(),
                kind,
                time: now(0).wall,
                severity: Severity::Warning,
                alerts: vec![told],
            },
            made_at: now(0).wall,
        }
    }

    fn firing(id: &str) -> Parcel {
        parcel(id, NoticeKind::Firing)
    }

    #[expect(clippy::unnecessary_wraps, reason = "it is a route")]
    fn at_once(notice: &Notice) -> Option<Routed> {
        Some(Routed {
            notice: notice.clone(),
            not_before: None,
        })
    }

    /// Quiet until this second; a message without alerts goes nowhere.
    fn quiet_until(secs: i64) -> impl Fn(&Notice) -> Option<Routed> {
        move |notice| {
            (!notice.alerts.is_empty()).then(|| Routed {
                notice: notice.clone(),
                not_before: Some(now(secs).wall),
            })
        }
    }

    #[test]
    fn messages_go_in_order_and_stay_until_they_are_settled() {
        let mut queue = Queue::default();
        queue.add(firing("a"), false, now(0));
        queue.add(firing("b"), false, now(0));
        assert_eq!(queue.next(at_once, now(0)), Next::Send(firing("a")));
        assert_eq!(queue.next(at_once, now(0)), Next::Send(firing("a")));
        queue.settle("a");
        assert_eq!(queue.next(at_once, now(0)), Next::Send(firing("b")));
        queue.settle("b");
        assert_eq!(queue.next(at_once, now(0)), Next::Wait(None));
    }

    #[test]
    fn a_channel_that_does_not_answer_is_tried_ever_more_seldom() {
        let mut queue = Queue::default();
        queue.add(firing("a"), false, now(0));
        let mut at = 0;
        let mut waits = Vec::new();
        for attempt in 0..10 {
            assert_eq!(queue.not_reached("a", now(at)), attempt == 0);
            let Next::Wait(Some(again)) = queue.next(at_once, now(at)) else {
                panic!("it waits");
            };
            waits.push(again / 1000 - at);
            at = again / 1000;
            assert_eq!(queue.next(at_once, now(at)), Next::Send(firing("a")));
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 600, 600, 600]);
        queue.reached();
        assert!(queue.not_reached("a", now(at)), "another outage");
    }

    #[test]
    fn a_message_that_is_refused_holds_up_no_other_and_a_change_of_settings_tries_it_again() {
        let mut queue = Queue::default();
        queue.add(firing("a"), false, now(0));
        queue.add(firing("b"), false, now(0));
        assert!(queue.refused("a", now(0)));
        assert_eq!(queue.next(at_once, now(0)), Next::Send(firing("b")));
        queue.settle("b");
        assert_eq!(queue.next(at_once, now(0)), Next::Wait(Some(5_000)));
        queue.try_again();
        assert_eq!(queue.next(at_once, now(0)), Next::Send(firing("a")));
    }

    #[test]
    fn a_message_is_given_up_after_a_day() {
        let mut queue = Queue::default();
        queue.add(firing("a"), false, now(0));
        let day = 24 * 3600;
        assert_eq!(queue.next(at_once, now(2 * day)), Next::Send(firing("a")));
        queue.refused("a", now(0));
        assert_eq!(queue.next(at_once, now(day)), Next::Send(firing("a")));
        assert_eq!(queue.next(at_once, now(day + 1)), Next::GiveUp(firing("a")));
    }

    #[test]
    fn what_comes_and_goes_in_the_quiet_hours_is_not_told() {
        let mut queue = Queue::default();
        queue.add(firing("a"), false, now(0));
        queue.add(parcel("a-end", NoticeKind::Resolved), false, now(0));
        let route = quiet_until(3600);
        assert_eq!(queue.next(&route, now(0)), Next::Wait(Some(3_600_000)));
        for _ in 0..2 {
            let Next::Drop(dropped) = queue.next(&route, now(3600)) else {
                panic!("nobody wants it");
            };
            queue.settle(&dropped.notice.id);
        }
        assert_eq!(queue.next(&route, now(3600)), Next::Wait(None));
    }

    #[test]
    fn what_came_and_went_in_the_quiet_hours_is_not_told_though_they_ended_while_nobody_was_there()
    {
        let mut queue = Queue::default();
        queue.add(firing("a"), true, now(3600));
        queue.add(parcel("a-end", NoticeKind::Resolved), true, now(3600));
        for _ in 0..2 {
            let Next::Drop(dropped) = queue.next(quiet_until(3600), now(3600)) else {
                panic!("nobody wants it");
            };
            queue.settle(&dropped.notice.id);
        }
        assert_eq!(queue.next(quiet_until(3600), now(3600)), Next::Wait(None));
    }

    #[test]
    fn what_is_left_after_the_quiet_hours_is_told_however_long_they_were() {
        for secs in [3600, 3 * 24 * 3600] {
            let mut queue = Queue::default();
            queue.add(firing("a"), false, now(0));
            let route = quiet_until(secs);
            assert_eq!(queue.next(&route, now(0)), Next::Wait(Some(secs * 1000)));
            assert_eq!(queue.next(&route, now(secs)), Next::Send(firing("a")));
            queue.not_reached("a", now(secs));
            assert_eq!(queue.next(&route, now(secs + 5)), Next::Send(firing("a")));
        }
    }

    #[test]
    fn when_too_many_wait_the_oldest_goes() {
        let mut queue = Queue::default();
        for number in 0..WAITING {
            assert_eq!(queue.add(firing(&number.to_string()), false, now(0)), None);
        }
        assert_eq!(queue.add(firing("new"), false, now(0)), Some(firing("0")));
    }
}
