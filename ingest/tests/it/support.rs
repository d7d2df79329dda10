//! A mosquitto, an ingest beside it, and what plays the agents.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_ingest::{Config, Ingest};
use netmonitor_protocol::payload::{
    Ack, Backfill, Cpu, Memory, Metrics, ServiceHealth, ServiceState,
};
use netmonitor_protocol::{DeviceId, Message, SessionId};
use netmonitor_service::mqtt::{self, Dial, Endpoint, Event, Events, Options, Publisher};
use netmonitor_service::{Secret, clock};
use netmonitor_store::HistoryReader;
use netmonitor_store::history::Query;
use tokio::process::{Child, Command};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The start of the agent that takes all samples.
pub(crate) const SESSION: SessionId = SessionId(0x00c0_ffee);

/// A broker, and a folder for the history.
pub(crate) struct Site {
    folder: tempfile::TempDir,
    port: u16,
    broker: Option<Child>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let mut site = Self {
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            broker: None,
        };
        site.start_broker().await;
        site
    }

    /// Starts a broker that knows nothing.
    pub(crate) async fn start_broker(&mut self) {
        let port = self.port;
        let file = self.folder.path().join("mosquitto.conf");
        let text = format!(
            "user root\nlistener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n"
        );
        std::fs::write(&file, text).unwrap();
        let broker = Command::new("mosquitto")
            .arg("-c")
            .arg(file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("mosquitto is installed");
        until("mosquitto listens", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })
        .await;
        self.broker = Some(broker);
    }

    pub(crate) fn history(&self) -> PathBuf {
        self.folder.path().join("monitor.db")
    }

    fn dial(&self) -> Dial {
        let address = format!("127.0.0.1:{}", self.port);
        Dial::Fixed {
            endpoints: vec![Endpoint::parse(&address, None).unwrap()],
            user: String::new(),
            password: Secret::new(String::new()),
        }
    }

    /// Starts ingest, and waits until it is there.
    pub(crate) async fn ingest(&self, commit_interval_secs: f64) -> Running {
        self.ingest_on(&self.history(), commit_interval_secs).await
    }

    pub(crate) async fn ingest_on(&self, history: &Path, commit_interval_secs: f64) -> Running {
        let watcher = self.watcher().await;
        let ingest = opened(history, commit_interval_secs).await;
        Running::begin(self.run(ingest), watcher).await
    }

    /// Starts ingest while the broker is away, then another broker, and waits until ingest is
    /// there.
    pub(crate) async fn ingest_before_the_broker(&mut self, commit_interval_secs: f64) -> Running {
        self.broker.take().unwrap().kill().await.unwrap();
        let ingest = opened(&self.history(), commit_interval_secs).await;
        let running = self.run(ingest);
        self.start_broker().await;
        Running::begin(running, self.watcher().await).await
    }

    fn run(&self, ingest: Ingest) -> Tasks {
        let shutdown = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(ingest.run(self.dial(), shutdown.clone()));
        (shutdown, tasks)
    }

    async fn watcher(&self) -> Client {
        let topic = "netmonitor/v1/hub/service/ingest";
        self.client("watcher", topic).await
    }

    /// A client that hears these topics.
    pub(crate) async fn client(&self, name: &str, filter: &str) -> Client {
        let (publisher, events, connection) = mqtt::client(Options {
            filters: vec![filter.to_owned()],
            queue: 100_000,
            ..Options::new(name, self.dial())
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(connection.run(CancellationToken::new()));
        let mut client = Client {
            publisher,
            events,
            _tasks: tasks,
        };
        while !matches!(client.event().await, Event::Connected) {}
        client
    }

    /// What plays the agent of a device.
    pub(crate) async fn agent(&self, device: &str) -> Agent {
        let filter = format!("netmonitor/v1/device/{device}/ack");
        Agent {
            client: self.client(device, &filter).await,
            device: device.parse().unwrap(),
        }
    }

    /// When the samples of a device were taken that are in the history.
    pub(crate) fn stored(&self, device: &str) -> Vec<i64> {
        stored_in(&self.history(), device)
    }
}

/// The thread of one that was killed may still be at its last step.
async fn opened(history: &Path, commit_interval_secs: f64) -> Ingest {
    let config = Config {
        commit_interval_secs,
        clock_wait_secs: 0,
    };
    let mut opened = None;
    until("the history is free", || {
        opened = Ingest::open(config.clone(), history).ok();
        opened.is_some()
    })
    .await;
    opened.unwrap()
}

/// When the samples of a device were taken that are in this history.
pub(crate) fn stored_in(history: &Path, device: &str) -> Vec<i64> {
    let end = "2100-01-01T00:00:00Z".parse().unwrap();
    stored_between(history, device, Timestamp::UNIX_EPOCH, end)
}

/// Those of a stretch. If it is not long they are samples also where they are merged.
pub(crate) fn stored_between(
    history: &Path,
    device: &str,
    from: Timestamp,
    to: Timestamp,
) -> Vec<i64> {
    let query = Query {
        device: device.parse().unwrap(),
        series: vec!["cpu".to_owned()],
        from,
        to,
        points: 1_000_000,
    };
    HistoryReader::new(history)
        .columns(&query, &[])
        .unwrap()
        .times
}

/// What runs, and what ends it.
type Tasks = (CancellationToken, JoinSet<anyhow::Result<()>>);

/// An ingest that runs.
pub(crate) struct Running {
    pub(crate) watcher: Client,
    shutdown: CancellationToken,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Running {
    /// Waits until it is there.
    async fn begin((shutdown, tasks): Tasks, mut watcher: Client) -> Self {
        watcher.state(ServiceState::Running).await;
        Self {
            watcher,
            shutdown,
            tasks,
        }
    }

    /// Stops it as the hub does.
    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap().unwrap();
        }
    }

    /// Ends it as `kill -9` does: it writes nothing more and says nothing more.
    pub(crate) async fn kill(mut self) {
        self.tasks.shutdown().await;
    }
}

