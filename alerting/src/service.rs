//! The service: hears, concludes, and has done what follows.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::Heartbeat;
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::frame::{self, Frame};
use netmonitor_service::language::Language;
use netmonitor_service::mqtt::{Dial, Event, Events, Outage};
use netmonitor_service::{Counters, DataDir, clock, environment};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::brain::{Brain, ToDo};
use crate::channels::Courier;
use crate::heartbeat;
use crate::journal::Journal;
use crate::outbox::Outbox;
use crate::policy::Policy;
use crate::post::{self, Office};
use crate::storage;
use crate::trends;
use crate::trial::{AT_ONCE, Trial};
use crate::watch::Watch;

/// Received messages that may wait: what is retained of a large fleet comes all at once. When
/// it is full the client stops reading; what is retained comes again.
const QUEUE: usize = 4096;

/// Messages to channels on their way from the journal. When it is full, the journal waits.
const PARCELS: usize = 64;

/// What it hears. What is set comes first, then its own conclusions: they are where it begins.
const HEARD: [Kind; 14] = [
    Kind::Settings,
    Kind::DeviceAlerting,
    Kind::Alert,
    Kind::DevicePresence,
    Kind::DeviceSettings,
    Kind::DeviceStatus,
    Kind::DeviceSession,
    Kind::DeviceInfo,
    Kind::DeviceServices,
    Kind::DeviceMetrics,
    Kind::HubService,
    Kind::AlertSet,
    Kind::Event,
    Kind::ChannelTest,
];

/// What is retained comes at once after the connection, and one after the other: after so long without
/// any, all has come.
const QUIET: Duration = Duration::from_millis(500);

/// So long after the first connection somebody must have said what is set.
const SETTINGS_WITHIN: Duration = Duration::from_secs(10);

/// How long messages that are being sent may take at the end.
const LAST: Duration = Duration::from_secs(3);

/// How often it is looked how full the disk is, and whether devices do what they are told.
const HUB_EVERY: Duration = Duration::from_mins(1);

/// Works until `shutdown`. An error if its memory is somebody else's, who is at work.
pub async fn run(
    config: Config,
    data_dir: DataDir,
    history: PathBuf,
    dial: Dial,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let counters = Counters::default();
    let (sender, parcels) = mpsc::channel(PARCELS);
    let (journal, writing, mut left) = Journal::open(&data_dir, sender.clone(), counters.clone())?;
    let (frame, mut events) = Frame::start(frame::Options {
        name: ServiceName::Alerting,
        version: env!("CARGO_PKG_VERSION"),
        dial,
        commit_interval: None,
        filters: HEARD.map(|kind| kind.row().filter()).to_vec(),
        queue: QUEUE,
        counters: counters.clone(),
    });
    let (outbox, sending) = Outbox::start(frame.publisher().clone(), counters.clone());
    let policy = Policy::new(Language::of(environment::language().as_deref()));
    let mut brain = Brain::new(config.timing(), policy, counters.clone());
    brain.restore(&mut left);
    let policy = brain.policy().clone();
    let (heartbeat, current_heartbeat) = watch::channel(policy.channels.heartbeat.clone());
    let (policy, current_policy) = watch::channel(policy);
    let courier = Arc::new(Courier::new(data_dir.clone(), frame.publisher().clone()));
    let office = Office {
        courier: courier.clone(),
        policy: current_policy,
        journal: journal.clone(),
        outbox: outbox.clone(),
        counters: counters.clone(),
        stop: CancellationToken::new(),
    };
    let stop = office.stop.clone();
    let mut deliveries = JoinSet::new();
    deliveries.spawn(post::deliver(office, parcels));
    let mut heart = JoinSet::new();
    heart.spawn(heartbeat::run(
        data_dir.clone(),
        current_heartbeat,
        counters.clone(),
    ));
    let trial = Trial {
        courier,
        data_dir: data_dir.clone(),
        outbox: outbox.clone(),
    };
    let hands = Hands {
        outbox,
        trial,
        journal,
        policy,
        heartbeat,
    };
    // What an earlier run has not sent.
    for parcel in std::mem::take(&mut left.parcels) {
        let _taken = sender.send(parcel).await;
    }
    drop(sender);
    let places = Places { data_dir, history };
    let work = conclude(brain, &mut events, &hands, &counters, &places);
    shutdown.run_until_cancelled(work).await;
    heart.shutdown().await;
    // What is being sent is sent, and noted; the rest is for the next run.
    stop.cancel();
    let all = async { while deliveries.join_next().await.is_some() {} };
    if tokio::time::timeout(LAST, all).await.is_err() {
        tracing::warn!("a message is still on its way: it is sent again at the next start");
    }
    deliveries.shutdown().await;
    drop(hands);
    sending.stop().await;
    tokio::task::spawn_blocking(move || writing.join()).await?;
    frame.stop().await;
    Ok(())
}

