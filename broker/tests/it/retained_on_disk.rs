//! Retained messages survive a restart, and a disk that fails stops nobody.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use netmonitor_broker::Config;
use netmonitor_protocol::Topic;
use netmonitor_store::RetainedDb;
use netmonitor_testkit::eventually;
use tokio::process::Command;
use tokio::time::Instant;

use crate::support::{DEADLINE, Message, Options, Raw, TestBroker, bind, packet, start_on, text};

const MANY: usize = 1_000;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("retained.db")
    }

    async fn start(&self) -> TestBroker {
        start_on(Config::default(), Some(&self.file())).await
    }

    /// Whether whoever opens the file, as it is now, finds this in it.
    fn has(&self, topic: &str, payload: &str) -> bool {
        let copy = Self::new();
        copy_database(&self.file(), &copy.file());
        let mut found = false;
        // One that is copied in the middle of a write is looked at again.
        let read = RetainedDb::open(&copy.file()).and_then(|db| {
            db.load(|message| {
                found |= message.topic == topic && message.payload == payload.as_bytes();
            })
        });
        read.is_ok() && found
    }
}

async fn free(broker: &TestBroker, id: &str) -> Raw {
    Raw::connect(broker, &Options::new(5, "free", id)).await
}

/// What a new subscriber hears of one topic, which must be retained.
async fn hears(broker: &TestBroker, topic: &str) -> String {
    let mut late = free(broker, "late").await;
    late.subscribe(topic, 0).await;
    late.message().await.payload
}

async fn hears_something(broker: &TestBroker, topic: &str) -> bool {
    let mut late = free(broker, "late").await;
    late.subscribe(topic, 0).await;
    late.send(&[0xC0, 0]).await;
    late.recv().await != Some((0xD0, Vec::new()))
}

async fn written(broker: &TestBroker, count: u64) {
    let all = |broker: &TestBroker| broker.counter("retained_written") >= count;
    broker.eventually("written to disk", all).await;
}

#[tokio::test]
async fn a_thousand_topics_reach_a_late_subscriber_after_a_restart() {
    let folder = Folder::new();
    let broker = folder.start().await;
    let mut publisher = Raw::connect(&broker, &Options::new(4, "free", "p")).await;
    for n in 0..MANY {
        let (topic, qos) = (format!("a/{n}"), u8::try_from(n % 3).unwrap());
        publisher
            .publish(&topic, &n.to_string(), qos << 1 | 1)
            .await;
        match qos {
            1 => publisher.expect(0x40, &[0, 1]).await,
            2 => {
                publisher.expect(0x50, &[0, 1]).await;
                publisher.send(&[0x62, 2, 0, 1]).await;
                publisher.expect(0x70, &[0, 1]).await;
            }
            _ => {}
        }
    }
    publisher.ping().await;
    broker.stop().await;

    let broker = folder.start().await;
    assert_eq!(broker.counter("retained_messages"), MANY as u64);
    for qos in 0..=2 {
        let mut late = Raw::connect(&broker, &Options::new(4, "free", "late")).await;
        late.subscribe("#", qos).await;
        let mut seen = vec![false; MANY];
        for _ in 0..MANY {
            let message = late.message().await;
            let n: usize = message.payload.parse().unwrap();
            let expected = qos.min(u8::try_from(n % 3).unwrap());
            assert_eq!((message.qos, message.retain), (expected, true));
            assert!(!std::mem::replace(&mut seen[n], true), "{n} came twice");
        }
        late.publish("b", "afterwards", 0).await;
        assert_eq!(late.message().await.payload, "afterwards");
    }
}

#[tokio::test]
async fn properties_expiry_and_what_was_cleared_survive() {
    let folder = Folder::new();
    let broker = folder.start().await;
    let mut raw = free(&broker, "p").await;
    // Message expiry 1 s or 600 s; user property k=v.
    for (topic, secs) in [("short", 1_u32), ("long", 600)] {
        let properties = [&[2][..], &secs.to_be_bytes(), &[38], &text("k"), &text("v")].concat();
        let length = u8::try_from(properties.len()).unwrap();
        let body = [&text(topic)[..], &[length], &properties, b"x"].concat();
        raw.send(&packet(0x31, &body)).await;
    }
    for payload in ["kept", ""] {
        raw.publish_acked("homeassistant/x/config", payload, true)
            .await;
    }
    let status = Topic::DeviceStatus("ws-14".parse().unwrap()).to_string();
    let mut agent = Raw::connect(&broker, &Options::new(4, "ws-14", "a")).await;
    agent.publish_acked(&status, "online", true).await;
    broker.stop().await;

    let broker = folder.start().await;
    let mut late = free(&broker, "late").await;
    late.subscribe("long", 0).await;
    let Message { properties, .. } = late.message().await;
    let expected = [&[38][..], &text("k"), &text("v")].concat();
    assert!(properties.windows(expected.len()).any(|w| w == expected));
    let left = properties.windows(5).find(|w| w[0] == 2).unwrap();
    let left = u32::from_be_bytes([left[1], left[2], left[3], left[4]]);
    assert!((500..=600).contains(&left), "{left}");
    late.subscribe("homeassistant/#", 0).await;
    late.ping().await;
    let mut ingest = Raw::connect(&broker, &Options::new(4, "ingest", "i")).await;
    ingest.subscribe(&status, 1).await;
    assert_eq!(ingest.said().await, (status, "online".to_owned()));
    let since = Instant::now();
    while hears_something(&broker, "short").await {
        assert!(since.elapsed() < DEADLINE, "it does not expire");
    }
}

