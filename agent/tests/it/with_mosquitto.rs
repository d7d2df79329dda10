//! The life of an agent on a real broker (Debian's mosquitto), over TLS.

mod any_broker;
pub(crate) mod broker;
mod connection;
mod copies;
mod history;
pub(crate) mod hub;
mod processes;
mod relay;

use std::process::Command;
use std::time::{Duration, Instant};

use netmonitor_agent::joined;
use netmonitor_protocol::payload::{EndCause, ServiceManager, Session, Status};
use netmonitor_protocol::{Message, SessionId, Topic};
use nix::sys::signal::Signal;

use crate::program::{Running, agent, output, until};
use broker::Broker;
use hub::Hub;
use relay::Relay;

/// A machine that has joined, and what it takes to watch it.
pub(crate) struct Joined {
    state: tempfile::TempDir,
    broker: Broker,
    pub(crate) hub: Hub,
    relays: Vec<Relay>,
}

pub(crate) async fn join() -> Joined {
    join_at(|_| async { Vec::new() }).await
}

/// Joins through relays to the port given, instead of directly.
async fn join_at<R: Future<Output = Vec<Relay>>>(relays: impl FnOnce(u16) -> R) -> Joined {
    let state = tempfile::tempdir().unwrap();
    let broker = Broker::start();
    let hub = Hub::start(&broker).await;
    let relays = relays(broker.tls_port()).await;
    let mut code = broker.join_code();
    if !relays.is_empty() {
        code.addresses = relays.iter().map(Relay::address).collect();
    }
    let code = code.to_string();
    let mut command = agent(state.path(), &["join", &code, "--name", "Reception"]);
    let joining = tokio::task::spawn_blocking(move || output(&mut command));
    let hub = hub.enrol("ws-14").await;
    let (exit, stdout, stderr) = joining.await.unwrap();
    assert_eq!(exit, Some(0), "{stderr}");
    assert_eq!(stdout, "joined as ws-14\n");
    Joined {
        state,
        broker,
        hub,
        relays,
    }
}

impl Joined {
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        agent(self.state.path(), arguments)
    }

    fn run(&self) -> Running {
        Running::start(&mut self.command(&["run", "--interval", "1s"]))
    }

    pub(crate) async fn birth(&mut self) -> Session {
        self.birth_with(1.0).await
    }

    async fn birth_with(&mut self, interval_secs: f64) -> Session {
        let session = self.hub.next_session().await;
        assert_eq!(session.ended, None);
        let Message::DeviceInfo(_, info) = self.hub.next().await else {
            panic!("info follows the session")
        };
        assert_eq!(info.name, "Reception");
        assert!(
            (info.interval_secs - interval_secs).abs() < 1e-9,
            "{info:?}"
        );
        assert_eq!(
            self.hub.next().await,
            status(Status::Online, session.session)
        );
        session
    }
}

impl Joined {
    pub(crate) fn stop_broker(&mut self) {
        self.broker.stop();
    }

    /// Starts the broker anew, and waits until the hub is back.
    pub(crate) async fn restart_broker(&mut self) {
        self.broker.restart();
        self.hub.reconnected().await;
    }

    /// Whether the broker has noted a connection of the agent that has not ended.
    pub(crate) fn is_connected(&self) -> bool {
        self.broker.is_connected("agent-ws-14")
    }

    /// The files on disk that hold what waits for the hub.
    pub(crate) fn blocks(&self) -> Vec<std::path::PathBuf> {
        let files = std::fs::read_dir(self.state.path().join("spool")).unwrap();
        let files = files.map(|it| it.unwrap().path());
        files
            .filter(|it| it.extension().is_some_and(|ending| ending == "block"))
            .collect()
    }

    /// How much waits in memory for the hub, in bytes.
    pub(crate) fn tail_bytes(&self) -> u64 {
        let folders = std::fs::read_dir(self.state.path().join("run")).unwrap();
        let files = folders.flat_map(|it| std::fs::read_dir(it.unwrap().path()).unwrap());
        files
            .map(|it| it.unwrap().metadata().map_or(0, |it| it.len()))
            .sum()
    }

    fn configure(&self, text: &str) {
        std::fs::write(self.state.path().join("agent.toml"), text).unwrap();
    }

    fn identity_file(&self) -> String {
        std::fs::read_to_string(self.state.path().join("identity.json")).unwrap()
    }

