//! What arrives over MQTT goes where it belongs: into the fleet, among the samples that are not
//! stored yet, to a machine that wants to join.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::payload::{Backfill, Metrics};
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{DeviceId, Message, ServiceName};
use netmonitor_service::clock;
use netmonitor_service::mqtt::{Event, Events, Outage};
use netmonitor_store::history::{Moment, Way};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::filled::Stretch;
use crate::fleet::Arrival;
use crate::intake::Taken;
use crate::join;
use crate::recent::Pushed;
use crate::types::{Live, LiveFilled};

/// Requests to join that may be under way; more wait, and time out.
const JOINS: usize = 16;

/// How often browsers are told which stretches of the past were filled.
const TICK: Duration = Duration::from_secs(1);

/// What the api hears of.
pub(crate) fn filters() -> Vec<String> {
    [
        Kind::DeviceStatus,
        Kind::DevicePresence,
        Kind::DeviceSession,
        Kind::DeviceInfo,
        Kind::DeviceMetrics,
        Kind::DeviceBackfill,
        Kind::DeviceServices,
        Kind::DeviceProcesses,
        Kind::Alert,
        Kind::Event,
        Kind::HubInfo,
        Kind::HubService,
        Kind::ChannelTested,
        Kind::JoinRequest,
    ]
    .map(|kind| kind.row().filter())
    .to_vec()
}

/// Works until `shutdown`. `seen`: the devices of which a sample was shown.
pub(crate) async fn run(
    app: Arc<App>,
    mut events: Events,
    seen: watch::Sender<BTreeSet<DeviceId>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let (mut joins, mut tasks) = (JoinSet::new(), JoinSet::new());
    let mut outage = Outage::default();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            () = shutdown.cancelled() => return Ok(()),
            Some(_) = joins.join_next() => continue,
            Some(_) = tasks.join_next() => continue,
            _ = tick.tick() => {
                tell_what_was_filled(&app);
                continue;
            }
            event = events.next() => event,
        };
        let now = clock::now();
        match event {
            None => return Ok(()),
            Some(Event::Connected) => {
                outage.over();
                app.intake().connected(moment());
                // What a command changed while the api was away, the broker has not heard.
                let app = app.clone();
                tasks.spawn(async move {
                    app.credentials_changed().await;
                    app.publish_settings().await;
                });
            }
            Some(Event::Disconnected(error)) => {
                if let Some(error) = outage.news(error) {
                    tracing::warn!(error, "the api is not connected to the broker");
                }
                app.change_fleet(|fleet| fleet.lost_sight(now));
                app.intake().disconnected(moment());
            }
            Some(Event::Message(Message::JoinRequest(id, request))) => {
                if joins.len() < JOINS {
                    let app = app.clone();
                    joins.spawn(async move { join::answer(&app, id, request).await });
                } else {
                    app.counters.count("joins_dropped");
                }
            }
            Some(Event::Message(Message::DeviceMetrics(device, metrics))) => {
                sampled(&app, &device, metrics, now);
                seen.send_if_modified(|seen| !seen.contains(&device) && seen.insert(device));
            }
            Some(Event::Message(Message::DeviceBackfill(device, backfill))) => {
                filled(&app, &device, &backfill);
            }
            Some(Event::Message(Message::ChannelTested(tested))) => app.tested(tested),
            Some(Event::Message(message)) => apply(&app, message, Arrival::Live, now),
            Some(Event::Retained(message)) => apply(&app, message, Arrival::Retained, now),
        }
    }
}

/// By both clocks of the hub.
fn moment() -> Moment {
    Moment {
        wall: clock::now(),
        since_boot: clock::since_boot(),
    }
}

fn apply(app: &App, message: Message, arrival: Arrival, now: Timestamp) {
    if let Message::HubService(ServiceName::Ingest, health) = &message {
        app.intake().ingest_is(health, moment());
    }
    app.change_fleet(|fleet| fleet.apply(message, arrival, now));
}

fn sampled(app: &App, device: &DeviceId, metrics: Box<Metrics>, now: Timestamp) {
    // Left behind by a device that was removed.
    if !app.fleet().knows(device) {
        return;
    }
    let taken = take(app, device, &metrics, Way::Live, moment());
    app.change_fleet(|fleet| fleet.sampled(device, metrics, taken.at, taken.ahead, now));
}

fn filled(app: &App, device: &DeviceId, backfill: &Backfill) {
    if !app.fleet().knows(device) {
        return;
    }
    let receipt = moment();
    for metrics in &backfill.samples {
        take(app, device, metrics, Way::Backfill, receipt);
    }
}

fn take(app: &App, device: &DeviceId, metrics: &Metrics, way: Way, receipt: Moment) -> Taken {
    let taken = app.intake().take(device, metrics, way, receipt);
    if let Pushed::KeptForOlder(dropped) = taken.pushed {
        app.counters.add("recent_samples_dropped", dropped);
    }
    taken
}

fn tell_what_was_filled(app: &App) {
    let now = moment();
    if app.intake().is_unheard_stored(now) {
        let devices = app.fleet().ids();
        app.intake().tell_unheard(&devices);
    }
    let filled = app.intake().tick(now);
    if filled.is_empty() {
        return;
    }
    let tell = |(device, stretch): (DeviceId, Stretch)| {
        Live::Filled(LiveFilled {
            id: device.to_string(),
            from: stretch.from.into(),
            to: stretch.to.into(),
        })
    };
    app.change_fleet(|_| filled.into_iter().map(tell).collect());
}
