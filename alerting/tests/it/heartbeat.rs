//! The heartbeat, to a real web server.

use std::time::Duration;

use netmonitor_alerting::heartbeat;
use netmonitor_protocol::payload::Heartbeat;
use netmonitor_service::Counters;
use netmonitor_service::channel_secrets::SecretOf;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::receiver::{Answer, Receiver};
use crate::site::{DEADLINE, SECRET, Site, url};

async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let held = tokio::time::timeout(DEADLINE, holds).await;
    assert!(held.is_ok(), "not in time: {what}");
}

#[tokio::test]
async fn the_address_is_asked_when_the_settings_say_so() {
    let receiver = Receiver::start(Answer::Status(200, "OK".to_owned())).await;
    let site = Site::new();
    url(&receiver.url(&format!("/ping/{SECRET}")))
        .write(&site.data_dir(), SecretOf::Heartbeat)
        .unwrap();
    let (settings, settings_of_it) = watch::channel(None);
    let counters = Counters::default();
    let count = |name: &str| counters.snapshot().get(name).copied().unwrap_or_default();
    let mut tasks = JoinSet::new();
    tasks.spawn(heartbeat::run(
        site.data_dir(),
        settings_of_it,
        counters.clone(),
    ));
    let wanted = |secret_revision| {
        Some(Heartbeat {
            enabled: true,
            every_secs: 3600,
            secret_revision,
        })
    };
    settings.send_replace(wanted(1));
    until("it is asked", || count("heartbeats") == 1).await;
    let taken = receiver.received();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].method, "GET");
    assert_eq!(taken[0].path, format!("/ping/{SECRET}"));
    // The address may be another one now.
    receiver.answer_with(Answer::Status(500, String::new()));
    settings.send_replace(wanted(2));
    until("it is asked anew", || count("heartbeats_failed") == 1).await;
    assert_eq!(count("heartbeats"), 1);
    let error = heartbeat::beat(&site.data_dir(), DEADLINE)
        .await
        .unwrap_err();
    assert!(
        error.text.contains("500") && !error.text.contains(SECRET),
        "{error:?}"
    );
}
