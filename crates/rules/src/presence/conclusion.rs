//! What is concluded of one device, what of it is published, and what the log says.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::payload::{Presence, PresenceCause, PresenceState};
use netmonitor_protocol::{DeviceId, SessionId};

use super::context::Context;
use super::log::Log;
use super::{Effect, Moment};

/// The conclusion about one device.
#[derive(Debug)]
pub(super) struct Conclusion {
    device: DeviceId,
    presence: Option<Presence>,
    /// What was concluded before the hub was blind.
    before: Option<Presence>,
    /// The broker has it.
    is_published: bool,
    /// There was something retained of the device: that it is there is no news.
    was_there_before: bool,
    offline_since: Option<Instant>,
    /// When the hub last heard from the device itself.
    last_seen: Option<Timestamp>,
    log: Log,
}

impl Conclusion {
    pub(super) fn none(device: DeviceId, was_there_before: bool) -> Self {
        Self {
            device,
            presence: None,
            before: None,
            is_published: false,
            was_there_before,
            offline_since: None,
            last_seen: None,
            log: Log::default(),
        }
    }

    pub(super) fn presence(&self) -> Option<&Presence> {
        self.presence.as_ref()
    }

    pub(super) fn is_none(&self) -> bool {
        self.presence.is_none()
    }

    pub(super) fn is(&self, state: PresenceState) -> bool {
        self.presence.as_ref().is_some_and(|it| it.state == state)
    }

    pub(super) fn offline_for(&self, now: Instant) -> Option<Duration> {
        let since = self
            .offline_since
            .filter(|_| self.is(PresenceState::Offline))?;
        Some(now.saturating_duration_since(since))
    }

    pub(super) fn seen(&mut self, session: Option<SessionId>, now: Timestamp) {
        self.last_seen = Some(now);
        if let Some(session) = session {
            self.log.belongs_to(session);
        }
    }

    /// Since now.
    pub(super) fn conclude(
        &mut self,
        state: PresenceState,
        cause: Option<PresenceCause>,
        cx: &mut Context<'_>,
    ) {
        self.conclude_since(state, cause, cx.now.wall, cx);
    }

    /// Offline, since it went.
    pub(super) fn conclude_offline(
        &mut self,
        cause: PresenceCause,
        died: Moment,
        cx: &mut Context<'_>,
    ) {
        self.offline_since = Some(died.monotonic);
        self.conclude_since(PresenceState::Offline, Some(cause), died.wall, cx);
    }

    /// Another cause for what is concluded already.
    pub(super) fn correct(&mut self, cause: Option<PresenceCause>, cx: &mut Context<'_>) {
        if let Some(Presence { state, since, .. }) = self.presence {
            self.conclude_since(state, cause, since, cx);
        }
    }

    pub(super) fn conclude_since(
        &mut self,
        state: PresenceState,
        cause: Option<PresenceCause>,
        since: Timestamp,
        cx: &mut Context<'_>,
    ) {
        let seen_before = self.presence.as_ref().and_then(|it| it.last_seen);
        let presence = Presence {
            state,
            cause,
            since,
            last_seen: self.last_seen.or(seen_before),
        };
        self.publish(presence, cx);
    }

    /// The hub was blind, and still does not know. A device that is there objects to what it
    /// hears: where that was said before, saying it again asks.
    pub(super) fn doubt(&mut self, cx: &mut Context<'_>) {
        if self.is(PresenceState::Unknown) || self.is(PresenceState::Offline) {
            return self.publish_again(cx.out);
        }
        self.before = self.presence.clone();
        let cause = Some(PresenceCause::HubRestart);
        self.conclude(PresenceState::Unknown, cause, cx);
    }

    /// The hub did not know, and now the device was heard: nothing had happened to it.
    pub(super) fn end_doubt(&mut self, cx: &mut Context<'_>) {
        match self.before.take() {
            Some(before) if before.state == PresenceState::Online => self.publish(before, cx),
            _ => {
                let cause = Some(PresenceCause::HubRestart);
                self.conclude(PresenceState::Online, cause, cx);
            }
        }
    }

    fn publish(&mut self, presence: Presence, cx: &mut Context<'_>) {
        if self.is_none() && self.was_there_before {
            self.log.knows(presence.state);
        }
        if presence.state != PresenceState::Unknown {
            self.before = None;
            self.log.changed(cx.now.monotonic);
        }
        self.presence = Some(presence);
        self.publish_again(cx.out);
    }

    pub(super) fn publish_again(&mut self, out: &mut Vec<Effect>) {
        if let Some(presence) = self.presence.clone() {
            self.is_published = true;
            out.push(Effect::Publish(self.device.clone(), presence));
        }
    }

    /// What is retained was published by an earlier run of the hub: this one begins there. One
    /// that knows better says so. True if there was nothing concluded yet.
    pub(super) fn retained(&mut self, presence: Presence, cx: &mut Context<'_>) -> bool {
        if let Some(concluded) = &self.presence {
            self.is_published = *concluded == presence;
            if !self.is_published {
                self.publish_again(cx.out);
            }
            return false;
        }
        self.log.knows(presence.state);
        if presence.state == PresenceState::Offline {
            self.offline_since = Some(cx.now.monotonic);
        }
        self.presence = Some(presence);
        self.is_published = true;
        true
    }

    /// The connection is new: what the broker has is not known.
    pub(super) fn reconnected(&mut self) {
        self.is_published = false;
    }

    /// When there is something to do.
    pub(super) fn deadline(&self, confirmed_by: Option<Instant>) -> Option<Instant> {
        let confirmed_by = confirmed_by.filter(|_| !self.is_published && !self.is_none());
        confirmed_by.into_iter().chain(self.log.due()).min()
    }

    /// Time has passed.
    pub(super) fn elapsed(
        &mut self,
        confirmed_by: Option<Instant>,
        session: Option<SessionId>,
        cx: &mut Context<'_>,
    ) {
        let now = cx.now.monotonic;
        if !self.is_published && confirmed_by.is_some_and(|by| by <= now) {
            self.publish_again(cx.out);
        }
        if let Some(presence) = &self.presence {
            let line = self.log.line(now, &self.device, presence, session);
            cx.out.extend(line.map(Effect::Log));
        }
    }
}
