//! An agent without a hub of ours: any broker, with user and password, TLS with any authority, and
//! WebSocket.

use netmonitor_protocol::payload::{ServiceHealth, ServiceState, Status};
use netmonitor_protocol::{Message, ServiceName};
use netmonitor_service::clock;

use super::broker::{Broker, PASSWORD};
use super::hub::Hub;
use crate::program::{Running, agent, output, until};

/// What stands in `agent.toml`.
fn configure(state: &std::path::Path, url: &str, more: &str) {
    let text = format!(
        "[broker]\nurl = \"{url}\"\ndevice = \"ws-14\"\nname = \"Reception\"\nuser = \"ws-14\"\n\
         password_file = \"password\"\n{more}\n"
    );
    std::fs::write(state.join("agent.toml"), text).unwrap();
    std::fs::write(state.join("password"), format!("{PASSWORD}\n")).unwrap();
}

#[tokio::test]
async fn it_speaks_over_tcp_tls_and_websocket_with_both() {
    let broker = Broker::start();
    let ca = broker.ca_file();
    let ca = format!("ca_file = \"{}\"", ca.display());
    let (plain, tls) = (broker.plain_port(), broker.tls_port());
    let (ws, wss) = broker.websocket_ports();
    for (url, more) in [
        (format!("mqtt://127.0.0.1:{plain}"), ""),
        (format!("mqtts://localhost:{tls}"), ca.as_str()),
        (format!("ws://127.0.0.1:{ws}/mqtt"), ""),
        (format!("wss://localhost:{wss}"), ca.as_str()),
    ] {
        let mut hub = Hub::start(&broker).await;
        let state = tempfile::tempdir().unwrap();
        configure(state.path(), &url, more);
        let _running = Running::start(&mut agent(state.path(), &["run", "--interval", "1s"]));
        let session = hub.next_session().await;
        assert_eq!(hub.next_status(Status::Online).await, Some(session.session));
        let sample = hub.next_sample().await;
        assert_eq!(sample.session, session.session, "{url}");
        let (code, stdout, _) = output(&mut agent(state.path(), &["status"]));
        assert_eq!(code, Some(0), "{stdout}");
        assert!(stdout.contains("device   ws-14"), "{stdout}");
    }
}

#[tokio::test]
async fn a_broker_with_another_authority_is_told_nothing() {
    let broker = Broker::start();
    let state = tempfile::tempdir().unwrap();
    // The authorities of the system do not know this one.
    configure(
        state.path(),
        &format!("mqtts://localhost:{}", broker.tls_port()),
        "",
    );
    let (code, stdout, _) = output(&mut agent(state.path(), &["status"]));
    assert_eq!(code, Some(1), "{stdout}");
    assert!(
        stdout.contains("not the hub") || stdout.contains("certificate"),
        "{stdout}"
    );
}

#[tokio::test]
async fn what_is_wrong_in_the_table_is_named_with_its_line() {
    let state = tempfile::tempdir().unwrap();
    for (text, parts) in [
        (
            "[broker]\nurl = \"http://pi\"\n",
            &["line 2", "mqtts://host:port"][..],
        ),
        (
            "[broker]\nurl = \"mqtt://pi\"\nport = 1883\n",
            &["line 3", "port"],
        ),
        ("[broker]\nuser = \"x\"\n", &["url"]),
        (
            "[broker]\nurl = \"mqtt://pi\"\npassword_file = \"none\"\n",
            &["password_file", "none"],
        ),
    ] {
        std::fs::write(state.path().join("agent.toml"), text).unwrap();
        let (code, _, stderr) = output(&mut agent(state.path(), &["run"]));
        assert_eq!(code, Some(1));
        for part in parts {
            assert!(stderr.contains(part), "{part} is missing in: {stderr}");
        }
    }
}

#[tokio::test]
async fn nothing_is_kept_for_a_history_that_nobody_writes_and_everything_once_somebody_does() {
    let broker = Broker::start();
    let mut hub = Hub::start(&broker).await;
    let state = tempfile::tempdir().unwrap();
    configure(
        state.path(),
        &format!("mqtt://127.0.0.1:{}", broker.plain_port()),
        "",
    );
    let _running = Running::start(&mut agent(state.path(), &["run", "--interval", "1s"]));
    let waiting = || {
        let (_, stdout, _) = output(&mut agent(state.path(), &["status"]));
        stdout
            .lines()
            .find(|it| it.starts_with("samples"))
            .unwrap()
            .to_owned()
    };
    hub.next_sample().await;
    hub.next_sample().await;
    assert_eq!(waiting(), "samples  none waits to be stored");
    let ingest = ServiceHealth {
        state: ServiceState::Running,
        reason: None,
        since: clock::now(),
        version: "1".to_owned(),
        commit_interval_ms: Some(60_000),
        counters: std::collections::BTreeMap::new(),
    };
    hub.say(Message::HubService(ServiceName::Ingest, ingest))
        .await;
    until("samples are kept", || {
        waiting().contains("wait to be stored")
    })
    .await;
}
