//! The hub ends, politely or not, and starts again: nothing is lost and nobody needs help.

use serde_json::{Value, json};

use crate::support::agent::Agent;
use crate::support::hub::Hub;
use netmonitor_testkit::http::Client;

/// Times of the stored samples.
fn stored(client: &Client, device: &str, at_least: usize) -> Vec<i64> {
    let path = format!("/api/v1/devices/{device}/history?metrics=cpu&points=5000");
    client.until("enough stored samples", &path, |history| {
        let times = history["times"].as_array()?;
        let times: Vec<_> = times.iter().filter_map(Value::as_i64).collect();
        (times.len() >= at_least).then_some(times)
    })
}

#[test]
fn history_logins_and_devices_survive_a_restart_and_a_kill() {
    let mut hub = Hub::start(&[]);
    let client = hub.client("viewer");
    let this = client.read("/api/v1/devices")["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let (mut agent, other) = Agent::joined(&hub.home.told(&["join-code"]));
    agent.run();
    let add = ["user", "add", "Ada", "--role", "admin", "--password-stdin"];
    assert_eq!(hub.home.admin_with(&add, "correct horse").code, Some(0));
    let login = json!({ "name": "ada", "password": "correct horse" });
    let cookie = hub.anybody().post("/api/v1/login", &login).cookie();
    let browser = hub.anybody().with_cookie(&cookie);
    assert_eq!(browser.read("/api/v1/account")["name"], "Ada");

    for is_clean in [true, false] {
        let before: Vec<_> = [&this, &other]
            .map(|device| (device, stored(&client, device, 3)))
            .into();
        if is_clean {
            assert_eq!(hub.process.terminate().code(), Some(0));
        } else {
            hub.process.kill();
        }
        hub.start_again();
        assert_eq!(browser.read("/api/v1/account")["name"], "Ada");
        for (device, times) in before {
            let after = stored(&client, device, times.len());
            // What the api had in memory and what ingest wrote down were received a moment apart.
            let is_near = |time: &i64| after.iter().any(|it| (it - time).abs() < 500);
            let lost = times.iter().filter(|time| !is_near(time)).count();
            assert_eq!(lost, 0, "of {} samples of {device}", times.len());
            // The second agent has come back without anybody's help.
            stored(&client, device, after.len() + 2);
            let path = format!("/api/v1/devices/{device}");
            assert_eq!(client.read(&path)["status"], "online");
        }
        let devices = client.read("/api/v1/devices");
        assert_eq!(devices["items"].as_array().unwrap().len(), 2);
    }
}
