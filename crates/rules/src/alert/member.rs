//! What is known of one subject: a device, or the hub itself.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    Alert, DeviceAlerting, Info, Presence, PresenceCause, PresenceState, Services, WatchableService,
};
use netmonitor_protocol::{Rule, RuleKind, Subject};

use super::defaults::RuleConfig;
use super::life::{Life, Phase, Verdict};
use super::now::Now;

/// The interval of a device that has not said it, in milliseconds.
const INTERVAL_MS: i64 = 3_000;

/// The longest interval that is believed, in milliseconds.
const MAX_INTERVAL_MS: i64 = 24 * 3600 * 1000;

/// The word for a service that is started again and again.
pub(super) const RESTART_LOOP: &str = "restart_loop";

/// One rule of a subject.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) life: Life,
    /// What the broker has, as far as is known.
    pub(super) published: Option<Alert>,
    /// On this connection it was seen that the broker has it.
    pub(super) is_confirmed: bool,
    /// What the journal has.
    pub(super) saved: Saved,
    /// When a sample was last heard that has something about it.
    pub(super) in_sample: Now,
    /// When it is over by itself, in milliseconds: of what only ever begins.
    pub(super) over_at: Option<i64>,
    /// The verdict that holds until there is another one.
    pub(super) standing: Verdict,
}

/// What of an alert is in the journal.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Saved {
    /// Nothing.
    Nothing,
    /// It is pending since then, in milliseconds.
    Pending(i64),
    /// All of it, without its value: that alone is not worth writing.
    Whole(Box<Life>),
}

impl Watched {
    pub(super) fn new(life: Life, now: Now) -> Self {
        Self {
            life,
            published: None,
            is_confirmed: false,
            saved: Saved::Nothing,
            in_sample: now,
            over_at: None,
            standing: Verdict::Unclear,
        }
    }

    /// How long it must be wrong before it fires, in milliseconds. A loop has taken its time already.
    pub(super) fn for_ms(&self, config: &RuleConfig) -> i64 {
        if self.life.detail.as_deref() == Some(RESTART_LOOP) {
            0
        } else {
            config.for_ms()
        }
    }
}

/// A device, or the hub.
#[derive(Debug, Default)]
pub(super) struct Member {
    pub(super) config: DeviceAlerting,
    /// Of a device: what is concluded of it.
    pub(super) presence: Option<Presence>,
    pub(super) alerts: BTreeMap<Rule, Watched>,
    pub(super) services: Option<Services>,
    /// Where its own disks are mounted, by its last sample.
    pub(super) mounts: BTreeSet<String>,
    /// When its machine was started, in milliseconds by the hub's clock.
    pub(super) booted: Option<i64>,
    pub(super) interval_ms: Option<i64>,
    /// When it came back, of one behind which others hang.
    pub(super) back: Option<Now>,
    /// When there is something to do about it though nothing is heard, in milliseconds.
    pub(super) next: Option<i64>,
}

impl Member {
    /// Whether anything was concluded of it: of a device that was never seen nothing is said.
    pub(super) fn is_known(&self, subject: &Subject) -> bool {
        subject.device().is_none() || self.presence.is_some()
    }

    /// Whether it is there, and tells how it is.
    pub(super) fn is_seen(&self) -> bool {
        self.presence_is(PresenceState::Online)
    }

    pub(super) fn presence_is(&self, state: PresenceState) -> bool {
        self.presence.as_ref().is_some_and(|it| it.state == state)
    }

    pub(super) fn interval_ms(&self) -> i64 {
        self.interval_ms.unwrap_or(INTERVAL_MS)
    }

    pub(super) fn inventory(&mut self, info: &Info) {
        let ms = info.interval_secs * 1000.0;
        #[expect(clippy::cast_possible_truncation, reason = "it is within bounds")]
        if ms >= 1.0 && ms <= MAX_INTERVAL_MS as f64 {
            self.interval_ms = Some(ms as i64);
        }
    }

