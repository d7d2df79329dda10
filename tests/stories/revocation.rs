//! A device is removed, and is none from then on.

use netmonitor_testkit::eventually;
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::live::Live;
use netmonitor_testkit::http::Client;

fn until_online(client: &Client, device: &str) {
    let path = format!("/api/v1/devices/{device}");
    client.until("the device is online with numbers", &path, |device| {
        (device["status"] == "online" && device["metrics"].is_object()).then_some(())
    });
}

fn ids(client: &Client) -> Vec<String> {
    let devices = client.read("/api/v1/devices");
    let items = devices["items"].as_array().unwrap();
    let id = |device: &Value| device["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

/// Waits until the agent says that the hub does not let it in, and what to do.
fn until_refused(agent: &mut Agent) {
    let log = agent.process().stderr.clone();
    eventually("the agent says why it is not connected", DEADLINE, || {
        let lines = log.all();
        lines.iter().any(|line| line.contains("join --force"))
    });
}

#[test]
fn a_removed_device_goes_from_every_page_and_comes_back_only_with_a_new_code() {
    let mut hub = Hub::start(&["--no-agent"]);
    let admin = hub.client("admin");
    let code = hub.home.told(&["join-code", "--uses", "2"]);
    let (mut gone, id) = Agent::joined(&code);
    let (mut stays, other) = Agent::joined(&code);
    gone.run();
    stays.run();
    until_online(&admin, &id);
    until_online(&admin, &other);

    let path = format!("/api/v1/devices/{id}");
    for role in ["viewer", "operator"] {
        hub.client(role).ask("DELETE", &path, None).problem(403);
    }
    let page = Live::open(&admin);
    let removed = admin.ask("DELETE", &path, None);
    assert_eq!((removed.status, removed.body.as_str()), (204, ""));
    page.event("removed", DEADLINE, |data| data["id"] == id.as_str());
    let logged = page.event("log", DEADLINE, |data| {
        data["event"]["kind"] == "device_revoked"
    });
    assert_eq!(logged["event"]["device"], id.as_str());
    assert_eq!(logged["event"]["actor"], "admin-program");
    assert!(admin.get(&path).problem(404).contains(&id));
    assert!(admin.ask("DELETE", &path, None).problem(404).contains(&id));
    assert_eq!(ids(&admin), [other.as_str()]);
    until_refused(&mut gone);

    // The other one has noticed nothing.
    page.event("metrics", DEADLINE, |data| data["id"] == other.as_str());
    let log = stays.process().stderr.all();
    assert!(!log.iter().any(|line| line.contains("not connected")));

    // Nor does a new start of the hub bring it back.
    assert_eq!(hub.process.terminate().code(), Some(0));
    hub.start_again();
    until_online(&admin, &other);
    assert_eq!(ids(&admin), [other.as_str()]);
    gone.process().kill();
    let again = gone.join_anew(&hub.home.told(&["join-code"]));
    assert_eq!(again, id, "the id is free, and its history goes on");
    gone.run();
    until_online(&admin, &id);
}

#[test]
fn a_device_that_is_removed_while_no_hub_runs_is_none_when_it_starts() {
    let mut hub = Hub::start(&["--no-agent"]);
    let viewer = hub.client("viewer");
    let code = hub.home.told(&["join-code", "--uses", "2"]);
    let (mut gone, id) = Agent::joined(&code);
    let (_stays, other) = Agent::joined(&code);
    gone.run();
    until_online(&viewer, &id);
    assert_eq!(hub.process.terminate().code(), Some(0));

    let listed = hub.home.admin(&["device", "list"]).stdout;
    let found: Vec<_> = listed
        .lines()
        .skip(1)
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(found, [id.as_str(), &other], "{listed}");
    let done = hub.home.admin(&["device", "remove", &id]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), ""),
        "{}",
        done.stderr
    );
    for wrong in [id.as_str(), "NO DEVICE"] {
        let refused = hub.home.admin(&["device", "remove", wrong]);
        assert_eq!(refused.code, Some(1));
        assert!(
            refused.stderr.contains("there is no device"),
            "{}",
            refused.stderr
        );
    }
    hub.start_again();
    until_refused(&mut gone);
    assert_eq!(ids(&viewer), [other]);
}

#[test]
fn the_machine_of_the_hub_stays_away_once_it_is_removed() {
    let mut hub = Hub::start_in(&Home::quick(), &[]);
    let viewer = hub.client("viewer");
    let [id] = ids(&viewer).try_into().unwrap();
    let done = hub.home.admin(&["device", "remove", &id]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    assert_eq!(ids(&viewer), [""; 0]);
    let says_so = |log: Vec<String>| {
        log.iter()
            .any(|line| line.contains("was removed from the hub"))
    };
    let log = hub.process.stderr.clone();
    eventually("the hub says what to do", DEADLINE, || says_so(log.all()));
    assert_eq!(hub.process.terminate().code(), Some(0));
    hub.start_again();
    assert!(says_so(hub.process.stderr.all()));
    assert_eq!(ids(&viewer), [""; 0]);

    // What the log says to do.
    assert_eq!(hub.process.terminate().code(), Some(0));
    std::fs::remove_file(hub.home.path().join("agent/identity.json")).unwrap();
    hub.start_again();
    until_online(&viewer, &id);
}
