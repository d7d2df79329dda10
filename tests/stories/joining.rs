//! What a join code is good for, and what it is not.

use netmonitor_protocol::join_code::JoinCode;
use serde_json::json;

use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};

#[test]
fn a_join_code_lets_in_as_many_machines_as_it_says_and_no_stranger() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let code = hub.home.told(&["join-code"]);
    let (_first, first) = Agent::joined(&code);
    let refused = Agent::new().join(&code);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("used up"), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);

    // The same from a page of the dashboard, for two.
    let admin = hub.client("admin");
    let made = admin.post(
        "/api/v1/join-codes",
        &json!({ "uses": 2, "expires_secs": 600 }),
    );
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json();
    let code = made["code"].as_str().unwrap();
    assert_eq!(made["command"], format!("netmonitor-agent join {code}"));
    let (_second, second) = Agent::joined(code);
    let (_third, third) = Agent::joined(code);
    assert!(first != second && first != third && second != third);
    assert_eq!(Agent::new().join(code).code, Some(1));

    // Who has joined does not do so again by accident.
    let (twice, _) = Agent::joined(&hub.home.told(&["join-code"]));
    let refused = twice.join(&hub.home.told(&["join-code"]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);

    let devices = admin.read("/api/v1/devices");
    assert_eq!(devices["items"].as_array().unwrap().len(), 4);
}

#[test]
fn a_code_that_does_not_fit_is_refused_with_the_reason() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let code: JoinCode = hub.home.told(&["join-code"]).parse().unwrap();
    let assert_refused = |code: &JoinCode, reason: &str| {
        let refused = Agent::new().join(&code.to_string());
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
        assert!(!refused.stderr.contains(&code.token), "{}", refused.stderr);
    };

    let mut unknown = code.clone();
    unknown.token = "0".repeat(64);
    assert_refused(&unknown, "does not accept this code");

    // Whoever answers in the place of the hub has another certificate, and learns no token.
    let other = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let mut foreign: JoinCode = other.home.told(&["join-code"]).parse().unwrap();
    let address = foreign.addresses.clone();
    foreign.addresses.clone_from(&code.addresses);
    assert_refused(&foreign, "its certificate is not the one in the code");

    drop(other);
    foreign.addresses = address;
    assert_refused(&foreign, "cannot reach the hub");

    let devices = hub.client("viewer").read("/api/v1/devices");
    assert_eq!(devices["items"], json!([]));
}
