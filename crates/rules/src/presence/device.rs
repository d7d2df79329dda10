//! One device: what it said, and what follows from it.

mod time;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    EndCause, Info, Presence, PresenceCause, PresenceState, Session, Status,
};
use netmonitor_protocol::{DeviceId, SessionId};

use super::births::{Birth, Births, Teller};
use super::conclusion::Conclusion;
use super::context::{Context, has_passed};
use super::log;
use super::{Effect, Moment};

/// A clone is named at most once in this time.
const CLONE_NAMED_EVERY: Duration = Duration::from_hours(1);

/// So long after a clone was seen deaths are expected: two machines push each other out.
const CONTESTED_FOR: Duration = Duration::from_mins(1);

/// An end without a word counts if nobody is born for so long. Whoever comes back while the hub
/// still holds the older connection is announced as gone by that one's will, and is there: its
/// birth follows two round trips later (MQTT 5.0, section 3.1.4).
const HOLD: Duration = Duration::from_secs(2);

/// The same while two machines push each other out.
const CONTESTED_HOLD: Duration = Duration::from_secs(3);

/// The longest interval between two samples that is believed.
const MAX_INTERVAL: Duration = Duration::from_hours(24);

/// Whether the current session is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    /// It was heard on this connection.
    Alive,
    /// Its end was heard on this connection.
    Dead,
    /// It was not heard for so long that its end was concluded. It may be wrong.
    Silent,
    /// Nothing was heard of it on this connection, which began then.
    Unheard(Instant),
}

/// An end without a word that may turn out to be none.
#[derive(Debug, Clone, Copy)]
struct Dying {
    /// When it happened.
    at: Moment,
    /// When it counts.
    counts: Instant,
}

/// Everything that is known of one device.
#[derive(Debug)]
pub(super) struct Device {
    id: DeviceId,
    births: Births,
    current: Option<SessionId>,
    life: Life,
    /// How the current session said that it would end.
    ended: Option<EndCause>,
    /// The session that the current one follows, and when: while their boot ids may still show
    /// that the machine was started anew.
    follows: Option<(SessionId, Timestamp)>,
    /// The last word of `status`, retained or live, and of which session it was.
    word: Option<(Status, Option<SessionId>)>,
    /// It was asked on this connection whether it is there.
    is_asked: bool,
    /// `status` or `session` was seen: it is a device, not only something left behind by one.
    is_named: bool,
    /// Something about it was heard on this connection.
    is_listed: bool,
    interval: Option<Duration>,
    /// From here on a sample is missed.
    quiet_since: Instant,
    /// A death that does not count yet.
    dying: Option<Dying>,
    contested_until: Option<Instant>,
    clone_named: Option<Instant>,
    conclusion: Conclusion,
}

impl Device {
    /// A device of which something was heard for the first time. `was_there_before`: it was
    /// retained.
    pub(super) fn new(id: DeviceId, was_there_before: bool, now: Instant) -> Self {
        Self {
            conclusion: Conclusion::none(id.clone(), was_there_before),
            id,
            births: Births::default(),
            current: None,
            life: Life::Unheard(now),
            ended: None,
            follows: None,
            word: None,
            is_asked: false,
            is_named: false,
            is_listed: true,
            interval: None,
            quiet_since: now,
            dying: None,
            contested_until: None,
            clone_named: None,
        }
    }

    pub(super) fn presence(&self) -> Option<&Presence> {
        self.conclusion.presence()
    }

    pub(super) fn offline_for(&self, now: Instant) -> Option<Duration> {
        self.conclusion.offline_for(now)
    }

    /// There is such a device: something about it was heard.
    pub(super) fn listed(&mut self) {
        self.is_listed = true;
    }

    // What was just published.

    pub(super) fn status(
        &mut self,
        status: Status,
        session: Option<SessionId>,
        cx: &mut Context<'_>,
    ) {
        self.word = Some((status, session));
        match (status, session) {
            (Status::Online, Some(session)) => self.birth(Teller::Status, session, cx),
            (Status::Online, None) => self.heard(None, cx),
            (Status::Offline, _) if !self.is_known() => {}
            (Status::Offline, Some(session)) if !self.is_death(session) => {
                self.births.died_elsewhere(session);
            }
            (Status::Offline, _) => self.died(cx),
        }
    }

    /// Whether there is more than an inventory, which does not make a device.
    fn is_known(&self) -> bool {
        self.is_named || !self.conclusion.is_none()
    }

    /// A death counts if it is that of the current session, or if nobody knows which that is.
    fn is_death(&self, session: SessionId) -> bool {
        let Some(current) = self.current else {
            return true;
        };
        // Before anything is heard, `status` and `session` may be of different times.
        let is_unheard = matches!(self.life, Life::Unheard(_));
        current == session || is_unheard && self.births.last_of_status() == Some(session)
    }

