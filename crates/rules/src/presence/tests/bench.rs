//! What the tests of the engine are made of: an engine, a clock, and short words for messages.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    EndCause, Ended, Event, EventKind, Info, Metrics, Presence, PresenceCause, PresenceState,
    Session, Status,
};
use netmonitor_protocol::{DeviceId, Message, SessionId};
use serde_json::json;

use super::super::{Effect, Engine, Input, Moment, Timing};

/// An engine, the time, and what it has done so far.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) now: Moment,
    pub(super) effects: Vec<Effect>,
}

pub(super) const CLONED: EventKind = EventKind::DeviceCloned;

pub(super) type Concluded = (PresenceState, Option<PresenceCause>);

impl Bench {
    /// Connected for so long that everything retained has come.
    pub(super) fn settled() -> Self {
        let mut bench = Self::new();
        bench.give(Input::Connected);
        bench.pass(60.0);
        bench
    }

    pub(super) fn new() -> Self {
        Self {
            engine: Engine::new(Timing::default()),
            now: Moment {
                monotonic: Instant::now(),
                wall: Timestamp::from_second(1_800_000_000).unwrap(),
            },
            effects: Vec::new(),
        }
    }

    /// With a device that has been online for a while.
    pub(super) fn with_device() -> Self {
        let mut bench = Self::settled();
        bench.all_live(born(11));
        bench.samples(11, 5);
        assert_eq!(bench.published(), [(PresenceState::Online, None)]);
        assert_eq!(bench.kinds(), [EventKind::DeviceOnline]);
        bench.effects.clear();
        bench
    }

    /// The same broker, and an engine that knows nothing: the hub was started anew.
    pub(super) fn start_again(&mut self) {
        self.engine = Engine::new(Timing::default());
        self.effects.clear();
    }

    pub(super) fn give(&mut self, input: Input) {
        let effects = self.engine.handle(input, self.now);
        self.effects.extend(effects);
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests make messages where they say them"
    )]
    pub(super) fn live(&mut self, message: Message) {
        self.give(Input::Message(&message));
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "tests make messages where they say them"
    )]
    pub(super) fn retained(&mut self, message: Message) {
        self.give(Input::Retained(&message));
    }

    pub(super) fn all_live(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.live(message);
        }
    }

    pub(super) fn all_retained(&mut self, messages: impl IntoIterator<Item = Message>) {
        for message in messages {
            self.retained(message);
        }
    }

    /// Its will is published, and nobody comes back in time.
    pub(super) fn dies(&mut self, session: u64) {
        self.live(offline(session));
        self.pass(2.0);
    }

    /// Time passes; the engine is called when it asks for it.
    pub(super) fn pass(&mut self, secs: f64) {
        let end = self.now.monotonic + Duration::from_secs_f64(secs);
        while let Some(deadline) = self.engine.deadline().filter(|it| *it <= end) {
            let before = self.now.monotonic;
            self.forward(deadline.max(before));
            self.give(Input::Elapsed);
            let next = self.engine.deadline();
            assert!(next.is_none_or(|next| next > self.now.monotonic), "busy");
        }
        self.forward(end);
    }

    /// Time passes, and the engine is not called.
    pub(super) fn stands_still(&mut self, secs: f64) {
        self.forward(self.now.monotonic + Duration::from_secs_f64(secs));
    }

    fn forward(&mut self, to: Instant) {
        self.now.wall += to - self.now.monotonic;
        self.now.monotonic = to;
    }

    /// A device that sends samples for a while.
    pub(super) fn samples(&mut self, session: u64, secs: u32) {
        for _ in 0..secs {
            self.live(sample(session));
            self.pass(1.0);
        }
    }

    pub(super) fn is(&self) -> Option<Concluded> {
        let presence = self.engine.presence(&id())?;
        Some((presence.state, presence.cause))
    }

    /// Everything published so far.
    pub(super) fn published(&self) -> Vec<Concluded> {
        let presence = |effect: &Effect| match effect {
            Effect::Publish(_, Presence { state, cause, .. }) => Some((*state, *cause)),
            _ => None,
        };
        self.effects.iter().filter_map(presence).collect()
    }

    /// The lines of the log so far.
    pub(super) fn lines(&self) -> Vec<Event> {
        let line = |effect: &Effect| match effect {
            Effect::Log(event) => Some(event.clone()),
            _ => None,
        };
        self.effects.iter().filter_map(line).collect()
    }

    pub(super) fn kinds(&self) -> Vec<EventKind> {
        self.lines().into_iter().map(|line| line.kind).collect()
    }
}

pub(super) fn id() -> DeviceId {
    "ws-14".parse().unwrap()
}

pub(super) fn online(session: u64) -> Message {
    Message::DeviceStatus(id(), Status::Online, Some(SessionId(session)))
}

pub(super) fn offline(session: u64) -> Message {
    Message::DeviceStatus(id(), Status::Offline, Some(SessionId(session)))
}

/// As an older agent or a script says it.
pub(super) fn plain(status: Status) -> Message {
    Message::DeviceStatus(id(), status, None)
}

/// The boot id is the tens of the session, so that 11 and 12 are two starts of the agent and
/// 21 is one after a reboot.
pub(super) fn birth(session: u64) -> Message {
    Message::DeviceSession(id(), session_of(session, None))
}

pub(super) fn ended(session: u64, cause: EndCause) -> Message {
    Message::DeviceSession(id(), session_of(session, Some(cause)))
}

fn session_of(session: u64, ended: Option<EndCause>) -> Session {
    let time = Timestamp::from_second(1_700_000_000).unwrap();
    Session {
        session: SessionId(session),
        boot_id: Some(format!("boot-{}", session / 10)),
        since: time,
        agent_version: "1".to_owned(),
        ended: ended.map(|cause| Ended { cause, time }),
    }
}

pub(super) fn info(session: u64, interval_secs: f64) -> Message {
    let machine = session / 10;
    let info: Info = serde_json::from_value(json!({
        "time": "2026-11-22T10:00:00Z", "name": "WS 14", "host_name": "ws-14", "os": "Debian",
        "architecture": "x86_64", "cores": 4, "memory_bytes": 1, "agent_version": "1",
        "interval_secs": interval_secs, "boot_id": format!("boot-{machine}"),
        "interfaces": [
            { "name": "lo", "addresses": ["127.0.0.1/8", "::1/128"] },
            { "name": "eth0", "addresses": [format!("192.168.1.{machine}/24"), "fe80::1/64"] },
        ],
    }))
    .unwrap();
    Message::DeviceInfo(id(), Box::new(info))
}

pub(super) fn sample(session: u64) -> Message {
    let metrics: Metrics = serde_json::from_value(json!({
        "session": SessionId(session), "seq": 1, "time": "2026-11-22T10:00:00Z",
        "uptime_secs": 1, "cpu": { "usage_percent": 1.0 },
        "memory": { "total_bytes": 100, "used_bytes": 1 },
    }))
    .unwrap();
    Message::DeviceMetrics(id(), Box::new(metrics))
}

/// What an agent says when it has connected.
pub(super) fn born(session: u64) -> [Message; 4] {
    [
        birth(session),
        info(session, 3.0),
        online(session),
        sample(session),
    ]
}