    /// Since when nobody can see how this rule of the device is. None: somebody can.
    pub(super) fn blind_since(&self, kind: RuleKind) -> Option<Timestamp> {
        let presence = self.presence.as_ref()?;
        let is_blind = match kind {
            RuleKind::Offline => presence.state == PresenceState::Unknown,
            RuleKind::Stale => {
                matches!(
                    presence.state,
                    PresenceState::Unknown | PresenceState::Offline
                )
            }
            // These only ever begin.
            RuleKind::Reboot | RuleKind::SamplesLost | RuleKind::Settings => false,
            _ => presence.state != PresenceState::Online,
        };
        is_blind.then_some(presence.since)
    }

    /// A wait does not go on while nobody can see how it is.
    pub(super) fn forget_waits(&mut self, now: Now) {
        let blind: Vec<Rule> = self
            .alerts
            .keys()
            .filter(|rule| self.blind_since(rule.kind()).is_some())
            .cloned()
            .collect();
        for rule in blind {
            if let Some(watched) = self.alerts.get_mut(&rule)
                && watched.life.pending_since().is_some()
            {
                watched.life.phase = Phase::Ok(now);
            }
        }
    }

    /// What was known of services and of its start is not so any more.
    pub(super) fn went_away(&mut self) {
        self.services = None;
        self.booted = None;
    }

    /// It is there again: what is in no sample has time to come back as well.
    pub(super) fn came_back(&mut self, now: Now) {
        for watched in self.alerts.values_mut() {
            watched.in_sample = now;
        }
    }

    /// Whether its own absence is, or is about to be, an alert.
    pub(super) fn is_missed(&self) -> bool {
        let offline = self.alerts.get(&Rule::of(RuleKind::Offline));
        offline.is_some_and(|it| !matches!(it.life.phase, Phase::Ok(_)))
    }

    /// Whether the device is gone, and somebody should hear of it.
    pub(super) fn offline(&self) -> Verdict {
        let Some(presence) = &self.presence else {
            return Verdict::Unclear;
        };
        match presence.state {
            PresenceState::Unknown => Verdict::Unclear,
            PresenceState::Online | PresenceState::Stale => Verdict::Good,
            PresenceState::Offline => {
                let is_planned = matches!(
                    presence.cause,
                    Some(PresenceCause::Shutdown | PresenceCause::Suspend)
                );
                if is_planned && !self.config.always_on {
                    Verdict::Good
                } else {
                    Verdict::Bad
                }
            }
        }
    }

    /// Whether the device is connected and sends nothing.
    pub(super) fn stale(&self) -> Verdict {
        match self.presence.as_ref().map(|it| it.state) {
            Some(PresenceState::Stale) => Verdict::Bad,
            Some(PresenceState::Online) => Verdict::Good,
            _ => Verdict::Unclear,
        }
    }

    /// The services that somebody wants to hear of.
    pub(super) fn watched_services(&self) -> impl Iterator<Item = &WatchableService> {
        let services = self.services.iter().flat_map(|it| &it.services);
        services.filter(|it| it.watched)
    }

    /// Whether its machine has only just been started: until `grace_ms` have passed.
    pub(super) fn is_starting(&self, grace_ms: i64, now: Now) -> bool {
        let booted = self.booted;
        booted.is_some_and(|booted| now.ms.saturating_sub(booted) < grace_ms)
    }

    /// When a service must be looked at again though nothing was heard, in milliseconds.
    pub(super) fn services_again(&self, grace_ms: i64, now: Now) -> Option<i64> {
        let grace = self.booted.map(|booted| booted.saturating_add(grace_ms));
        let grace = grace.filter(|it| *it > now.ms);
        let loops = self
            .alerts
            .values()
            .filter_map(|it| it.life.restarts.again());
        grace.into_iter().chain(loops).min()
    }
}