    fn rewrite_identity(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let mut json = serde_json::from_str(&self.identity_file()).unwrap();
        change(&mut json);
        std::fs::write(self.state.path().join("identity.json"), json.to_string()).unwrap();
    }
}

fn status(status: Status, session: SessionId) -> Message {
    Message::DeviceStatus("ws-14".parse().unwrap(), status, Some(session))
}

#[tokio::test]
async fn a_machine_joins_is_born_dies_and_says_goodbye() {
    let mut joined = join().await;

    let mut running = joined.run();
    let first = joined.birth().await;
    let sample = joined.hub.next_sample().await;
    assert_eq!((sample.session, sample.seq), (first.session, 1));
    let next = joined.hub.next_sample().await;
    assert_eq!((next.session, next.seq), (first.session, 2));
    assert!(next.time > sample.time);

    running.signal(Signal::SIGKILL);
    let killed = Instant::now();
    let died = joined.hub.next_status(Status::Offline).await;
    assert_eq!(died, Some(first.session), "the will says whose it is");
    assert!(
        killed.elapsed() < Duration::from_secs(2),
        "the will speaks at once"
    );
    running.ended();

    let mut running = joined.run();
    let second = joined.birth().await;
    assert_ne!(second.session, first.session);
    assert_eq!(second.boot_id, first.boot_id);
    assert_eq!(joined.hub.next_sample().await.seq, 1);

    running.signal(Signal::SIGTERM);
    let ended = joined.hub.next_session().await;
    assert_eq!(ended.session, second.session);
    assert_eq!(ended.ended.unwrap().cause, EndCause::Stop);
    assert_eq!(
        joined.hub.next().await,
        status(Status::Offline, second.session)
    );
    let (code, took) = running.ended();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn after_a_restart_of_the_broker_everything_is_told_anew_in_order() {
    let mut joined = join().await;
    let running = joined.run();
    let before = joined.birth().await;
    let sample = joined.hub.next_sample().await;

    // The agent stands still until the hub is back: retained messages have no order.
    running.signal(Signal::SIGSTOP);
    joined.broker.restart();
    joined.hub.reconnected().await;
    running.signal(Signal::SIGCONT);
    let after = joined.birth().await;
    assert_eq!(after, before, "the same start of the agent");
    let Message::DeviceServices(_, services) = joined.hub.next().await else {
        panic!("services follow the status")
    };
    assert_eq!(services.manager, ServiceManager::Processes);
    let names: Vec<&str> = services
        .services
        .iter()
        .map(|it| it.name.as_str())
        .collect();
    // The kernel keeps 15 characters of a name.
    assert!(names.contains(&"netmonitor-agen"), "{names:?}");
    assert!(names.is_sorted());
    let Message::DeviceMetrics(_, latest) = joined.hub.next().await else {
        panic!("the latest sample is last")
    };
    assert!(latest.seq >= sample.seq);
}

#[tokio::test]
async fn an_agent_objects_when_someone_else_says_offline() {
    let mut joined = join().await;
    let _running = joined.run();
    joined.birth().await;
    let before = SessionId(7);
    joined.hub.say(status(Status::Offline, before)).await;
    joined.hub.next_status(Status::Offline).await;
    joined.hub.next_status(Status::Online).await;
}

#[tokio::test]
async fn a_stop_without_a_hub_is_quick() {
    let mut joined = join().await;
    let mut running = joined.run();
    joined.birth().await;
    joined.broker.stop();
    running.signal(Signal::SIGTERM);
    let (code, took) = running.ended();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn a_machine_that_has_joined_joins_another_hub_only_by_force() {
    let joined = join().await;
    let code = joined.broker.join_code().to_string();
    let (exit, _, stderr) = output(&mut agent(joined.state.path(), &["join", &code]));
    assert_eq!(exit, Some(1));
    let address = joined.broker.tls_address();
    assert!(stderr.contains(&address), "{stderr}");
    assert!(
        stderr.contains("ws-14") && stderr.contains("--force"),
        "{stderr}"
    );

    let mut command = agent(joined.state.path(), &["join", &code, "--force"]);
    let joining = tokio::task::spawn_blocking(move || output(&mut command));
    let _hub = joined.hub.enrol("ws-15").await;
    assert_eq!(joining.await.unwrap().0, Some(0));
    let identity = netmonitor_agent::joined(joined.state.path())
        .unwrap()
        .unwrap();
    assert_eq!(identity.device.as_str(), "ws-15");
    assert_eq!(identity.name, None);
    assert_eq!(identity.addresses, [address]);
}

#[tokio::test]
async fn why_a_machine_could_not_join_is_said_in_words() {
    let broker = Broker::start();
    let refused = |code: String, parts: &[&str]| {
        let state = tempfile::tempdir().unwrap();
        let (exit, _, stderr) = output(&mut agent(state.path(), &["join", &code]));
        assert_eq!(exit, Some(1));
        for part in parts {
            assert!(stderr.contains(part), "{part} is missing in: {stderr}");
        }
        assert_eq!(joined(state.path()).unwrap(), None);
    };
    let code = broker.join_code();

    let mut used_up = code.clone();
    "used-up".clone_into(&mut used_up.token);
    refused(used_up.to_string(), &["used up or has expired"]);

    let mut other_hub = code.clone();
    other_hub.ca_fingerprint = [1; 32];
    let address = broker.tls_address();
    refused(
        other_hub.to_string(),
        &[&address, "is not the one in the code"],
    );

    let mut nowhere = code.clone();
    nowhere.addresses = vec!["127.0.0.1:1".to_owned(), "no-port".to_owned()];
    refused(
        nowhere.to_string(),
        &["cannot reach the hub", "127.0.0.1:1", "refused", "no-port"],
    );
}

#[tokio::test]
async fn the_second_address_is_used_when_the_first_does_not_answer() {
    let state = tempfile::tempdir().unwrap();
    let broker = Broker::start();
    let hub = Hub::start(&broker).await;
    let mut code = broker.join_code();
    code.addresses.insert(0, "127.0.0.1:1".to_owned());
    let code = code.to_string();
    let mut command = agent(state.path(), &["join", &code]);
    let joining = tokio::task::spawn_blocking(move || output(&mut command));
    let _hub = hub.enrol("ws-14").await;
    assert_eq!(joining.await.unwrap().0, Some(0));
    let identity = joined(state.path()).unwrap().unwrap();
    assert_eq!(
        identity.addresses,
        [broker.tls_address(), "127.0.0.1:1".to_owned()]
    );
}

#[tokio::test]
async fn status_tells_the_hub_and_leaves_the_running_agent_alone() {
    let mut joined = join().await;
    let mut running = joined.run();
    joined.birth().await;
    let (exit, stdout, stderr) = output(&mut agent(joined.state.path(), &["status"]));
    assert_eq!(exit, Some(0), "{stdout}{stderr}");
    assert!(stdout.contains("ws-14"), "{stdout}");
    let connected = format!("connected to {} since 2", joined.broker.tls_address());
    assert!(stdout.contains(&connected), "{stdout}");
    let sample = joined.hub.next_sample().await;
    assert!(
        !joined.hub.saw(Status::Offline),
        "the agent was not thrown out"
    );
    assert!(joined.hub.next_sample().await.seq > sample.seq);

    // Of an agent that does not run the hub is asked itself.
    running.signal(Signal::SIGTERM);
    running.ended();
    let (exit, stdout, _) = output(&mut agent(joined.state.path(), &["status"]));
    assert_eq!(exit, Some(0));
    let works = format!("{}: works", joined.broker.tls_address());
    assert!(stdout.contains(&works), "{stdout}");

    joined.broker.stop();
    let (exit, stdout, _) = output(&mut agent(joined.state.path(), &["status"]));
    assert_eq!(exit, Some(1));
    assert!(stdout.contains("refused"), "{stdout}");

    let _running = joined.run();
    let mut told = String::new();
    until("the agent tells why", || {
        let (exit, stdout, _) = output(&mut agent(joined.state.path(), &["status"]));
        told = stdout;
        exit == Some(1) && told.contains("refused") && told.contains("not connected since 2")
    })
    .await;
    assert!(told.contains("agent    runs"), "{told}");
}

/// What a hub subscribes to.
fn everything() -> Vec<String> {
    let device = "ws-14".parse().unwrap();
    let mut filters: Vec<String> = Topic::retained_of(&device)
        .iter()
        .map(Topic::to_string)
        .collect();
    filters.push(Topic::DeviceProcesses(device.clone()).to_string());
    filters.push(Topic::DeviceBackfill(device).to_string());
    filters.push(Topic::DeviceStatus("mark".parse().unwrap()).to_string());
    filters.push(
        netmonitor_protocol::topics::Kind::JoinRequest
            .row()
            .filter(),
    );
    filters
}
