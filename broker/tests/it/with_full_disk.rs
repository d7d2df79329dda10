//! A disk that is full, which is a small one in a namespace of its own: needs `unshare`, and root
//! or user namespaces.

use std::path::Path;

use netmonitor_broker::Config;
use tokio::process::Command;

use crate::support::{Options, Raw, TestBroker, start_on};

/// Runs the story below where the current directory is a disk of 1 MiB.
#[tokio::test]
async fn a_full_disk_stops_nobody_and_what_was_missed_is_written_later() {
    let disk = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=1m none . && cd \"$PWD\" && exec \"$0\" \"$@\"";
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "with_full_disk::on_a_small_disk", "--ignored"])
        .current_dir(disk.path())
        .output()
        .await
        .expect("unshare is installed (util-linux)");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{failed}");
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by the test above, on a disk of its own"]
async fn on_a_small_disk() {
    let (file, filler) = (Path::new("retained.db"), Path::new("filler"));
    let broker = start_on(Config::default(), Some(file)).await;
    let mut raw = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    raw.publish_acked("homeassistant/a/config", "1", true).await;
    let is_written = |broker: &TestBroker| broker.counter("retained_written") == 1;
    broker.eventually("it is written", is_written).await;

    std::fs::write(filler, vec![1; 2 * 1024 * 1024]).expect_err("the disk is full");
    for n in 0..100 {
        let topic = format!("homeassistant/{n}/config");
        raw.publish_acked(&topic, &"x".repeat(500), true).await;
    }
    let is_refused = |broker: &TestBroker| broker.counter("retained_write_errors") > 0;
    broker.eventually("the disk refuses", is_refused).await;
    let mut late = Raw::connect(&broker, &Options::new(4, "free", "late")).await;
    late.subscribe("homeassistant/#", 0).await;
    for _ in 0..101 {
        late.message().await;
    }

    std::fs::remove_file(filler).unwrap();
    let is_written = |broker: &TestBroker| broker.counter("retained_written") == 101;
    broker.eventually("the rest is written", is_written).await;
    broker.stop().await;
    let broker = start_on(Config::default(), Some(file)).await;
    assert_eq!(broker.counter("retained_messages"), 101);
    broker.stop().await;

    // A start while the disk is full: it is read later, and what is newer stays.
    std::fs::write(filler, vec![1; 2 * 1024 * 1024]).expect_err("the disk is full");
    let broker = start_on(Config::default(), Some(file)).await;
    assert_eq!(broker.counter("retained_messages"), 0);
    let mut raw = Raw::connect(&broker, &Options::new(5, "free", "p")).await;
    for (topic, payload) in [("7", ""), ("8", "newer"), ("9", "newer"), ("9", "")] {
        let topic = format!("homeassistant/{topic}/config");
        raw.publish_acked(&topic, payload, true).await;
    }
    std::fs::remove_file(filler).unwrap();
    let is_read = |broker: &TestBroker| broker.counter("retained_messages") == 99;
    broker.eventually("the file is read", is_read).await;
    broker.stop().await;
    let broker = start_on(Config::default(), Some(file)).await;
    assert_eq!(broker.counter("retained_messages"), 99);
    let mut late = Raw::connect(&broker, &Options::new(4, "free", "late")).await;
    late.subscribe("homeassistant/8/config", 0).await;
    assert_eq!(late.said().await.1, "newer");
}