    pub(super) fn session(&mut self, session: &Session, cx: &mut Context<'_>) {
        let id = session.session;
        self.births.runs_on(id, session.boot_id.as_deref());
        let Some(ended) = &session.ended else {
            self.birth(Teller::Session, id, cx);
            return;
        };
        if !self.is_known() || *self.current.get_or_insert(id) != id {
            return;
        }
        self.ended = Some(ended.cause);
        if matches!(self.life, Life::Alive | Life::Unheard(_)) {
            self.conclusion.seen(Some(id), cx.now.wall);
        } else if let Some(dying) = self.dying.take() {
            // `status` was quicker than `session`: that it meant to go is known now.
            self.conclude_dead(dying.at, cx);
        } else if self.conclusion.is(PresenceState::Offline) {
            self.conclusion.correct(Some(self.cause_of_death()), cx);
        }
    }

    fn birth(&mut self, teller: Teller, session: SessionId, cx: &mut Context<'_>) {
        match self.births.born(teller, session, self.current) {
            Birth::Old => return,
            Birth::Current if teller == Teller::Session => {
                self.current = Some(session);
                self.ended = None;
                // The topic may lag: only `status` says that what had died is back.
                if self.life == Life::Dead {
                    return;
                }
            }
            Birth::Back => self.name_clone(session, cx),
            Birth::Current | Birth::Next => {}
        }
        self.heard(Some(session), cx);
    }

    pub(super) fn sample(&mut self, session: SessionId, cx: &mut Context<'_>) {
        let is_current = self.current == Some(session);
        let is_late = if is_current {
            self.life == Life::Dead
        } else {
            self.current.is_some() && self.births.knows(session)
        };
        if is_late || !self.is_known() {
            return;
        }
        self.quiet_since = cx.now.monotonic;
        self.heard(Some(session), cx);
        if self.conclusion.is(PresenceState::Stale) {
            self.conclusion.conclude(PresenceState::Online, None, cx);
        }
    }

    pub(super) fn info(&mut self, info: &Info, cx: &mut Context<'_>) {
        self.retained_info(info);
        // It does not say of which session it is: after a death it says nothing.
        if self.is_known() && self.life != Life::Dead {
            self.heard(None, cx);
        }
    }

    // What was retained is where to begin; what is heard on this connection is newer.

    pub(super) fn retained_info(&mut self, info: &Info) {
        let interval = Duration::try_from_secs_f64(info.interval_secs).ok();
        self.interval = interval
            .filter(|interval| !interval.is_zero())
            .map(|interval| interval.min(MAX_INTERVAL));
        self.births.inventory(info);
    }

    pub(super) fn retained_status(&mut self, status: Status, session: Option<SessionId>) {
        self.is_named = true;
        // What is heard on this connection is newer.
        if matches!(self.life, Life::Unheard(_)) {
            self.word = Some((status, session));
        }
        if let Some(session) = session {
            self.births.begin(Teller::Status, session);
            self.current.get_or_insert(session);
        }
    }

    pub(super) fn retained_session(&mut self, session: &Session) {
        self.is_named = true;
        let id = session.session;
        let is_known = self.births.knows(id);
        self.births.runs_on(id, session.boot_id.as_deref());
        self.births.begin(Teller::Session, id);
        if matches!(self.life, Life::Unheard(_)) {
            // One that is known is not newer than the current one: `session` comes first.
            if !is_known {
                self.current = Some(id);
            }
            if self.current == Some(id) {
                self.ended = session.ended.as_ref().map(|ended| ended.cause);
            }
        }
    }

    /// Its presence was cleared by somebody. False: so it is no device any more. One that is there
    /// says that it is: it was enrolled anew under the old id.
    pub(super) fn cleared(&mut self, cx: &mut Context<'_>) -> bool {
        let is_there = self.life == Life::Alive;
        if is_there {
            self.conclusion.publish_again(cx.out);
        }
        is_there
    }

    pub(super) fn retained_presence(&mut self, presence: Presence, cx: &mut Context<'_>) {
        if self.conclusion.retained(presence, cx) {
            match self.life {
                Life::Alive => self.conclude_alive(false, cx),
                Life::Dead if self.dying.is_some() => {}
                Life::Dead => self.conclude_dead(cx.now, cx),
                Life::Silent | Life::Unheard(_) => {}
            }
        }
    }

    // What follows.

