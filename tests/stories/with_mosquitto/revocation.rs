//! What MQTT clients see of a credential that is taken away.

use netmonitor_testkit::eventually;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::Hub;
use crate::support::mqtt::Peer;

#[test]
fn what_is_retained_of_a_removed_device_is_cleared_and_of_no_other() {
    let mut hub = Hub::start(&["--no-agent"]);
    let reader = Peer::reader(&hub);
    let code = hub.home.told(&["join-code", "--uses", "2"]);
    let (mut gone, id) = Agent::joined(&code);
    let (mut stays, other) = Agent::joined(&code);
    let all = reader.subscribe("netmonitor/v1/device/#");
    let root = |id: &str| format!("netmonitor/v1/device/{id}/");
    gone.run();
    stays.run();
    let parts = [
        "status", "session", "presence", "info", "metrics", "services",
    ];
    for id in [&id, &other] {
        for part in parts {
            let topic = root(id) + part;
            all.wait(&topic, DEADLINE, 0, |message| message.topic == topic);
        }
    }

    let so_far = all.received().len();
    let done = hub.home.admin(&["device", "remove", &id]);
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""));
    for part in parts {
        let topic = root(&id) + part;
        let is_cleared = |message: &crate::support::mqtt::Received| {
            message.topic == topic && message.payload.is_empty()
        };
        all.wait(&format!("{topic} is empty"), DEADLINE, so_far, is_cleared);
    }
    // The machine still tries, with the right password of before.
    Peer::new(&hub, &id, &gone.password()).assert_is_a_stranger();
    let of_other =
        |message: &crate::support::mqtt::Received| message.topic.starts_with(&root(&other));
    all.wait(
        "the other one goes on",
        DEADLINE,
        all.received().len(),
        of_other,
    );
    assert!(
        all.received()[so_far..]
            .iter()
            .all(|message| !of_other(message) || !message.payload.is_empty())
    );
    let assert_forgotten = |reader: &Peer| {
        let late = reader.subscribe("netmonitor/v1/device/#");
        late.wait("the other one", DEADLINE, 0, of_other);
        // Retained messages come before live ones: two samples later all would be here.
        let is_live = |message: &crate::support::mqtt::Received| !message.retained;
        let live = late.wait("a live sample", DEADLINE, 0, is_live);
        assert!(of_other(&live), "{live:?}");
        let of_gone =
            |message: &crate::support::mqtt::Received| message.topic.starts_with(&root(&id));
        assert_eq!(
            late.received().iter().find(|message| of_gone(message)),
            None
        );
    };
    assert_forgotten(&reader);
    assert_eq!(hub.process.terminate().code(), Some(0));
    hub.start_again();
    eventually("the other one is back", DEADLINE, || {
        let status = root(&other) + "status";
        reader.sub(&["-t", &status, "-C", "1", "-W", "20"]).stdout == "online\n"
    });
    assert_forgotten(&reader);
}

#[test]
fn a_removed_mqtt_user_is_thrown_out_and_no_other() {
    let hub = Hub::start(&["--no-agent"]);
    let reader = Peer::reader(&hub);
    let admin = hub.client("admin");
    let made = admin.post(
        "/api/v1/mqtt-users",
        &serde_json::json!({ "name": "Zigbee", "subscribe": ["zigbee/#"], "publish": ["zigbee/#"] }),
    );
    assert_eq!(made.status, 200, "{}", made.body);
    let password = made.json()["password"].as_str().unwrap().to_owned();
    let zigbee = Peer::new(&hub, "zigbee", &password);
    let mut things = zigbee.subscribe("zigbee/#");
    let mut stays = reader.subscribe("netmonitor/v1/hub/status");
    stays.wait("the hub", DEADLINE, 0, |_| true);
    zigbee.publish("zigbee/lamp", "on", &["-r"]);
    things.wait("the lamp", DEADLINE, 0, |_| true);

    let listed = admin.read("/api/v1/mqtt-users");
    assert!(!listed.to_string().contains(&password));
    let names: Vec<_> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["homeassistant", "Zigbee"]);
    let removed = admin.ask("DELETE", "/api/v1/mqtt-users/ZIGBEE", None);
    assert_eq!((removed.status, removed.body.as_str()), (204, ""));
    things.is_thrown_out();
    zigbee.assert_is_a_stranger();
    admin
        .ask("DELETE", "/api/v1/mqtt-users/zigbee", None)
        .problem(404);
    assert!(stays.is_there());
}
