//! The tools of Debian's mosquitto: a client that nobody here has written.

use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{DEADLINE, PASSWORD, start};

/// A mosquitto tool with address and credentials filled in.
fn mosquitto(tool: &str, port: u16, arguments: &[&str]) -> Child {
    Command::new(tool)
        .args(["-h", "localhost", "-p", &port.to_string()])
        .args(["-u", "free", "-P", PASSWORD])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|err| panic!("{tool}: {err}: apt install mosquitto-clients"))
}

#[tokio::test]
async fn mosquitto_tools_talk_both_versions_with_every_quality_of_service_and_tls() {
    let broker = start().await;
    let file = std::env::temp_dir().join(format!("netmonitor-broker-{}.pem", broker.tls.port()));
    std::fs::write(&file, &broker.certificate).unwrap();
    let ca = file.to_str().unwrap();
    for version in ["311", "5"] {
        for qos in ["0", "1", "2"] {
            let message = format!("{version} {qos}");
            let seen = ["-V", version, "-q", qos, "-t", "a/#", "-C", "1"];
            let published = ["-V", version, "-q", qos, "-t", "a/b", "-m", &message];
            let clients = broker.counter("connections_accepted");
            let mut subscriber = mosquitto(
                "mosquitto_sub",
                broker.tls.port(),
                &[&seen[..], &["--cafile", ca]].concat(),
            );
            broker
                .eventually("mosquitto_sub connects", |broker| {
                    broker.counter("connections_accepted") > clients
                        && broker.counter("clients") == 1
                })
                .await;
            let stdout = subscriber.stdout.take().unwrap();
            let mut lines = BufReader::new(stdout).lines();
            // Retained, so that it does not matter which of them comes first.
            let mut tool = mosquitto(
                "mosquitto_pub",
                broker.tcp.port(),
                &[&published[..], &["-r"]].concat(),
            );
            let line = timeout(DEADLINE, lines.next_line()).await.unwrap();
            assert_eq!(line.unwrap().as_deref(), Some(&message[..]));
            assert!(tool.wait().await.unwrap().success());
            assert!(subscriber.wait().await.unwrap().success());
            broker.handle.clear_retained("#");
            broker
                .eventually("both left", |broker| broker.counter("clients") == 0)
                .await;
        }
    }
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test]
async fn what_is_published_while_mosquitto_sub_is_away_waits_for_it() {
    let broker = start().await;
    for version in ["311", "5"] {
        let away = ["-V", version, "-i", "away", "-c", "-q", "2", "-t", "a/#"];
        let expiry: &[&str] = if version == "5" { &["-x", "1000"] } else { &[] };
        let run = async |tool, arguments: &[&str]| {
            let ended = mosquitto(tool, broker.tcp.port(), arguments).wait_with_output();
            let output = timeout(DEADLINE, ended).await.unwrap().unwrap();
            assert!(output.status.success(), "{tool} {arguments:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        run("mosquitto_sub", &[&away[..], expiry, &["-E"]].concat()).await;
        for message in ["one", "two", "three"] {
            run("mosquitto_pub", &["-q", "2", "-t", "a/b", "-m", message]).await;
        }
        let said = run("mosquitto_sub", &[&away[..], expiry, &["-C", "3"]].concat()).await;
        assert_eq!(said, "one\ntwo\nthree\n");
        // Nothing is left of it for the other version.
        run("mosquitto_sub", &["-i", "away", "-t", "a/#", "-E"]).await;
    }
}

#[tokio::test]
async fn mosquitto_hears_why_it_is_not_let_in() {
    let broker = start().await;
    let port = broker.tcp.port().to_string();
    let run = Command::new("mosquitto_pub")
        .args(["-h", "127.0.0.1", "-p", &port, "-V", "5"])
        .args(["-u", "free", "-P", "wrong", "-t", "a", "-m", "x"])
        .output();
    let output = timeout(DEADLINE, run).await.unwrap();
    let output = output.expect("apt install mosquitto-clients");
    let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
    assert!(said.contains("not authorized"), "{said}");
}
