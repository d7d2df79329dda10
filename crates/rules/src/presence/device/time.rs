//! What follows for a device when nothing is heard of it, and when to look.

use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{PresenceState, Status};

use super::{Context, Device, Effect, Life, has_passed};

impl Device {
    /// The hub sees again: whatever was known may have changed.
    pub(in crate::presence) fn reconnected(&mut self, now: Instant) {
        self.life = Life::Unheard(now);
        self.quiet_since = now;
        self.dying = None;
        self.is_asked = false;
        self.is_listed = false;
        self.conclusion.reconnected();
    }

    /// The hub stood still: what it knows is old. Who is announced as gone has time to come back
    /// until `all_are_back`.
    pub(in crate::presence) fn was_not_watched(
        &mut self,
        now: Instant,
        all_are_back: Option<Instant>,
    ) {
        match (&mut self.dying, all_are_back) {
            (Some(dying), Some(all_are_back)) => dying.counts = dying.counts.max(all_are_back),
            _ if matches!(self.life, Life::Dead | Life::Silent) => {}
            _ => self.life = Life::Unheard(now),
        }
        self.quiet_since = now;
        self.is_asked = false;
    }

    /// Whether it has yet to be asked whether it is there, because the hub was blind. Of one that
    /// is offline, its own word says whether it may have come back unheard.
    fn is_to_be_doubted(&self) -> bool {
        let may_be_there = match self.conclusion.presence() {
            None => self.is_named,
            Some(presence) => match presence.state {
                PresenceState::Online | PresenceState::Stale | PresenceState::Unknown => true,
                PresenceState::Offline => matches!(self.word, Some((Status::Online, _))),
            },
        };
        may_be_there && !self.is_asked
    }

    /// How long after the hub began to see a device is gone of which nothing is heard. One that
    /// is connected has nothing but its samples to show it; one that said `offline`, or of which
    /// it was said, is not.
    fn judged_after(&self, cx: &Context<'_>) -> Duration {
        let is_said_gone = match self.word {
            Some((Status::Offline, session)) => session.is_none() || session == self.current,
            _ => false,
        };
        let interval = self.interval.filter(|_| !is_said_gone);
        cx.timing.judged_after(interval)
    }

    /// Since when nothing at all is heard of it, though the broker has shown which devices there are:
    /// it was removed while the hub was blind, unless something comes yet.
    fn left_out_since(&self, cx: &Context<'_>) -> Option<Instant> {
        match self.life {
            Life::Unheard(since) if cx.lists_all && !self.is_listed => Some(since),
            _ => None,
        }
    }

    /// When to look at the device again, if nothing is heard of it.
    pub(in crate::presence) fn deadline(&self, cx: &Context<'_>) -> Option<Instant> {
        if let Some(since) = self.left_out_since(cx) {
            return since.checked_add(self.judged_after(cx));
        }
        let look = match self.life {
            Life::Unheard(since) if self.is_to_be_doubted() => {
                since.checked_add(cx.timing.unsure_after())
            }
            Life::Unheard(since) => since.checked_add(self.judged_after(cx)),
            Life::Dead if self.dying.is_some() => None,
            Life::Alive | Life::Dead if self.conclusion.is_none() => cx.first_conclusion(),
            Life::Alive if self.conclusion.is(PresenceState::Online) => self
                .interval
                .and_then(|it| self.quiet_since.checked_add(cx.timing.stale_after(it))),
            Life::Alive | Life::Dead | Life::Silent => None,
        };
        let conclusion = self.conclusion.deadline(cx.confirmed_by());
        let counts = self.dying.map(|dying| dying.counts);
        [look, counts, conclusion].into_iter().flatten().min()
    }

    /// Time has passed. False: this is no device any more.
    pub(in crate::presence) fn elapsed(&mut self, cx: &mut Context<'_>) -> bool {
        let now = cx.now.monotonic;
        if let Some(since) = self.left_out_since(cx) {
            let is_gone = has_passed(now, since, self.judged_after(cx));
            if is_gone {
                cx.out.push(Effect::Clear(self.id.clone()));
            }
            return !is_gone;
        }
        match self.life {
            Life::Unheard(since) if has_passed(now, since, self.judged_after(cx)) => {
                if !self.is_named {
                    if !self.conclusion.is_none() {
                        cx.out.push(Effect::Clear(self.id.clone()));
                    }
                    return false;
                }
                self.life = Life::Silent;
                self.conclude_dead(cx.now, cx);
            }
            Life::Unheard(since)
                if self.is_to_be_doubted() && has_passed(now, since, cx.timing.unsure_after()) =>
            {
                self.is_asked = true;
                self.conclusion.doubt(cx);
            }
            Life::Alive if self.conclusion.is_none() => self.conclude_alive(false, cx),
            Life::Dead if self.conclusion.is_none() && self.dying.is_none() => {
                self.conclude_dead(cx.now, cx);
            }
            Life::Alive if self.is_quiet(cx) => {
                self.conclusion.conclude(PresenceState::Stale, None, cx);
            }
            _ => {}
        }
        if let Some(dying) = self.dying.take_if(|dying| dying.counts <= now) {
            self.conclude_dead(dying.at, cx);
        }
        let confirmed_by = cx.confirmed_by();
        self.conclusion.elapsed(confirmed_by, self.current, cx);
        true
    }

    /// Online, and no sample for too long.
    fn is_quiet(&self, cx: &Context<'_>) -> bool {
        let limit = self.interval.map(|it| cx.timing.stale_after(it));
        self.conclusion.is(PresenceState::Online)
            && limit.is_some_and(|limit| has_passed(cx.now.monotonic, self.quiet_since, limit))
    }
}
