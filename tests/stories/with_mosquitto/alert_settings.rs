//! What an admin sets about alerts and devices reaches the services that raise them, and what an
//! operator does about an alert as well.

use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::live::Live;
use crate::support::mqtt::{Peer, Received};
use netmonitor_testkit::http::{Answer, Client};

fn service(hub: &Hub, name: &str) -> Peer {
    let secret = hub.home.path().join("secrets").join(name);
    let password = std::fs::read_to_string(secret).unwrap();
    Peer::new(hub, &format!("service-{name}"), password.trim())
}

/// Waits until what is retained there is as wanted.
fn told(peer: &Peer, topic: &str, is_it: impl Fn(&Value) -> bool) -> String {
    let is_it = |message: &Received| {
        serde_json::from_str(&message.payload).is_ok_and(|payload| is_it(&payload))
    };
    peer.subscribe(topic)
        .wait(topic, DEADLINE, 0, is_it)
        .payload
}

/// Changes something, which must be possible.
fn change(client: &Client, path: &str, change: &Value) -> Answer {
    let answer = client.ask("PATCH", path, Some(change));
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    answer
}

fn rule<'a>(page: &'a Value, name: &str) -> &'a Value {
    let mut items = page["items"].as_array().unwrap().iter();
    items.find(|rule| rule["rule"] == name).unwrap()
}

/// A device that was enrolled, and has not connected yet.
fn enrolled(hub: &Hub) -> String {
    let code = hub.home.told(&["join-code"]);
    Agent::joined(&code).1
}

#[test]
fn rules_of_all_and_of_one_device_are_told_to_the_services_and_to_the_agent() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let (admin, operator) = (hub.client("admin"), hub.client("operator"));
    let id = enrolled(&hub);
    let (own, settings) = (
        format!("netmonitor-private/v1/device/{id}/alerting"),
        format!("netmonitor/v1/device/{id}/settings"),
    );
    let alerting = service(&hub, "alerting");
    told(&alerting, &own, |it| it["name"].is_string());
    told(&alerting, &settings, |it| it["offline_timeout_secs"] == 10);

    let rules = json!({ "rules": { "cpu": { "limit": 80 }, "offline": { "for_secs": 30 } } });
    let path = "/api/v1/rules";
    operator.ask("PATCH", path, Some(&rules)).problem(403);
    let page = change(&admin, path, &rules).json();
    let cpu = rule(&page, "cpu");
    assert_eq!(cpu["default"]["limit"], 90.0);
    assert_eq!(
        (&cpu["set"]["limit"], &cpu["effective"]["clear"]),
        (&json!(80.0), &json!(75.0))
    );
    let all = "netmonitor-private/v1/settings/alerting";
    told(&alerting, all, |it| it["rules"]["cpu"]["limit"] == 80.0);
    told(&alerting, &settings, |it| it["offline_timeout_secs"] == 30);
    for (wrong, part) in [
        (json!({ "colour": {} }), "no rule \"colour\""),
        (json!({ "cpu": { "limit": 101 } }), "give 0 to 100"),
        (json!({ "cpu": { "clear": 85 } }), "no more than its limit"),
        (json!({ "stale": { "limit": 1 } }), "compares nothing"),
    ] {
        let answer = admin.ask("PATCH", path, Some(&json!({ "rules": wrong })));
        let text = answer.problem(400);
        assert!(text.contains(part), "{text}");
    }

    let path = format!("/api/v1/devices/{id}/rules");
    let first = change(
        &admin,
        &path,
        &json!({ "rules": { "cpu": { "limit": 50 } } }),
    );
    let cpu = rule(&first.json(), "cpu").clone();
    assert_eq!(cpu["default"]["limit"], 80.0);
    assert_eq!(cpu["effective"]["limit"], 50.0);
    let limits = operator.read(&format!("/api/v1/devices/{id}"))["limits"].clone();
    assert_eq!(limits["cpu_percent"], 50.0);
    let back = change(&admin, &path, &json!({ "rules": { "cpu": null } }));
    assert_eq!(rule(&back.json(), "cpu")["effective"]["limit"], 80.0);
    // Somebody who has read the rules before that does not undo it.
    let late = admin.with_header("if-match", first.header("etag"));
    let again = json!({ "rules": { "ram": { "limit": 1 } } });
    late.ask("PATCH", &path, Some(&again)).problem(412);

    let path = format!("/api/v1/devices/{id}/settings");
    let wanted = json!({ "interval_secs": 5.0, "offline_timeout_secs": 60 });
    assert_eq!(
        change(&admin, &path, &wanted).json()["offline_timeout_secs"],
        60
    );
    told(&alerting, &settings, |it| {
        it["interval_secs"] == 5.0 && it["offline_timeout_secs"] == 60
    });
}

