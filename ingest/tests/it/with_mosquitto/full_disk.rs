//! A disk that is full, which is a small one in a namespace of its own: needs `unshare`, and root
//! or user namespaces.

use std::path::Path;
use std::time::Duration;

use netmonitor_protocol::payload::{DegradedReason, ServiceState};
use tokio::process::Command;

use crate::support::{Site, sample, stored_in};

/// Runs the story below where the current directory is a disk of 4 MiB.
#[tokio::test]
async fn a_full_disk_is_named_and_nothing_is_lost_when_there_is_room_again() {
    let disk = tempfile::tempdir().unwrap();
    let script = "mount -t tmpfs -o size=4m none . && cd \"$PWD\" && exec \"$0\" \"$@\"";
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "with_mosquitto::full_disk::on_a_small_disk",
            "--ignored",
        ])
        .current_dir(disk.path())
        .output()
        .await
        .expect("unshare is installed (util-linux)");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{failed}");
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by the test above, on a disk of its own"]
async fn on_a_small_disk() {
    let site = Site::start().await;
    let mut ingest = site.ingest_on(Path::new("monitor.db"), 0.2).await;
    let mut agent = site.agent("ws-14").await;
    agent.live(sample(1, Duration::ZERO)).await;
    assert_eq!(agent.ack().await.0.ranges, [(1, 1)]);

    let filler = Path::new("filler");
    std::fs::write(filler, vec![1; 8 * 1024 * 1024]).expect_err("the disk is full");
    let mut seq = 1;
    let health = loop {
        // What the database has room for in its own file is stored.
        seq += 1;
        agent.live(sample(seq, Duration::ZERO)).await;
        let degraded = ingest.watcher.state(ServiceState::Degraded);
        if let Ok(health) = tokio::time::timeout(Duration::from_millis(300), degraded).await {
            break health;
        }
    };
    assert_eq!(health.reason, Some(DegradedReason::DiskFull));
    // It goes on hearing, and what comes again waits once.
    let again: Vec<_> = (2..=seq + 100)
        .map(|seq| sample(seq, Duration::ZERO))
        .collect();
    for _ in 0..20 {
        agent.backfill(1, again.clone()).await;
    }

    std::fs::remove_file(filler).unwrap();
    let mut acknowledged = 1;
    while acknowledged < seq + 100 {
        let (ack, _) = agent.ack().await;
        for (first, last) in ack.ranges {
            assert_eq!(first, acknowledged + 1);
            acknowledged = last;
        }
    }
    ingest.watcher.state(ServiceState::Running).await;
    assert_eq!(
        stored_in(Path::new("monitor.db"), "ws-14").len() as u64,
        seq + 100
    );
    ingest.stop().await;
}