/// What matters is written a moment after it was said, and the rest later.
#[tokio::test]
async fn a_state_is_on_disk_while_the_broker_runs_and_a_deletion_too() {
    let folder = Folder::new();
    let broker = folder.start().await;
    let mut raw = free(&broker, "p").await;
    raw.publish_acked("homeassistant/a/config", "1", true).await;
    raw.publish_acked("homeassistant/b/config", "1", true).await;
    raw.publish_acked("later", "1", true).await;
    written(&broker, 2).await;
    raw.publish_acked("homeassistant/a/config", "", true).await;
    raw.publish_acked("homeassistant/b/config", "2", true).await;
    written(&broker, 4).await;
    let copy = Folder::new();
    copy_database(&folder.file(), &copy.file());
    let restored = copy.start().await;
    assert_eq!(hears(&restored, "homeassistant/+/config").await, "2");
    assert_eq!(restored.counter("retained_messages"), 1);
    broker.stop().await;
    let again = folder.start().await;
    assert_eq!(hears(&again, "later").await, "1");
}

/// A broker in a process of its own, in whose folder the file is.
#[tokio::test]
#[ignore = "run by the test below, which kills it"]
async fn a_broker_that_waits_to_be_killed() {
    let broker = start_on(Config::default(), Some(Path::new("retained.db"))).await;
    std::fs::write("address.new", broker.tcp.to_string()).unwrap();
    std::fs::rename("address.new", "address").unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn what_has_reached_the_file_survives_kill_9() {
    let folder = Folder::new();
    let mut hub = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "retained_on_disk::a_broker_that_waits_to_be_killed",
        ])
        .arg("--ignored")
        .current_dir(folder.0.path())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let address = folder.0.path().join("address");
    eventually("it listens", DEADLINE, || address.exists());
    let address = std::fs::read_to_string(address).unwrap().parse().unwrap();

    let status = Topic::DeviceStatus("ws-14".parse().unwrap()).to_string();
    let mut agent = Raw::connect_at(address, &Options::new(4, "ws-14", "a")).await;
    for payload in ["offline", "online"] {
        agent.publish_acked(&status, payload, true).await;
    }
    eventually("it is written", DEADLINE, || folder.has(&status, "online"));
    hub.kill().await.unwrap();

    let broker = folder.start().await;
    let mut reader = Raw::connect(&broker, &Options::new(4, "ingest", "i")).await;
    reader.subscribe(&status, 1).await;
    assert_eq!(reader.said().await, (status, "online".to_owned()));
}

/// As a process that was killed leaves it.
fn copy_database(from: &Path, to: &Path) {
    for ending in ["db", "db-wal"] {
        let from = from.with_extension(ending);
        if from.exists() {
            std::fs::copy(from, to.with_extension(ending)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_damaged_file_is_put_aside_and_the_broker_starts() {
    let folder = Folder::new();
    std::fs::write(folder.file(), "no database, but something long enough").unwrap();
    let broker = folder.start().await;
    let mut raw = free(&broker, "p").await;
    raw.publish_acked("a", "1", true).await;
    broker.stop().await;
    assert!(folder.file().with_extension("db.damaged").exists());
    let broker = folder.start().await;
    assert_eq!(hears(&broker, "a").await, "1");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_a_fault_and_left_alone() {
    let folder = Folder::new();
    folder.start().await.stop().await;
    // "user_version", at offset 60 of the header.
    let mut bytes = std::fs::read(folder.file()).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    std::fs::write(folder.file(), &bytes).unwrap();
    let config = Config {
        mqtt: vec!["127.0.0.1:0".to_owned()],
        mqtts: Vec::new(),
        ..Config::default()
    };
    let (broker, _) = bind(config).await.unwrap();
    let error = broker.with_retained(&folder.file()).err().unwrap();
    assert!(error.to_string().contains("version 99"), "{error}");
    assert_eq!(std::fs::read(folder.file()).unwrap(), bytes);
}

#[tokio::test]
async fn two_brokers_do_not_write_one_file() {
    let folder = Folder::new();
    let _broker = folder.start().await;
    let config = Config {
        mqtt: vec!["127.0.0.1:0".to_owned()],
        mqtts: Vec::new(),
        ..Config::default()
    };
    let (second, _) = bind(config).await.unwrap();
    assert!(second.with_retained(&folder.file()).is_err());
}

/// The file is damaged while it is open: messages go on, and it is made anew from memory.
#[tokio::test]
async fn a_file_that_breaks_under_the_broker_is_made_anew() {
    // More than SQLite has in its cache.
    const TOPICS: usize = 4_000;
    let folder = Folder::new();
    let broker = folder.start().await;
    let mut raw = free(&broker, "p").await;
    let mut publish_all = async |filling: &str| {
        for n in 0..TOPICS {
            let topic = format!("homeassistant/{n}/config");
            raw.publish(&topic, &filling.repeat(1_000), 1).await;
        }
        raw.ping().await;
    };
    publish_all("x").await;
    written(&broker, TOPICS as u64).await;
    for ending in ["db", "db-wal"] {
        let path = folder.file().with_extension(ending);
        let length = std::fs::metadata(&path).map_or(0, |m| m.len());
        std::fs::write(&path, vec![0xA5; usize::try_from(length).unwrap()]).unwrap();
    }
    publish_all("y").await;
    let is_seen = |broker: &TestBroker| broker.counter("retained_write_errors") > 0;
    broker.eventually("the fault is seen", is_seen).await;
    let aside = folder.file().with_extension("db.damaged");
    let is_aside = |_: &TestBroker| aside.exists();
    broker.eventually("the file is put aside", is_aside).await;
    broker.stop().await;
    let broker = folder.start().await;
    assert_eq!(broker.counter("retained_messages"), TOPICS as u64);
    assert!(
        hears(&broker, "homeassistant/7/config")
            .await
            .starts_with('y')
    );
}
