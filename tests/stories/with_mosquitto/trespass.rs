//! A device that writes what is not its own.

use netmonitor_testkit::eventually;
use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::Hub;
use crate::support::mqtt::{Peer, Received};

#[test]
fn a_device_writes_its_own_topics_and_neither_those_of_others_nor_its_orders() {
    let hub = Hub::start(&["--no-agent"]);
    let reader = Peer::reader(&hub);
    let code = hub.home.told(&["join-code", "--uses", "2"]);
    let (rogue, id) = Agent::joined(&code);
    let (victim, other) = Agent::joined(&code);
    let rogue = Peer::new(&hub, &id, &rogue.password());
    let victim = Peer::new(&hub, &other, &victim.password());
    let public = reader.subscribe("netmonitor/v1/#");
    let own = rogue.subscribe(&format!("netmonitor/v1/device/{id}/#"));
    let others = victim.subscribe(&format!("netmonitor/v1/device/{other}/#"));

    let forbidden = [
        format!("netmonitor/v1/device/{other}/status"),
        format!("netmonitor/v1/device/{other}/metrics"),
        format!("netmonitor/v1/device/{other}/settings"),
        format!("netmonitor/v1/device/{id}/ack"),
        format!("netmonitor/v1/device/{id}/settings"),
        format!("netmonitor/v1/device/{id}/presence"),
        "netmonitor/v1/event".to_owned(),
        "netmonitor/v1/hub/status".to_owned(),
        "netmonitor/v1/hub/service/api".to_owned(),
        format!("netmonitor-private/v1/device/{other}/revoke"),
        "netmonitor-private/v1/credentials/changed".to_owned(),
    ];
    for topic in &forbidden {
        let refused = rogue.publish(topic, "forged", &["-V", "5", "-r"]);
        assert!(
            refused.stderr.contains("Not authorized"),
            "{topic}: {refused:?}"
        );
        let dropped = rogue.publish(topic, "forged", &["-V", "311", "-r"]);
        assert_eq!(
            (dropped.code, dropped.stderr.as_str()),
            (Some(0), ""),
            "{topic}"
        );
    }
    // A will is a publish as well.
    let will = ["--will-topic", &forbidden[0], "--will-payload", "forged"];
    let status = format!("netmonitor/v1/device/{id}/status");
    let refused = rogue.publish(&status, "online", &will);
    assert_eq!(refused.code, Some(5), "{refused:?}");

    // What comes after all that shows that nothing of it came before.
    let allowed = rogue.publish(&status, "online", &["-V", "5", "-r"]);
    assert_eq!((allowed.code, allowed.stderr.as_str()), (Some(0), ""));
    let is_status = |message: &Received| message.topic == status;
    public.wait("its own status", DEADLINE, 0, is_status);
    own.wait("its own status", DEADLINE, 0, is_status);
    let victims = format!("netmonitor/v1/device/{other}/status");
    victim.publish(&victims, "offline", &[]);
    others.wait("the other's status", DEADLINE, 0, |message| {
        message.topic == victims
    });
    for subscriber in [public, own, others] {
        let is_forged = |message: &Received| message.payload == "forged";
        assert_eq!(subscriber.received().into_iter().find(is_forged), None);
    }
    // The other device is neither touched nor cut off, and the hub obeys nobody but its own.
    let devices = hub.client("viewer").read("/api/v1/devices");
    assert_eq!(devices["items"].as_array().unwrap().len(), 2);
    // The log names who did it, and what was tried first of each kind.
    for kind in ["publishes_refused", "wills_refused"] {
        eventually("a line of the log", DEADLINE, || {
            let log = hub.process.stderr.all();
            let parts = [kind, &id, &forbidden[0]];
            log.iter()
                .any(|line| parts.iter().all(|part| line.contains(part)))
        });
    }
}

#[test]
fn what_was_refused_stands_in_the_report_of_the_broker() {
    let hub = Hub::start(&["--no-agent"]);
    let (rogue, id) = Agent::joined(&hub.home.told(&["join-code"]));
    let rogue = Peer::new(&hub, &id, &rogue.password());
    for version in ["5", "311"] {
        rogue.publish("netmonitor/v1/hub/status", "forged", &["-V", version]);
    }
    let own = format!("netmonitor/v1/device/{id}/status");
    let will = ["--will-topic", "netmonitor/v1/hub/status"];
    rogue.publish(&own, "online", &will);

    let reports = Peer::reader(&hub).subscribe("netmonitor/v1/hub/service/broker");
    // It comes each half minute.
    reports.wait("the refusals", DEADLINE * 2, 0, |message| {
        let health: Value = serde_json::from_str(&message.payload).unwrap();
        let count = |name: &str| health["counters"][name].as_u64();
        count("publishes_refused") == Some(2) && count("wills_refused") == Some(1)
    });
}
