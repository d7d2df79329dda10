//! What a machine hears that asks twice.

use netmonitor_protocol::join_code::JoinCode;
use netmonitor_protocol::payload::{JoinReply, JoinRequest};
use netmonitor_protocol::{JOIN_USER, JoinRequestId, Message, Topic};
use netmonitor_testkit::eventually;

use crate::support::DEADLINE;
use crate::support::hub::Hub;
use crate::support::mqtt::Peer;
use crate::support::process::Ended;

/// How `mosquitto_rr` ends then: the reason code of MQTT 5.
const NOT_AUTHORIZED: Option<i32> = Some(0x87);

fn ask(peer: &Peer, id: &JoinRequestId, password: &str, token: &str) -> Ended {
    let request = JoinRequest {
        host_name: "ws-14".to_owned(),
        name: None,
        token: token.to_owned(),
        password: Some(password.to_owned()),
        agent_version: "0.1.0".to_owned(),
    };
    let message = Message::JoinRequest(id.clone(), request);
    let payload = String::from_utf8(message.payload()).unwrap();
    let answer = Topic::JoinReply(id.clone()).to_string();
    peer.ask(id.as_str(), &message.topic().to_string(), &answer, &payload)
}

fn reply(ended: &Ended) -> JoinReply {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
}

#[test]
fn an_answer_that_was_lost_is_given_again_to_the_same_machine_and_to_no_other() {
    let mut hub = Hub::start(&["--no-agent"]);
    let code: JoinCode = hub.home.told(&["join-code"]).parse().unwrap();
    let peer = Peer::new(&hub, JOIN_USER, &code.token);
    let machine = JoinRequestId::from_bits(1);
    let password = "0123456789abcdef".repeat(4);
    let joined = JoinReply::Joined {
        device: "ws-14".parse().unwrap(),
        password: password.clone(),
    };
    assert_eq!(reply(&ask(&peer, &machine, &password, &code.token)), joined);

    // The code is used up: for this machine it is good until it expires, whatever dies.
    hub.process.kill();
    hub.start_again();
    assert_eq!(reply(&ask(&peer, &machine, &password, &code.token)), joined);
    let settings = Peer::new(&hub, "ws-14", &password).sub(&[
        "-t",
        "netmonitor/v1/device/ws-14/settings",
        "-E",
    ]);
    assert_eq!(settings.code, Some(0), "{settings:?}");

    let stranger = ask(&peer, &JoinRequestId::from_bits(2), &password, &code.token);
    assert_eq!(
        (stranger.code, stranger.stdout.as_str()),
        (NOT_AUTHORIZED, "")
    );
    // Who knows code and request does not know the password.
    let thief = ask(&peer, &machine, &"f".repeat(64), &code.token);
    assert!(
        matches!(reply(&thief), JoinReply::Refused { .. }),
        "{thief:?}"
    );

    // A device that was removed is not brought back by a late request.
    assert_eq!(hub.home.admin(&["device", "remove", "ws-14"]).code, Some(0));
    // The broker hears of it a moment later; until then it is the api that refuses.
    eventually("nobody answers any more", DEADLINE, || {
        let late = ask(&peer, &machine, &password, &code.token);
        let is_over = late.code == NOT_AUTHORIZED && late.stdout.is_empty();
        assert!(
            is_over || matches!(reply(&late), JoinReply::Refused { .. }),
            "{late:?}"
        );
        is_over
    });
    let devices = hub.client("viewer").read("/api/v1/devices");
    assert_eq!(devices["items"], serde_json::json!([]));
}