/// What carries out what is concluded.
struct Hands {
    outbox: Outbox,
    trial: Trial,
    journal: Journal,
    policy: watch::Sender<Policy>,
    heartbeat: watch::Sender<Option<Heartbeat>>,
}

impl Hands {
    fn carry_out(&self, to_do: ToDo) {
        for message in to_do.messages {
            self.outbox.send(message);
        }
        if let Some(policy) = to_do.policy {
            self.set(policy);
        }
        self.journal.write(to_do.entries);
    }

    fn set(&self, policy: Policy) {
        let heartbeat = &policy.channels.heartbeat;
        self.heartbeat.send_if_modified(|now| {
            let is_news = now != heartbeat;
            now.clone_from(heartbeat);
            is_news
        });
        self.policy.send_replace(policy);
    }
}

/// What lies where.
struct Places {
    data_dir: DataDir,
    history: PathBuf,
}

/// Feeds the engines, and does what they say.
async fn conclude(
    mut brain: Brain,
    events: &mut Events,
    hands: &Hands,
    counters: &Counters,
    places: &Places,
) {
    let mut outage = Outage::default();
    let mut watch = Watch::new();
    let mut look_at_hub = tokio::time::interval(HUB_EVERY);
    let mut look_at_trends =
        tokio::time::interval_at(tokio::time::Instant::now() + trends::FIRST, trends::EVERY);
    let mut found = JoinSet::new();
    let mut settings_by: Option<Instant> = None;
    let mut caught_up_by: Option<Instant> = None;
    let mut trials = JoinSet::new();
    loop {
        let all = [brain.deadline(), settings_by, caught_up_by];
        let deadline = all.into_iter().flatten().min();
        let deadline = deadline.map(tokio::time::Instant::from_std);
        let wake = tokio::time::sleep_until(deadline.unwrap_or_else(far_away));
        let mut to_do = ToDo::default();
        let heard = tokio::select! {
            event = events.next() => match event {
                Some(event) => Some(event),
                None => return,
            },
            () = wake, if deadline.is_some() => None,
            () = watch.pulse() => None,
            Some(_) = trials.join_next() => continue,
            _ = look_at_trends.tick(), if found.is_empty() => {
                let (history, disks) = (places.history.clone(), brain.disks());
                found.spawn_blocking(move || trends::trends(&history, disks, clock::now()));
                continue;
            }
            Some(trends) = found.join_next() => {
                for trend in trends.unwrap_or_default() {
                    brain.trend(trend, &mut to_do);
                }
                None
            }
            _ = look_at_hub.tick() => {
                brain.look_at_deliveries(&mut to_do);
                if let Some(used) = storage_used(&places.data_dir).await {
                    brain.storage(used, &mut to_do);
                }
                None
            }
        };
        // Before anything is made of what has come, or has not.
        if let Some(absence) = watch.stood_still() {
            tracing::warn!(secs = absence.as_secs(), "the hub stood still");
            counters.count("stood_still");
            brain.stood_still(&mut to_do);
        }
        match heard {
            Some(Event::Connected) => {
                outage.over();
                settings_by = settings_by.or_else(|| Instant::now().checked_add(SETTINGS_WITHIN));
                caught_up_by = Instant::now().checked_add(QUIET);
                brain.connected(&mut to_do);
            }
            Some(Event::Disconnected(error)) => {
                if let Some(error) = outage.news(error) {
                    tracing::warn!(error, "alerting is not connected to the broker");
                }
                brain.lost(&mut to_do);
            }
            Some(Event::Message(Message::ChannelTest(test))) => {
                if trials.len() < AT_ONCE {
                    let policy = hands.policy.borrow().clone();
                    trials.spawn(hands.trial.clone().run(test, policy));
                } else {
                    hands.trial.refuse(test);
                }
            }
            Some(Event::Message(message)) => brain.hear(message, false, &mut to_do),
            Some(Event::Retained(message)) => {
                caught_up_by = caught_up_by.and_then(|_| Instant::now().checked_add(QUIET));
                brain.hear(message, true, &mut to_do);
            }
            None => brain.elapsed(&mut to_do),
        }
        if caught_up_by.is_some_and(|by| by <= Instant::now()) {
            caught_up_by = None;
            brain.caught_up(&mut to_do);
        }
        if settings_by.is_some_and(|by| by <= Instant::now()) {
            settings_by = Instant::now().checked_add(Duration::from_hours(24 * 365));
            brain.settings_are_late(&mut to_do);
        }
        hands.carry_out(to_do);
    }
}

/// The disk is asked off the async threads: it may hang.
async fn storage_used(data_dir: &DataDir) -> Option<f64> {
    let path = data_dir.path().to_owned();
    let asked = tokio::task::spawn_blocking(move || storage::used_percent(&path));
    let within = tokio::time::timeout(Duration::from_secs(1), asked).await;
    within.ok()?.ok()?
}

fn far_away() -> tokio::time::Instant {
    tokio::time::Instant::now() + Duration::from_hours(1)
}
