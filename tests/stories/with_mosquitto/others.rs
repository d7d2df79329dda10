//! Things of the household that share the broker.

use crate::support::DEADLINE;
use crate::support::hub::Hub;
use crate::support::mqtt::Peer;

#[test]
fn a_user_with_filters_of_its_own_may_use_those_and_nothing_else() {
    let hub = Hub::start(&["--no-agent"]);
    let add = ["mqtt-user", "add", "zigbee", "--publish", "zigbee/+/set"];
    let password = hub
        .home
        .told(&[&add[..], &["--subscribe", "zigbee/#"]].concat());
    let zigbee = Peer::new(&hub, "zigbee", &password);
    let lamp = zigbee.subscribe("zigbee/#");
    let retained = zigbee.publish("zigbee/lamp/set", "on", &["-r"]);
    assert_eq!(retained.code, Some(0), "{retained:?}");
    let on = lamp.wait("the lamp", DEADLINE, 0, |_| true);
    assert_eq!(
        (on.topic.as_str(), on.payload.as_str()),
        ("zigbee/lamp/set", "on")
    );
    for topic in ["zigbee/lamp", "other/lamp", "netmonitor/v1/hub/status"] {
        let refused = zigbee.publish(topic, "x", &["-V", "5"]);
        assert!(
            refused.stderr.contains("Not authorized"),
            "{topic}: {refused:?}"
        );
    }
    zigbee.assert_may_not_read("netmonitor/v1/#");
}
