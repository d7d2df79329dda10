//! Words of an earlier start of a device that come late: they say nothing of the current one.

use std::time::Duration;

use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::Hub;
use crate::support::mqtt::{Peer, Received};

/// A device without a word of its own is gone after two seconds; a hub that has just started
/// judges nobody before 19 s. This machine is slow.
const CONCLUDED_WITHIN: Duration = Duration::from_mins(1);

/// Says as the device, or as the broker in its name: this status, of that start.
fn says(device: &Peer, id: &str, status: &str, session: &str) {
    let topic = format!("netmonitor/v1/device/{id}/status");
    let property = ["-D", "publish", "user-property", "session", session];
    let said = device.publish(
        &topic,
        status,
        &[&["-V", "5", "-r"][..], &property].concat(),
    );
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
}

fn is(state: &str) -> impl Fn(&Received) -> bool {
    move |message| {
        let presence: Value = serde_json::from_str(&message.payload).unwrap();
        presence["state"] == state
    }
}

#[test]
fn the_late_death_of_an_earlier_start_is_not_that_of_the_current_one() {
    let hub = Hub::start(&["--no-agent"]);
    let reader = Peer::reader(&hub);
    let code = hub.home.told(&["join-code", "--uses", "2"]);
    // Both without an agent, which would object.
    let [(device, presence, id), (witness, its_presence, its_id)] = [(), ()].map(|()| {
        let (agent, id) = Agent::joined(&code);
        let peer = Peer::new(&hub, &id, &agent.password());
        let presence = reader.subscribe(&format!("netmonitor/v1/device/{id}/presence"));
        says(&peer, &id, "online", "00000000000000aa");
        (peer, presence, id)
    });
    for presence in [&presence, &its_presence] {
        presence.wait("online", DEADLINE, 0, is("online"));
    }

    says(&device, &id, "offline", "00000000000000bb");
    // What comes after that is concluded after it.
    says(&witness, &its_id, "offline", "00000000000000aa");
    its_presence.wait("gone", CONCLUDED_WITHIN, 1, is("offline"));
    let said = presence.received();
    assert!(said.iter().all(is("online")), "{said:?}");

    says(&device, &id, "offline", "00000000000000aa");
    presence.wait("gone", CONCLUDED_WITHIN, 1, is("offline"));
}