    /// The device itself was heard, in this session if it said which.
    fn heard(&mut self, session: Option<SessionId>, cx: &mut Context<'_>) {
        let was_alive = self.life == Life::Alive || self.dying.is_some();
        let old = self.current;
        let is_another = session.is_some() && old.is_some() && session != old;
        let was_clean = self.ended.is_some();
        self.is_named = true;
        self.current = session.or(old);
        self.life = Life::Alive;
        self.dying = None;
        if is_another || !was_alive {
            self.quiet_since = cx.now.monotonic;
        }
        if is_another {
            self.ended = None;
            let is_unexplained = !was_clean && !self.is_contested(cx.now);
            self.follows = old.filter(|_| is_unexplained).map(|old| (old, cx.now.wall));
        }
        self.conclusion.seen(self.current, cx.now.wall);
        let is_pushed_out = is_another && (was_alive || self.is_contested(cx.now));
        if is_pushed_out && !self.conclusion.is_none() {
            self.conclude_replaced(was_clean, cx);
        } else {
            self.conclude_alive(is_another, cx);
        }
        self.look_at_boot(cx);
    }

    fn died(&mut self, cx: &mut Context<'_>) {
        if self.life == Life::Dead {
            return;
        }
        self.life = Life::Dead;
        self.follows = None;
        let hold = if self.is_contested(cx.now) {
            CONTESTED_HOLD
        } else {
            HOLD
        };
        let at = cx.now;
        let counts = at.monotonic.checked_add(hold).max(cx.all_are_back());
        self.dying = counts.map(|counts| Dying { at, counts });
        if self.ended.is_some() {
            self.dying = None;
            self.conclude_dead(at, cx);
        }
    }

    fn conclude_alive(&mut self, is_another: bool, cx: &mut Context<'_>) {
        let Some(presence) = self.conclusion.presence() else {
            if cx.may_conclude() {
                self.conclusion.conclude(PresenceState::Online, None, cx);
            }
            return;
        };
        match presence.state {
            // Connected it was already: of what is stale, a sample or another start is news.
            PresenceState::Online => {}
            PresenceState::Stale if !is_another => {}
            PresenceState::Unknown => self.conclusion.end_doubt(cx),
            PresenceState::Offline | PresenceState::Stale => {
                self.conclusion.conclude(PresenceState::Online, None, cx);
            }
        }
    }

    /// Another session took the place of one that had not ended, or not by itself.
    fn conclude_replaced(&mut self, was_clean: bool, cx: &mut Context<'_>) {
        let cause = (!was_clean).then_some(PresenceCause::Replaced);
        let presence = self.conclusion.presence();
        // Two machines that push each other out are one piece of news.
        let is_said = presence.is_some_and(|it| it.cause == cause)
            && self.conclusion.is(PresenceState::Online)
            && self.is_contested(cx.now);
        if !is_said {
            self.conclusion.conclude(PresenceState::Online, cause, cx);
        }
    }

    fn conclude_dead(&mut self, died: Moment, cx: &mut Context<'_>) {
        let is_too_early = self.conclusion.is_none() && !cx.may_conclude();
        if !is_too_early && !self.conclusion.is(PresenceState::Offline) {
            let cause = self.cause_of_death();
            self.conclusion.conclude_offline(cause, died, cx);
        }
    }

    fn cause_of_death(&self) -> PresenceCause {
        match self.ended {
            None => PresenceCause::Lost,
            Some(EndCause::Stop) => PresenceCause::Stopped,
            Some(EndCause::Shutdown) => PresenceCause::Shutdown,
            Some(EndCause::Suspend) => PresenceCause::Suspend,
            Some(EndCause::Unknown) => PresenceCause::Unknown,
        }
    }

    /// Another boot id after an end without a word: the machine was started anew.
    fn look_at_boot(&mut self, cx: &mut Context<'_>) {
        let (Some((old, born)), Some(new)) = (self.follows, self.current) else {
            return;
        };
        let (Some(old), Some(new)) = (self.births.boot_id(old), self.births.boot_id(new)) else {
            return;
        };
        let is_reboot = old != new;
        self.follows = None;
        if is_reboot && self.conclusion.is(PresenceState::Online) {
            let cause = Some(PresenceCause::Reboot);
            self.conclusion
                .conclude_since(PresenceState::Online, cause, born, cx);
        }
    }

    fn name_clone(&mut self, session: SessionId, cx: &mut Context<'_>) {
        let now = cx.now.monotonic;
        self.contested_until = now.checked_add(CONTESTED_FOR);
        if self
            .clone_named
            .is_some_and(|named| !has_passed(now, named, CLONE_NAMED_EVERY))
        {
            return;
        }
        self.clone_named = Some(now);
        let machine = |session: SessionId| log::Machine {
            addresses: self.births.addresses(session).join(", "),
            boot_id: self.births.boot_id(session).unwrap_or_default().to_owned(),
        };
        let machines: Vec<_> = self
            .current
            .into_iter()
            .chain([session])
            .map(machine)
            .collect();
        let line = log::cloned(&self.id, cx.now.wall, &machines);
        cx.out.push(Effect::Log(line));
    }

    fn is_contested(&self, now: Moment) -> bool {
        self.contested_until
            .is_some_and(|until| now.monotonic < until)
    }
}
