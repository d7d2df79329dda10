//! What holds for MQTT 3.1.1 and 5 alike.

use super::bench::{Bench, Case, nothing_but};
use super::client::{Ability, Message, Subscribe, Version, Who};

/// In the order in which they are tried.
pub(crate) const CASES: &[Case] = &[
    Case::of("a wrong password is refused", &[], wrong_password),
    Case::of(
        "each quality of service is delivered, and none above what was granted",
        &[],
        qualities,
    ),
    Case::of(
        "a retained message waits for a late subscriber until it is cleared",
        &[],
        retained,
    ),
    Case::of("wildcards match as they should", &[], wildcards),
    Case::of(
        "nothing comes after unsubscribing",
        &[Ability::Converse],
        unsubscribe,
    ),
    Case::of("a client that dies leaves its will", &[], will),
    Case::of(
        "a client that takes its leave has no will",
        &[Ability::TakeLeave],
        no_will_after_disconnect,
    ),
    Case::of("100 kB arrive whole", &[], large),
    Case::of("topics may have any letters", &[], letters),
    Case::of("a foreign filter is refused", &[], refused_subscription),
    Case::of("a foreign topic is not written", &[], refused_publish),
    Case::of(
        "what is sent to a session while its client is away waits for it",
        &[Ability::Resume],
        queued,
    ),
    Case::of(
        "a clean start ends the session of before",
        &[Ability::Resume],
        clean_start,
    ),
];

fn wrong_password(bench: &Bench) {
    let mut options = bench.options();
    assert_eq!(bench.client.refusal(&options), None);
    options.who = Who::Impostor;
    let expected = match bench.version {
        Version::V3 => 5,
        Version::V5 => 0x87,
    };
    assert_eq!(bench.client.refusal(&options), Some(expected));
}

fn qualities(bench: &Bench) {
    let mut publisher = bench.open();
    for granted in 0..=2 {
        let topic = bench.topic(&format!("q{granted}"));
        let mut subscriber = bench.subscriber(&topic, granted);
        for sent in 0..=2 {
            let message = Message::new(&topic, &format!("{sent}")).qos(sent);
            publisher.publish(&message);
            let expected = message.qos(sent.min(granted));
            assert_eq!(subscriber.next(), expected);
        }
        subscriber.disconnect();
    }
}

fn retained(bench: &Bench) {
    let topic = bench.topic("state");
    let mut publisher = bench.open();
    let mut early = bench.subscriber(&topic, 2);
    let message = Message::new(&topic, "on").qos(2).retained();
    publisher.publish(&message);
    let mut live = message.clone();
    live.retain = false;
    assert_eq!(early.next(), live, "who was there sees it as live");
    let mut late = bench.subscriber(&topic, 2);
    assert_eq!(late.next(), message);
    publisher.publish(&Message::new(&topic, "").retained());
    assert_eq!(late.next().payload, "", "the clearing is a message");
    let mut later = bench.subscriber(&topic, 2);
    nothing_but(&mut *publisher, &mut *later, &topic);
}

fn wildcards(bench: &Bench) {
    let mut publisher = bench.open();
    let mut one_level = bench.subscriber(&bench.topic("+/state"), 1);
    let mut all_levels = bench.subscriber(&bench.topic("lamp/#"), 1);
    for name in ["lamp", "lamp/state", "lamp/a/state", "door/state"] {
        publisher.publish(&Message::new(&bench.topic(name), name));
    }
    for name in ["lamp/state", "door/state"] {
        assert_eq!(one_level.next().topic, bench.topic(name));
    }
    for name in ["lamp", "lamp/state", "lamp/a/state"] {
        assert_eq!(all_levels.next().topic, bench.topic(name));
    }
}

fn unsubscribe(bench: &Bench) {
    let (left, kept) = (bench.topic("left"), bench.topic("kept"));
    let mut client = bench.subscriber(&left, 1);
    assert_eq!(client.subscribe(&Subscribe::new(&kept, 1)), 1);
    client.publish(&Message::new(&left, "before"));
    assert_eq!(client.next().payload, "before");
    client.unsubscribe(&left);
    client.publish(&Message::new(&left, "after"));
    client.publish(&Message::new(&kept, "still"));
    assert_eq!(client.next().payload, "still");
}

