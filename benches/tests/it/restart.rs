//! The hub is away for a moment, under many agents: nobody is called gone who is not.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use netmonitor_benches::fleet::{self, Agent, Belief, Config, Fleet};
use netmonitor_benches::hub::Hub;
use netmonitor_protocol::payload::{EventKind, PresenceCause, PresenceState};
use netmonitor_protocol::{DeviceId, Topic};
use netmonitor_rules::presence::Timing;
use netmonitor_service::DataDir;
use netmonitor_service::mqtt::RECONNECT_WAIT_MAX;
use netmonitor_store::HistoryReader;
use netmonitor_store::history::EventFilter;
use netmonitor_testkit::program;
use tokio::task::block_in_place;
use tokio::time::sleep;

use super::DEADLINE;

const AGENTS: usize = 100;

/// Those that die while the hub is away: once they are known to be gone, everybody is judged.
const DEAD: [usize; 3] = [0, 41, 99];

/// What connecting may take on a machine that does a hundred handshakes, and other things.
const HANDSHAKES: Duration = Duration::from_secs(10);

/// The log is on the disk soon, and survives a hub that is killed.
const CONFIG: &str = "[ingest]\ncommit_interval_secs = 0.2\nclock_wait_secs = 0\n";

async fn until(what: &str, within: Duration, condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let ended = tokio::time::timeout(within, waiting).await;
    assert!(ended.is_ok(), "{what}, within {within:?}");
}

/// The devices of which the log says this.
fn logged(hub: &Hub, kind: &EventKind) -> Vec<DeviceId> {
    let data = DataDir::from(hub.data_dir().to_owned());
    let filter = EventFilter {
        limit: 10_000,
        ..EventFilter::default()
    };
    let lines = HistoryReader::new(&data.history_db()).events(&filter);
    let mut devices: Vec<_> = lines
        .unwrap()
        .into_iter()
        .filter(|line| line.event.kind == *kind)
        .filter_map(|line| line.event.device)
        .collect();
    devices.sort();
    devices
}

/// Whether the broker's file says somewhere that they are there.
fn are_on_disk(hub: &Hub, fleet: &Fleet) -> bool {
    let files = ["retained.db", "retained.db-wal"].map(|name| hub.data_dir().join(name));
    let bytes = files.map(|path| std::fs::read(path).unwrap_or_default());
    let text = String::from_utf8_lossy(&bytes.concat()).into_owned();
    let mut topics = fleet.agents.iter().map(|agent| {
        let topic = Topic::DevicePresence(agent.device().clone());
        topic.to_string()
    });
    topics.all(|topic| text.contains(&topic))
}

fn is_connected(agent: &Agent) -> bool {
    matches!(agent.belief(), Belief::Connected(_))
}

/// Who is not what it should be.
fn describe(fleet: &Fleet) -> String {
    let wrong = fleet.agents.iter().filter(|agent| !agent.is_concluded());
    let lines = wrong.map(|agent| {
        let (device, ledger) = (agent.device(), fleet.ledger());
        let (status, presence) = (ledger.last_status(device), ledger.last_presence(device));
        format!("{device} is {:?}: {status:?}, {presence:?}", agent.belief())
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Waits until the hub's conclusion about each agent is right.
async fn is_concluded(fleet: &Fleet) {
    let ended = fleet.concluded(DEADLINE).await;
    assert!(ended.is_ok(), "{}", describe(fleet));
}

/// Takes the hub away and starts it again. Meanwhile three agents die.
async fn the_hub_is_away(go: impl FnOnce(&mut Hub) -> anyhow::Result<()>) {
    let mut hub = Hub::start(&program("netmonitor"), CONFIG).unwrap();
    let code = hub.join_code(AGENTS).unwrap();
    let watch = hub.watcher(&code).unwrap();
    let identities = fleet::join(&code, AGENTS).await.unwrap();
    let config = Config {
        relays: false,
        ..Config::default()
    };
    let mut fleet = Fleet::start(identities, watch, config).await.unwrap();
    fleet.settled(DEADLINE).await.unwrap();
    is_concluded(&fleet).await;
    until("all are on the hub's disk", DEADLINE, || {
        are_on_disk(&hub, &fleet)
    })
    .await;
    let sessions: Vec<_> = fleet.agents.iter().map(Agent::session).collect();

    block_in_place(|| go(&mut hub)).unwrap();
    until("everybody notices", DEADLINE, || {
        !fleet.agents.iter().any(is_connected)
    })
    .await;
    for at in DEAD {
        fleet.agents[at].kill();
    }
    let dead: BTreeSet<_> = DEAD.map(|at| fleet.agents[at].device().clone()).into();
    block_in_place(|| hub.start_again()).unwrap();
    let started = Instant::now();
    let lives = |agent: &&Agent| !dead.contains(agent.device());
    until(
        "those that live are back",
        RECONNECT_WAIT_MAX + HANDSHAKES,
        || fleet.agents.iter().filter(lives).all(is_connected),
    )
    .await;

    is_concluded(&fleet).await;
    // Its own services need their time to connect as well.
    let judged = Timing::default().judged_after(Some(config.interval)) + HANDSHAKES;
    assert!(started.elapsed() < judged, "{:?}", started.elapsed());
    for (agent, session) in fleet.agents.iter().zip(sessions) {
        let (device, ledger) = (agent.device(), fleet.ledger());
        let presence = ledger.last_presence(device).unwrap();
        if dead.contains(device) {
            let lost = (PresenceState::Offline, Some(PresenceCause::Lost));
            assert_eq!((presence.state, presence.cause), lost, "{device}");
        } else {
            assert_eq!(presence.state, PresenceState::Online, "{device}");
            assert_eq!(ledger.last_status(device).unwrap().1, session, "{device}");
        }
    }
    assert_eq!(fleet.ledger().wrongly_concluded(), [""; 0]);
    until("the log has the dead", DEADLINE, || {
        logged(&hub, &EventKind::DeviceOffline).len() >= DEAD.len()
    })
    .await;
    let gone = logged(&hub, &EventKind::DeviceOffline);
    assert_eq!(gone, Vec::from_iter(dead));
    assert_eq!(logged(&hub, &EventKind::DeviceStale), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_was_killed_under_a_hundred_agents_misses_those_who_died_meanwhile_and_no_other()
{
    the_hub_is_away(|hub| hub.program.kill()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_that_was_stopped_under_a_hundred_agents_misses_those_who_died_meanwhile_and_no_other()
 {
    the_hub_is_away(|hub| hub.program.stop()).await;
}
