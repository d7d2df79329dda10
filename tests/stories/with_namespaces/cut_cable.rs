//! Cables that are cut, and machines that come back on another one: nobody says goodbye, and
//! the hub has to find out.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::mqtt::{Peer, Received, Subscriber};
use crate::support::network::Machine;

/// One and a half keepalives of six seconds and one more, as the design promises; and what a
/// busy machine may take beside.
const CUT_IS_KNOWN_WITHIN: Duration = Duration::from_secs(9 + 1 + 5);

/// Two seconds in which it might be back, and what a busy machine may take beside.
const DEATH_IS_CONCLUDED_WITHIN: Duration = Duration::from_secs(2 + 4);

/// A hub with two network ports, and a device at each.
struct Site {
    hub: Hub,
    home: Home,
    one: Machine,
    other: Machine,
}

impl Site {
    fn new() -> Self {
        let [machine, one, other] = ["hub", "one", "other"].map(Machine::new);
        machine.wire("eth1", &one, "eth0");
        machine.wire("eth2", &other, "eth0");
        machine.address("eth1", "10.77.1.1/24");
        machine.address("eth2", "10.77.2.1/24");
        one.address("eth0", "10.77.1.2/24");
        other.address("eth0", "10.77.2.2/24");
        let home = Home::quick();
        let flags = ["--no-agent", "--mqtts", "0.0.0.0:8883"];
        let hub = Hub::start_on(&machine, &home, &flags);
        Self {
            hub,
            home,
            one,
            other,
        }
    }

    fn joins(&self, machine: &Machine) -> (Agent, String) {
        Agent::joined_on(machine, &self.home.told(&["join-code"]))
    }
}

fn is(state: &'static str) -> impl Fn(&Received) -> bool {
    move |message| {
        let presence: Value = serde_json::from_str(&message.payload).unwrap();
        presence["state"] == state
    }
}

fn last(presence: &Subscriber) -> Value {
    let last = presence.received().pop().unwrap();
    serde_json::from_str(&last.payload).unwrap()
}

#[test]
fn a_cut_cable_is_found_out_and_its_mending_as_well() {
    let site = Site::new();
    let (mut agent, id) = site.joins(&site.one);
    let (mut bystander, neighbour) = site.joins(&site.other);
    agent.run();
    bystander.run();
    let reader = Peer::reader(&site.hub);
    let presence = reader.subscribe(&format!("netmonitor/v1/device/{id}/presence"));
    let beside = reader.subscribe(&format!("netmonitor/v1/device/{neighbour}/presence"));
    presence.wait("online", DEADLINE, 0, is("online"));
    beside.wait("online", DEADLINE, 0, is("online"));
    let (so_far, so_far_beside) = (presence.received().len(), beside.received().len());

    site.one.cut("eth0");
    let cut = Instant::now();
    presence.wait("offline", CUT_IS_KNOWN_WITHIN, so_far, is("offline"));
    assert!(
        cut.elapsed() > Duration::from_secs(2),
        "nobody knows at once, unless by another way: {:?}",
        cut.elapsed()
    );
    assert_eq!(last(&presence)["cause"], "lost");

    site.one.mend("eth0");
    presence.wait("online again", DEADLINE, so_far + 1, is("online"));
    assert_eq!(
        beside.received().len(),
        so_far_beside,
        "its neighbour has seen nothing of it"
    );
}

#[test]
fn a_machine_that_is_back_before_it_was_missed_is_never_offline_and_dies_for_all_to_see() {
    let site = Site::new();
    let (mut agent, id) = site.joins(&site.one);
    agent.run();
    let reader = Peer::reader(&site.hub);
    let presence = reader.subscribe(&format!("netmonitor/v1/device/{id}/presence"));
    presence.wait("online", DEADLINE, 0, is("online"));
    let so_far = presence.received().len();

    // Its power is cut, so that no word leaves it, and it starts again on another cable.
    site.one.cut("eth0");
    agent.process().kill();
    agent.move_to(&site.other);
    agent.run();
    let session = reader.subscribe(&format!("netmonitor/v1/device/{id}/metrics"));
    session.wait("a sample from there", DEADLINE, 0, |sample| {
        !sample.retained
    });
    let states: Vec<Received> = presence.received().into_iter().skip(so_far).collect();
    assert!(
        !states.iter().any(is("offline")),
        "a takeover is no death: {states:?}"
    );

    let so_far = presence.received().len();
    agent.process().kill();
    presence.wait(
        "its death",
        DEATH_IS_CONCLUDED_WITHIN,
        so_far,
        is("offline"),
    );
    assert_eq!(last(&presence)["cause"], "lost");
}