#[test]
fn a_device_gets_a_name_groups_and_an_uplink_and_nothing_of_it_stays_when_it_goes() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let admin = hub.client("admin");
    let (id, switch) = (enrolled(&hub), enrolled(&hub));
    let alerting = service(&hub, "alerting");
    let page = Live::open(&admin);
    let path = format!("/api/v1/devices/{id}");
    let wanted = json!({
        "name": "Desk 14", "groups": ["lab"], "always_on": true, "uplink": switch,
    });
    let changed = change(&admin, &path, &wanted);
    assert_eq!(changed.json()["groups"], json!(["lab"]));
    assert_eq!(changed.header("etag"), admin.get(&path).header("etag"));
    page.event("device", DEADLINE, |data| {
        data["device"]["name"] == "Desk 14"
    });
    let logged = page.event("log", DEADLINE, |data| {
        data["event"]["kind"] == "settings_changed"
    });
    assert_eq!(logged["event"]["device"], id.as_str());
    let groups = &logged["event"]["parameters"]["groups"];
    assert_eq!(groups, "none → lab");
    let own = format!("netmonitor-private/v1/device/{id}/alerting");
    told(&alerting, &own, |it| {
        it["name"] == "Desk 14" && it["uplink"] == switch.as_str() && it["always_on"] == true
    });
    let circle = json!({ "uplink": id });
    let text = admin
        .ask("PATCH", &format!("/api/v1/devices/{switch}"), Some(&circle))
        .problem(400);
    assert!(text.contains("hangs behind it"), "{text}");

    admin.ask("DELETE", &path, None);
    netmonitor_testkit::eventually("nothing is retained of it", DEADLINE, || {
        alerting
            .sub(&["-t", &own, "-C", "1", "-W", "1"])
            .stdout
            .is_empty()
    });
}

#[test]
fn the_secret_of_a_channel_goes_in_and_never_comes_out() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let admin = hub.client("admin");
    let alerting = service(&hub, "alerting");
    let new = json!({
        "kind": "webhook", "name": "Team chat", "format": "slack",
        "url": "https://hooks.example.org/geheim",
    });
    let made = admin.post("/api/v1/channels", &new);
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.json()["id"], "team-chat");
    assert_eq!(made.json()["url_host"], "hooks.example.org");
    let secret = hub.home.path().join("secrets/channel-team-chat.json");
    assert!(std::fs::read_to_string(&secret).unwrap().contains("geheim"));
    let topic = "netmonitor-private/v1/settings/channels";
    let published = told(&alerting, topic, |it| {
        it["channels"][0]["id"] == "team-chat"
    });
    let path = "/api/v1/channels/team-chat";
    let beat = json!({ "enabled": true });
    let text = admin
        .ask("PATCH", "/api/v1/channels/heartbeat", Some(&beat))
        .problem(400);
    assert!(text.contains("url is missing"), "{text}");
    let beat = json!({ "enabled": true, "url": "https://hc.example.org/geheim" });
    change(&admin, "/api/v1/channels/heartbeat", &beat);
    let renamed = change(
        &admin,
        path,
        &json!({ "name": "Chat", "url": "https://a.example/geheim" }),
    );
    assert_eq!(renamed.json()["url_host"], "a.example");
    let log = admin.until(
        "the changes are in the log",
        "/api/v1/events?kind=settings_changed",
        |log| (log["items"].as_array()?.len() == 3).then(|| log.to_string()),
    );
    assert!(log.contains("channels.team-chat.secret"), "{log}");
    let list = admin.get("/api/v1/channels").body;
    for text in [&made.body, &published, &log, &list, &renamed.body] {
        assert!(!text.contains("geheim"), "{text}");
    }
    assert_eq!(admin.ask("DELETE", path, None).status, 204);
    assert!(!secret.exists());
    admin.get(path).problem(404);
}

