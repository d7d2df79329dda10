//! Alerting: concludes who is there (`device/{id}/presence`), and says so in the log.
//!
//! The shell around [`netmonitor_rules::presence`], which is where everything is decided. It
//! has no database and waits for none: what it has published is retained by the broker, and is
//! where it begins when it is started again.
//!
//! - [`config`]: what can be set
//! - [`words`], [`routing`]: what a message says, and who gets it when: pure
//! - [`channels`]: how it gets there; [`heartbeat`]: how somebody notices that the hub is gone

pub mod channels;
pub mod config;
pub mod heartbeat;
mod http;
mod outbox;
pub mod routing;
mod watch;
pub mod words;

pub use config::Config;

use std::time::{Duration, Instant};

use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName, Topic};
use netmonitor_rules::presence::{Effect, Engine, Input, Moment};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::mqtt::{Dial, Event, Events, Outage};
use netmonitor_service::{Counters, clock};
use tokio_util::sync::CancellationToken;

use crate::outbox::Outbox;
use crate::watch::Watch;

/// Received messages that may wait: what is retained of a large fleet comes all at once. When
/// it is full the client stops reading; what is retained comes again.
const QUEUE: usize = 4096;

/// What it hears. Its own conclusions come first: they are where it begins.
const HEARD: [Kind; 6] = [
    Kind::DevicePresence,
    Kind::DeviceSettings,
    Kind::DeviceStatus,
    Kind::DeviceSession,
    Kind::DeviceInfo,
    Kind::DeviceMetrics,
];

/// Works until `shutdown`.
pub async fn run(config: Config, dial: Dial, shutdown: CancellationToken) -> anyhow::Result<()> {
    let (frame, mut events) = Frame::start(frame::Options {
        name: ServiceName::Alerting,
        version: env!("CARGO_PKG_VERSION"),
        dial,
        commit_interval: None,
        filters: HEARD.map(|kind| kind.row().filter()).to_vec(),
        queue: QUEUE,
        counters: Counters::default(),
    });
    let outbox = Outbox::start(frame.publisher().clone(), frame.counters().clone());
    let engine = Engine::new(config.timing());
    let work = conclude(engine, &mut events, &outbox, frame.counters());
    shutdown.run_until_cancelled(work).await;
    outbox.stop().await;
    frame.stop().await;
    Ok(())
}

/// Feeds the engine, and does what it says.
async fn conclude(mut engine: Engine, events: &mut Events, outbox: &Outbox, counters: &Counters) {
    let mut outage = Outage::default();
    let mut watch = Watch::new();
    loop {
        let deadline = engine.deadline().map(tokio::time::Instant::from_std);
        let wake = tokio::time::sleep_until(deadline.unwrap_or_else(far_away));
        let input = tokio::select! {
            event = events.next() => match event {
                Some(event) => Some(input(event, &mut outage)),
                None => return,
            },
            () = wake, if deadline.is_some() => Some(Input::Elapsed),
            () = watch.pulse() => None,
        };
        // Before anything is made of what has come, or has not.
        let stood_still = watch.stood_still().map(|absence| {
            tracing::warn!(secs = absence.as_secs(), "the hub stood still");
            counters.count("stood_still");
            Input::StoodStill
        });
        let passed_over = engine.passed_over();
        let now = Moment {
            monotonic: Instant::now(),
            wall: clock::now(),
        };
        for input in stood_still.into_iter().chain(input) {
            for effect in engine.handle(input, now) {
                outbox.send(message(effect, counters));
            }
        }
        let more = engine.passed_over() - passed_over;
        if more > 0 {
            counters.add("dropped_too_many_devices", more);
        }
    }
}

fn far_away() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_hours(1)
}

fn input(event: Event, outage: &mut Outage) -> Input {
    match event {
        Event::Connected => {
            outage.over();
            Input::Connected
        }
        Event::Disconnected(error) => {
            if let Some(error) = outage.news(error) {
                tracing::warn!(error, "alerting is not connected to the broker");
            }
            Input::Lost
        }
        Event::Message(message) => Input::Message(message),
        Event::Retained(message) => Input::Retained(message),
    }
}

fn message(effect: Effect, counters: &Counters) -> Message {
    match effect {
        Effect::Publish(device, presence) => {
            counters.count("conclusions");
            let (state, cause) = (presence.state.as_str(), presence.cause);
            let cause = cause.map(netmonitor_protocol::payload::PresenceCause::as_str);
            tracing::debug!(%device, state, cause, "presence");
            Message::DevicePresence(device, presence)
        }
        Effect::Clear(device) => Message::Cleared(Topic::DevicePresence(device)),
        Effect::Log(event) => Message::Event(event),
    }
}
