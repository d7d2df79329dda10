//! What MQTT 5 adds.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use netmonitor_testkit::eventually;

use super::bench::{Bench, Case, nothing_but};
use super::client::{Ability, Message, Properties, Subscribe};
use crate::support::DEADLINE;

/// In the order in which they are tried.
pub(crate) const CASES: &[Case] = &[
    Case::of("properties travel with their message", &[], properties),
    Case::of("a message expires", &[], expiry),
    Case::of(
        "a message names the subscription it came by",
        &[Ability::Converse],
        identifiers,
    ),
    Case::of(
        "no local: what one says oneself does not come back",
        &[Ability::SubscriptionOptions],
        no_local,
    ),
    Case::of(
        "retain handling: always, at the first subscription, never",
        &[Ability::SubscriptionOptions],
        retain_handling,
    ),
    Case::of(
        "retain as published",
        &[Ability::SubscriptionOptions],
        retain_as_published,
    ),
    Case::of(
        "a session ends when its time is over",
        &[Ability::Resume],
        session_expiry,
    ),
    Case::of(
        "of those who share a subscription, one gets each message",
        &[],
        shared,
    ),
];

fn properties(bench: &Bench) {
    let topic = bench.topic("request");
    let mut subscriber = bench.subscriber(&topic, 2);
    let mut publisher = bench.open();
    for qos in 0..=2 {
        let mut message = Message::new(&topic, "what?").qos(qos);
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        message.properties = Properties {
            user: vec![pair("a", "1"), pair("a", "2"), pair("é", "ü")],
            content_type: Some("text/plain".to_owned()),
            response_topic: Some(bench.topic("response")),
            correlation: Some("17".to_owned()),
            ..Properties::default()
        };
        publisher.publish(&message);
        assert_eq!(subscriber.next(), message);
    }
}

fn expiry(bench: &Bench) {
    let (short, long) = (bench.topic("short"), bench.topic("long"));
    let mut publisher = bench.open();
    for (topic, secs) in [(&short, 1), (&long, 600)] {
        let mut message = Message::new(topic, "news").retained();
        message.properties.expiry_secs = Some(secs);
        publisher.publish(&message);
    }
    eventually("the message expires", DEADLINE, || {
        let mut subscriber = bench.subscriber(&short, 1);
        publisher.publish(&Message::new(&short, "now"));
        let first = subscriber.next().payload;
        subscriber.disconnect();
        first == "now"
    });
    let left = bench.subscriber(&long, 1).next().properties.expiry_secs;
    // At least a second has passed, and what is left is told.
    assert!((1..600).contains(&left.unwrap()), "{left:?}");
    publisher.publish(&Message::new(&long, "").retained());
}

fn identifiers(bench: &Bench) {
    let mut client = bench.open();
    for (name, id) in [("one", 1), ("two", 200_000)] {
        let mut subscribe = Subscribe::new(&bench.topic(name), 1);
        subscribe.id = Some(id);
        client.subscribe(&subscribe);
    }
    client.subscribe(&Subscribe::new(&bench.topic("none"), 1));
    for (name, ids) in [("two", &[200_000][..]), ("one", &[1]), ("none", &[])] {
        client.publish(&Message::new(&bench.topic(name), name));
        assert_eq!(client.next().properties.subscriptions, ids, "{name}");
    }
}

fn no_local(bench: &Bench) {
    let topic = bench.topic("chat");
    let mut subscribe = Subscribe::new(&topic, 1);
    subscribe.no_local = true;
    let mut client = bench.open();
    client.subscribe(&subscribe);
    client.publish(&Message::new(&topic, "mine"));
    nothing_but(&mut *bench.open(), &mut *client, &topic);
}

fn retain_handling(bench: &Bench) {
    let topic = bench.topic("state");
    let mut publisher = bench.open();
    publisher.publish(&Message::new(&topic, "old").retained());
    for (handling, first, again) in [(0, true, true), (1, true, false), (2, false, false)] {
        let mut subscribe = Subscribe::new(&topic, 1);
        subscribe.retain_handling = handling;
        let mut client = bench.open();
        for comes in [first, again] {
            client.subscribe(&subscribe);
            if comes {
                assert_eq!(client.next().payload, "old", "retain handling {handling}");
            }
            nothing_but(&mut *publisher, &mut *client, &topic);
        }
        client.disconnect();
    }
    publisher.publish(&Message::new(&topic, "").retained());
}

fn retain_as_published(bench: &Bench) {
    let topic = bench.topic("state");
    let mut subscribe = Subscribe::new(&topic, 1);
    subscribe.retain_as_published = true;
    let mut client = bench.open();
    client.subscribe(&subscribe);
    let mut publisher = bench.open();
    for message in [
        Message::new(&topic, "kept").retained(),
        Message::new(&topic, "not kept"),
        Message::new(&topic, "").retained(),
    ] {
        publisher.publish(&message);
        assert_eq!(client.next(), message);
    }
}

fn session_expiry(bench: &Bench) {
    let mut options = bench.options();
    options.session_secs = Some(1);
    // There is a session as long as less than a second lies between two looks.
    let mut look = || {
        let connection = bench.client.connect(&options);
        let present = connection.session_present();
        connection.disconnect();
        present
    };
    look();
    // A busy machine may take longer than a second for this.
    eventually("the session is there", DEADLINE, &mut look);
    eventually("the session ends", DEADLINE, || {
        // That nobody looks for so long is the condition.
        sleep(Duration::from_millis(1100));
        !look()
    });
}

fn shared(bench: &Bench) {
    let topic = bench.topic("jobs");
    let filter = format!("$share/{}/{topic}", bench.unique());
    let mut all = bench.subscriber(&topic, 1);
    let mut members = [bench.subscriber(&filter, 1), bench.subscriber(&filter, 1)];
    let mut publisher = bench.open();
    let jobs: BTreeSet<String> = (0..20).map(|n| n.to_string()).collect();
    for job in &jobs {
        publisher.publish(&Message::new(&topic, job));
    }
    for job in &jobs {
        assert_eq!(&all.next().payload, job);
    }
    let mut taken = Vec::new();
    eventually("each message is taken", DEADLINE, || {
        for member in &mut members {
            taken.extend(member.arrived().into_iter().map(|message| message.payload));
        }
        taken.len() >= jobs.len()
    });
    assert_eq!(taken.len(), jobs.len(), "one is taken twice: {taken:?}");
    assert_eq!(taken.into_iter().collect::<BTreeSet<_>>(), jobs);
}