#[test]
fn an_operator_opens_maintenance_and_acts_on_alerts() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let (operator, viewer) = (hub.client("operator"), hub.client("viewer"));
    let id = enrolled(&hub);
    let window = json!({
        "name": "Backups", "devices": [id], "weekly": { "from": "02:00", "to": "03:30" },
    });
    viewer.post("/api/v1/maintenance", &window).problem(403);
    let made = operator.post("/api/v1/maintenance", &window);
    assert_eq!(made.status, 200, "{}", made.body);
    let path = format!(
        "/api/v1/maintenance/{}",
        made.json()["id"].as_str().unwrap()
    );
    let once = json!({ "from": "2026-11-30T10:00:00Z", "to": "2126-11-30T12:00:00Z" });
    assert!(change(&operator, &path, &once).json()["weekly"].is_null());
    let nobody = json!({ "devices": ["nobody"] });
    operator.ask("PATCH", &path, Some(&nobody)).problem(400);
    assert_eq!(operator.ask("DELETE", &path, None).status, 204);
    operator.ask("DELETE", &path, None).problem(404);

    let alerting = service(&hub, "alerting");
    let say = |rule: &str, state: &str| {
        let alert = json!({
            "state": state, "since": "2026-11-30T10:00:00Z", "severity": "critical",
        });
        let topic = format!("netmonitor/v1/alert/{id}/{rule}");
        let ended = alerting.publish(&topic, &alert.to_string(), &["-r"]);
        assert_eq!(ended.code, Some(0));
    };
    let page = Live::open(&viewer);
    say("disk-home", "firing");
    say("clock", "ok");
    page.event("alert", DEADLINE, |data| data["alert"]["state"] == "firing");
    let path = format!("/api/v1/alerts?state=firing&device={id}");
    viewer.until("the alert is listed", &path, |alerts| {
        let alerts = alerts["items"].as_array()?;
        (alerts.len() == 1 && alerts[0]["target"] == "/home").then_some(())
    });
    viewer.until("that all is well as well", "/api/v1/alerts", |alerts| {
        let mut alerts = alerts["items"].as_array()?.iter();
        alerts.find(|it| it["rule"] == "clock").map(|_| ())
    });
    let commands = alerting.subscribe("netmonitor/v1/alert/+/+/set");
    let ack = format!("/api/v1/alerts/{id}/disk-home/ack");
    let note = json!({ "note": "on my way" });
    viewer.post(&ack, &note).problem(403);
    netmonitor_testkit::eventually("the command arrives", DEADLINE, || {
        assert_eq!(operator.post(&ack, &note).status, 204);
        commands.received().iter().any(|it| {
            let command: Value = serde_json::from_str(&it.payload).unwrap();
            command == json!({ "action": "ack", "note": "on my way", "by": "operator-program" })
        })
    });
    let snooze = |rule: &str| format!("/api/v1/alerts/{id}/{rule}/snooze");
    let hour = json!({ "for_secs": 3600 });
    assert_eq!(operator.post(&snooze("disk-home"), &hour).status, 204);
    operator.post(&snooze("clock"), &hour).problem(409);
    operator.post(&snooze("nothing"), &hour).problem(404);
    let long = json!({ "for_secs": 2_592_001 });
    operator.post(&snooze("disk-home"), &long).problem(400);
}
