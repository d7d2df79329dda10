//! What an admin sets for the hub: kept, told to the services, and overwritten by nobody unseen.

use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::hub::{Home, Hub};
use crate::support::live::Live;
use crate::support::mqtt::{Peer, Received};

const PATH: &str = "/api/v1/settings";

fn ingest_of(hub: &Hub) -> Peer {
    let password = std::fs::read_to_string(hub.home.path().join("secrets/ingest")).unwrap();
    Peer::new(hub, "service-ingest", password.trim())
}

/// Waits until the services are told to keep samples for so many days.
fn told(peer: &Peer, days: u32) -> Value {
    let settings = peer.subscribe("netmonitor-private/v1/settings/history");
    let is_it = |message: &Received| {
        let payload: Value = serde_json::from_str(&message.payload).unwrap();
        payload["sample_days"] == days
    };
    let message = settings.wait("the settings", DEADLINE, 0, is_it);
    serde_json::from_str(&message.payload).unwrap()
}

#[test]
fn what_an_admin_sets_is_kept_told_to_the_services_and_not_overwritten_unseen() {
    let home = Home::quick();
    let mut hub = Hub::start_in(&home, &["--no-agent"]);
    let (admin, operator) = (hub.client("admin"), hub.client("operator"));
    let page = Live::open(&admin);
    let defaults = json!({
        "revision": 0, "sample_days": 90, "five_minute_days": 730, "two_hour_days": 3650,
        "max_megabytes": 2000, "event_days": 7, "max_events": 100_000,
    });
    let first = operator.get(PATH);
    assert_eq!(first.json()["history"], defaults);
    let size = &first.json()["history_size"];
    assert!(
        size["used_bytes"].as_u64() <= size["file_bytes"].as_u64(),
        "{size}"
    );
    assert!(size["used_bytes"].as_u64() > Some(0), "{size}");
    assert_eq!(told(&ingest_of(&hub), 90)["revision"], 0);
    hub.anybody().get(PATH).problem(401);

    let keep = |days: u32| json!({ "history": { "sample_days": days } });
    operator.ask("PATCH", PATH, Some(&keep(30))).problem(403);
    let tagged = admin.with_header("if-match", first.header("etag"));
    let changed = tagged.ask("PATCH", PATH, Some(&keep(30)));
    assert_eq!(changed.status, 200, "{}", changed.body);
    assert_eq!(changed.json()["history"]["revision"], 1);
    assert_ne!(changed.header("etag"), first.header("etag"));
    let logged = page.event("log", DEADLINE, |data| {
        data["event"]["kind"] == "settings_changed"
    });
    assert_eq!(logged["event"]["actor"], "admin-program");

    // Somebody who has read the settings before that does not undo it.
    let late = tagged.ask("PATCH", PATH, Some(&keep(7))).problem(412);
    assert!(late.contains("meanwhile"), "{late}");
    let wrong = admin.ask("PATCH", PATH, Some(&keep(0))).problem(400);
    assert!(wrong.contains("sample_days is 0"), "{wrong}");
    for days in [0, -1] {
        let none = json!({ "history": { "event_days": days } });
        let wrong = admin.ask("PATCH", PATH, Some(&none)).problem(400);
        assert!(
            wrong.contains(&format!("event_days is {days}: give 1")),
            "{wrong}"
        );
    }
    let unknown = json!({ "history": { "sample_weeks": 3 } });
    admin.ask("PATCH", PATH, Some(&unknown)).problem(400);
    let now = operator.read(PATH)["history"].clone();
    assert_eq!(now, changed.json()["history"]);

    // Also after the hub was away.
    hub.process.kill();
    hub.start_again();
    assert_eq!(operator.read(PATH)["history"], now);
    assert_eq!(told(&ingest_of(&hub), 30), now);
}
