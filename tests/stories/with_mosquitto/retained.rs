//! Somebody who comes late is told all that is retained, however much.

use netmonitor_testkit::eventually;
use rumqttc::{Client, Connection, Event, MqttOptions, Packet, qos};

use crate::support::DEADLINE;
use crate::support::hub::{Home, Hub};
use crate::support::mqtt::Peer;

const TOPICS: usize = 1_000;

/// The user whose filters they are.
const USER: &str = "plants";

/// Home Assistant's discovery, as other things announce themselves: it comes once, and so the
/// broker writes it to the disk soon.
fn topic(n: usize) -> String {
    format!("homeassistant/sensor/plant-{n:04}/config")
}

/// The last one is confirmed by the broker when all have arrived.
fn quality(n: usize) -> u8 {
    [1, 0, 2][n % 3]
}

/// Publishes all of them, retained, until the broker has confirmed it.
fn publish_all(hub: &Hub, password: &str) {
    let port = hub.port("mqtt").parse().unwrap();
    let mut options = MqttOptions::new("gardener", "127.0.0.1", port);
    options.set_credentials(USER, password);
    let (client, connection) = Client::new(options, TOPICS);
    for n in 0..TOPICS {
        let quality = qos(quality(n)).unwrap();
        client
            .publish(topic(n), quality, true, n.to_string())
            .unwrap();
    }
    until_confirmed(connection);
}

fn until_confirmed(mut connection: Connection) {
    let mut left = (0..TOPICS).filter(|n| quality(*n) > 0).count();
    while left > 0 {
        let event = connection.recv_timeout(DEADLINE).unwrap().unwrap();
        if let Event::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) = event {
            left -= 1;
        }
    }
}

/// Waits until each of them is somewhere in the broker's file.
fn until_on_disk(home: &Home) {
    let files = ["retained.db", "retained.db-wal"].map(|name| home.path().join(name));
    eventually("they are on the disk", DEADLINE, || {
        let read = |path| std::fs::read(path).unwrap_or_default();
        let bytes = files.each_ref().map(read).concat();
        let text = String::from_utf8_lossy(&bytes);
        (0..TOPICS).all(|n| text.contains(&topic(n)))
    });
}

/// A new subscriber to everything gets each of them, with the lower of both qualities.
fn assert_come_to_the_late(late: &Peer) {
    let (number, patience) = (TOPICS.to_string(), DEADLINE.as_secs().to_string());
    for subscribed in 0..=2 {
        let wanted = subscribed.to_string();
        let ended = late.sub(&[
            "-t",
            "#",
            "-q",
            &wanted,
            "-C",
            &number,
            "-W",
            &patience,
            "-F",
            "%t %q %r %p",
        ]);
        assert_eq!(ended.code, Some(0), "QoS {subscribed}: {}", ended.stderr);
        let mut lines: Vec<_> = ended.stdout.lines().collect();
        lines.sort_unstable();
        let expected = (0..TOPICS).map(|n| {
            let quality = quality(n).min(subscribed);
            format!("{} {quality} 1 {n}", topic(n))
        });
        assert_eq!(lines, expected.collect::<Vec<_>>(), "QoS {subscribed}");
    }
}

#[test]
fn a_thousand_retained_topics_reach_who_comes_late_also_after_the_hub_was_killed_or_stopped() {
    let mut hub = Hub::start(&["--no-agent"]);
    let add = ["mqtt-user", "add", USER];
    let filters = [
        "--publish",
        "homeassistant/#",
        "--subscribe",
        "homeassistant/#",
    ];
    let password = hub.home.told(&[&add[..], &filters].concat());
    publish_all(&hub, &password);
    let late = Peer::new(&hub, USER, &password);
    assert_come_to_the_late(&late);

    until_on_disk(&hub.home);
    hub.process.kill();
    hub.start_again();
    assert_come_to_the_late(&late);

    assert_eq!(hub.process.terminate().code(), Some(0));
    hub.start_again();
    assert_come_to_the_late(&late);
}
