//! `/metrics`, as a Prometheus reads it. Needs Debian's prometheus.

use std::process::Command;

use netmonitor_testkit::eventually_some;
use serde_json::{Value, json};

use crate::alerts::{devices, set_rule, until_state};
use crate::support::DEADLINE;
use crate::support::hub::Hub;
use crate::support::ports::lasting_port;
use crate::support::process::Process;
use netmonitor_testkit::http::Client;

/// A Prometheus that reads this hub with this token.
struct Prometheus {
    _folder: tempfile::TempDir,
    _process: Process,
    client: Client,
}

impl Prometheus {
    fn reads(hub: &Hub, token: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prometheus.yml");
        let text = json!({
            "global": { "scrape_interval": "1s" },
            "scrape_configs": [{
                "job_name": "netmonitor",
                "authorization": { "credentials": token },
                "static_configs": [{ "targets": [hub.address("http")] }],
            }],
        });
        // JSON is YAML.
        std::fs::write(&file, text.to_string()).unwrap();
        let port = lasting_port();
        let process = Process::start(
            Command::new("/usr/bin/prometheus")
                .arg(format!("--config.file={}", file.display()))
                .arg(format!(
                    "--storage.tsdb.path={}",
                    folder.path().join("data").display()
                ))
                .arg(format!("--web.listen-address=127.0.0.1:{port}")),
        );
        Self {
            _folder: folder,
            _process: process,
            client: Client::new(&format!("http://127.0.0.1:{port}")),
        }
    }

    /// Waits until the question has an answer, which is a single value.
    fn until(&self, question: &str, expected: &str) {
        let path = format!("/api/v1/query?query={}", encoded(question));
        eventually_some(&format!("{question} is {expected}"), DEADLINE, || {
            let answer = self.client.try_get(&path)?;
            let found: Value = serde_json::from_str(&answer.body).ok()?;
            let value = found["data"]["result"][0]["value"][1].as_str()?.to_owned();
            (value == expected).then_some(())
        });
    }
}

/// As it may stand in an address.
fn encoded(text: &str) -> String {
    let each = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    each.collect()
}

#[test]
fn a_prometheus_knows_the_devices_their_numbers_the_alerts_and_the_hub() {
    let hub = Hub::start(&["--no-agent"]);
    let admin = hub.client("admin");
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let mut devices = devices(&hub, 2);
    let [full, gone] = [0, 1].map(|at| devices[at].id.clone());
    for device in &devices {
        until_state(&admin, &device.id, "ram", "ok");
    }
    devices[0].ram(96);
    let token = hub
        .home
        .told(&["token", "add", "prometheus", "--role", "viewer"]);
    let prometheus = Prometheus::reads(&hub, &token);

    prometheus.until(&format!("netmonitor_device_up{{device='{full}'}}"), "1");
    let used = format!(
        "round(100 * netmonitor_device_memory_used_bytes{{device='{full}'}} \
         / netmonitor_device_memory_total_bytes)"
    );
    prometheus.until(&used, "96");
    let alert = format!("netmonitor_alert{{device='{full}',rule='ram',state='firing'}}");
    prometheus.until(&alert, "1");
    prometheus.until("netmonitor_service_running{service='ingest'}", "1");
    prometheus.until("count(netmonitor_device_up)", "2");

    devices[1].die();
    prometheus.until(&format!("netmonitor_device_up{{device='{gone}'}}"), "0");
    // What it measured last is not what it measures now.
    prometheus.until("count(netmonitor_device_uptime_seconds)", "1");
}

#[test]
fn nobody_reads_them_without_a_token() {
    let hub = Hub::start(&["--no-agent"]);
    let anybody = hub.anybody();
    for client in [anybody.clone(), anybody.with_token("wrong")] {
        let told = client.get("/metrics").problem(401);
        assert!(told.contains("netmonitor token add"), "{told}");
    }
    let answer = hub.client("viewer").get("/metrics");
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .starts_with("application/openmetrics-text")
    );
    assert!(answer.body.ends_with("# EOF\n"), "{}", answer.body);
}