fn will(bench: &Bench) {
    let topic = bench.topic("gone");
    let mut witness = bench.subscriber(&topic, 1);
    let will = Message::new(&topic, "dead").retained();
    let mut options = bench.options();
    options.will = Some(will.clone());
    let mut mortal = bench.client.connect(&options);
    mortal.subscribe(&Subscribe::new(&bench.topic("other"), 1));
    mortal.kill();
    assert_eq!(witness.next().payload, "dead");
    let mut late = bench.subscriber(&topic, 1);
    assert_eq!(late.next(), will);
    bench.open().publish(&Message::new(&topic, "").retained());
}

fn no_will_after_disconnect(bench: &Bench) {
    let topic = bench.topic("gone");
    let mut witness = bench.subscriber(&topic, 1);
    let mut options = bench.options();
    options.will = Some(Message::new(&topic, "dead"));
    let mut mortal = bench.client.connect(&options);
    mortal.subscribe(&Subscribe::new(&bench.topic("other"), 1));
    mortal.disconnect();
    nothing_but(&mut *bench.open(), &mut *witness, &topic);
}

fn large(bench: &Bench) {
    let topic = bench.topic("large");
    let mut subscriber = bench.subscriber(&topic, 1);
    let payload: String = ('a'..='z').cycle().take(100_000).collect();
    let message = Message::new(&topic, &payload);
    bench.open().publish(&message);
    assert!(subscriber.next() == message, "another payload");
}

fn letters(bench: &Bench) {
    let topic = bench.topic("Küche/温度/🌡 °C");
    let mut subscriber = bench.subscriber(&bench.topic("Küche/+/#"), 1);
    let message = Message::new(&topic, "21,5 °C — été");
    bench.open().publish(&message);
    assert_eq!(subscriber.next(), message);
}

fn refused_subscription(bench: &Bench) {
    let mut client = bench.open();
    let expected = match bench.version {
        Version::V3 => 0x80,
        Version::V5 => 0x87,
    };
    let reason = client.subscribe(&Subscribe::new("z/theirs", 1));
    assert_eq!(reason, expected);
}

fn refused_publish(bench: &Bench) {
    // What the user may read, and another may write.
    let topic = format!("y/{}", bench.unique());
    let mut subscriber = bench.subscriber(&topic, 1);
    let mut client = bench.open();
    for qos in 0..=2 {
        let reason = client.publish(&Message::new(&topic, "x").qos(qos));
        if let (Some(reason), 1..) = (reason, qos) {
            let expected = match bench.version {
                Version::V3 => 0,
                Version::V5 => 0x87,
            };
            assert_eq!(reason, expected, "QoS {qos}");
        }
    }
    let mut options = bench.options();
    options.who = Who::Owner;
    let mut owner = bench.client.connect(&options);
    nothing_but(&mut *owner, &mut *subscriber, &topic);
}

fn queued(bench: &Bench) {
    let topic = bench.topic("post");
    let mut options = bench.options();
    options.session_secs = Some(3600);
    let mut client = bench.client.connect(&options);
    assert!(!client.session_present());
    client.subscribe(&Subscribe::new(&topic, 2));
    client.disconnect();
    let mut publisher = bench.open();
    // One after the other: the order of messages of different quality is not promised.
    let messages: Vec<_> = (0..10)
        .map(|n| Message::new(&topic, &n.to_string()).qos(1 + n / 5))
        .collect();
    for message in &messages {
        publisher.publish(message);
    }
    let mut client = bench.client.connect(&options);
    assert!(client.session_present());
    for message in &messages {
        assert_eq!(&client.next(), message);
    }
    publisher.publish(&Message::new(&topic, "live"));
    assert_eq!(client.next().payload, "live");
}

fn clean_start(bench: &Bench) {
    let topic = bench.topic("post");
    let mut options = bench.options();
    options.session_secs = Some(3600);
    let mut client = bench.client.connect(&options);
    client.subscribe(&Subscribe::new(&topic, 1));
    client.disconnect();
    bench.open().publish(&Message::new(&topic, "lost"));
    options.session_secs = None;
    let mut client = bench.client.connect(&options);
    assert!(!client.session_present());
    client.subscribe(&Subscribe::new(&topic, 1));
    nothing_but(&mut *bench.open(), &mut *client, &topic);
}
