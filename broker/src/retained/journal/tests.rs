use netmonitor_protocol::acl::Principal;
use netmonitor_protocol::{DeviceId, ServiceName, Topic};
use tokio::task::JoinSet;

use super::*;
use crate::config::Config;
use crate::edge::{Authenticate, Claim};
use crate::message::Message;
use crate::origin::Origin;

struct Nobody;

impl Authenticate for Nobody {
    fn authenticate(&self, _: &str, _: &[u8], _: &str) -> Option<Principal> {
        None
    }

    fn claim(&self, _: &str) -> Claim {
        Claim::Nobody
    }
}

/// A broker without sockets, on a clock that goes on when there is nothing else to do: while
/// the file is written it stands still, and so a slow machine changes nothing.
struct Running {
    folder: tempfile::TempDir,
    edge: Arc<Edge>,
    stop: CancellationToken,
    task: JoinSet<()>,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let edge = Arc::new(Edge::new(Config::default(), Arc::new(Nobody)).unwrap());
        let file = folder.path().join("retained.db");
        let journal = Journal::open(&file, &edge.exchange).unwrap();
        let (stop, mut task) = (CancellationToken::new(), JoinSet::new());
        task.spawn(journal.run(edge.clone(), stop.clone()));
        Self {
            folder,
            edge,
            stop,
            task,
        }
    }

    fn retain(&self, topic: &str, payload: &str) {
        let message = Message {
            topic: topic.to_owned(),
            payload: Bytes::from(payload.to_owned()),
            qos: QoS::AtLeastOnce,
            retain: true,
            properties: Bytes::new(),
            expiry_secs: None,
        };
        self.edge
            .exchange
            .publish(Origin::BROKER, &message)
            .unwrap();
    }

    fn written(&self) -> u64 {
        self.edge.counters.get(Counter::RetainedWritten)
    }

    /// How long it takes until so many are written.
    async fn until_written(&self, count: u64) -> Duration {
        let since = Instant::now();
        while self.written() < count {
            sleep(Duration::from_millis(1)).await;
        }
        since.elapsed()
    }

    async fn stop(mut self) -> Vec<StoredMessage> {
        self.stop.cancel();
        while self.task.join_next().await.is_some() {}
        let mut all = Vec::new();
        let db = RetainedDb::open(&self.folder.path().join("retained.db")).unwrap();
        db.load(|message| all.push(message)).unwrap();
        all
    }
}

fn of_device(topic: fn(DeviceId) -> Topic) -> String {
    topic("ws-14".parse().unwrap()).to_string()
}

/// A tenth of a second, whatever the disk takes.
const AT_ONCE: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
async fn a_state_is_handed_to_the_disk_at_once_also_after_a_long_rest() {
    let running = Running::start();
    let (status, session) = (
        of_device(Topic::DeviceStatus),
        of_device(Topic::DeviceSession),
    );
    for (round, rest) in [0, 3, 24 * 60].into_iter().enumerate() {
        sleep(Duration::from_mins(rest)).await;
        let before = running.written();
        running.retain(&status, &round.to_string());
        running.retain(&session, &round.to_string());
        let took = running.until_written(before + 2).await;
        assert!(took <= AT_ONCE, "round {round}: {took:?}");
    }
    let before = running.written();
    running.retain(&status, "");
    assert!(running.until_written(before + 1).await <= AT_ONCE);
    let all = running.stop().await;
    let topics: Vec<_> = all.iter().map(|message| &message.topic).collect();
    assert_eq!(topics, [&session]);
}

#[tokio::test(start_paused = true)]
async fn samples_wait_for_minutes_and_a_state_does_not_take_them_along() {
    let running = Running::start();
    running.retain(&of_device(Topic::DeviceMetrics), "1");
    running.retain(&of_device(Topic::DeviceStatus), "online");
    running.until_written(1).await;
    sleep(Duration::from_mins(5)).await;
    assert_eq!(running.written(), 1);
    let took = running.until_written(2).await;
    assert!(took > Duration::from_mins(4), "{took:?}");
    assert_eq!(running.stop().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_never_rests_is_written_now_and_then_and_the_last_of_it_is_kept() {
    let running = Running::start();
    let status = of_device(Topic::DeviceStatus);
    let flap = async |minutes: u64| {
        let before = running.written();
        for n in 0..minutes * 600 {
            running.retain(&status, &n.to_string());
            sleep(Duration::from_millis(100)).await;
        }
        running.written() - before
    };
    // As soon as it changes, until the budget is used up.
    assert!(flap(1).await > 500);
    flap(10).await;
    let written = flap(60).await;
    assert!((115..=135).contains(&written), "{written} in an hour");
    running.retain(&status, "the end");
    let all = running.stop().await;
    assert_eq!(all[0].payload, b"the end");
}

#[tokio::test(start_paused = true)]
async fn how_a_service_is_ends_with_the_broker_that_has_its_will() {
    let running = Running::start();
    let health = Topic::HubService(ServiceName::Alerting).to_string();
    running.retain(&health, "running");
    running.retain(&of_device(Topic::DeviceStatus), "online");
    let all = running.stop().await;
    let topics: Vec<_> = all.iter().map(|message| &message.topic).collect();
    assert_eq!(topics, [&of_device(Topic::DeviceStatus)]);
}

#[test]
fn what_is_large_in_all_is_written_more_seldom() {
    assert_eq!(pause_after(500), LATER);
    assert!(pause_after(8_000) > Duration::from_hours(2));
}