/// A client of the broker.
pub(crate) struct Client {
    pub(crate) publisher: Publisher,
    events: Events,
    _tasks: JoinSet<()>,
}

impl Client {
    async fn event(&mut self) -> Event {
        timeout(DEADLINE, self.events.next())
            .await
            .expect("something is heard")
            .unwrap()
    }

    /// The next message.
    pub(crate) async fn message(&mut self) -> Message {
        loop {
            if let Event::Message(message) | Event::Retained(message) = self.event().await {
                return message;
            }
        }
    }

    /// Waits until ingest says that it is in this state.
    pub(crate) async fn state(&mut self, state: ServiceState) -> ServiceHealth {
        loop {
            if let Message::HubService(_, health) = self.message().await
                && health.state == state
            {
                return health;
            }
        }
    }

    pub(crate) async fn publish(&self, message: Message) {
        self.publisher.publish(message).await.unwrap();
    }
}

/// What plays the agent of a device.
pub(crate) struct Agent {
    client: Client,
    device: DeviceId,
}

impl Agent {
    pub(crate) async fn live(&self, metrics: Metrics) {
        let message = Message::DeviceMetrics(self.device.clone(), Box::new(metrics));
        self.client.publish(message).await;
    }

    pub(crate) async fn backfill(&self, oldest_seq: u64, samples: Vec<Metrics>) {
        let backfill = Backfill {
            session: SESSION,
            oldest_seq,
            samples,
        };
        let message = Message::DeviceBackfill(self.device.clone(), backfill);
        self.client.publish(message).await;
    }

    /// The next acknowledgement, and how long it took.
    pub(crate) async fn ack(&mut self) -> (Ack, Duration) {
        let start = Instant::now();
        loop {
            if let Message::DeviceAck(device, ack) = self.client.message().await {
                assert_eq!(device, self.device);
                return (ack, start.elapsed());
            }
        }
    }
}

/// A sample that was taken so long ago.
pub(crate) fn sample(seq: u64, age: Duration) -> Metrics {
    let age_ms = u64::try_from(age.as_millis()).unwrap();
    let taken = clock::since_boot().saturating_sub(age).as_millis();
    Metrics {
        monotonic_ms: Some(u64::try_from(taken).unwrap()),
        age_ms,
        uptime_secs: 1,
        cpu: Cpu {
            usage_percent: 1.0,
            per_core_percent: vec![1.0],
            ..Cpu::default()
        },
        memory: Memory {
            total_bytes: 1,
            used_bytes: 1,
            ..Memory::default()
        },
        ..Metrics::blank(SESSION, seq, clock::now() - age)
    }
}

/// Waits for a condition while everything else in this test goes on.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            sleep(Duration::from_millis(20)).await;
        }
    };
    let held = timeout(DEADLINE, holds).await;
    assert!(held.is_ok(), "not in time: {what}");
}

/// mosquitto cannot choose a port by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
