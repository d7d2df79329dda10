use super::*;
use crate::packet::QoS;

fn envelope(sequence: u64, payload: &'static str, expires_at: Option<Duration>) -> Envelope {
    Envelope {
        sequence,
        publisher: 0,
        qos: QoS::AtLeastOnce,
        retain: true,
        stored: true,
        expires_at,
        properties: Bytes::new(),
        payload: Bytes::from_static(payload.as_bytes()),
    }
}

fn store_of(messages: usize, bytes: usize) -> Retained {
    Retained::new(Limits {
        messages,
        bytes,
        per_user: messages,
    })
}

fn origin(user: &str, standing: Standing) -> Origin<'_> {
    Origin {
        number: 1,
        user,
        standing,
    }
}

fn set_as(store: &mut Retained, from: Origin<'_>, topic: &str, payload: &'static str) -> bool {
    let envelope = envelope(1, payload, None);
    store.set(topic, from, &envelope, &envelope.pack())
}

fn set(store: &mut Retained, topic: &str, payload: &'static str) -> bool {
    set_as(store, origin("u", Standing::Reserved), topic, payload)
}

fn walk(store: &Retained, filter: &str, sequence: u64, now: Duration) -> Vec<String> {
    let mut walk = Walk::new(filter.to_owned(), sequence);
    let mut topics = Vec::new();
    while !walk.is_done() {
        store.page(&mut walk, now);
        assert!(walk.waiting() <= PAGE_MESSAGES);
        while let Some(kept) = walk.take() {
            topics.push(kept.topic.to_string());
        }
    }
    topics
}

fn topics(store: &Retained, filter: &str) -> Vec<String> {
    walk(store, filter, 1, Duration::ZERO)
}

#[test]
fn an_empty_payload_forgets_and_the_bytes_come_back() {
    let mut store = store_of(10, 1000);
    assert!(set(&mut store, "a/b", "one") && set(&mut store, "a/c", "two"));
    assert!(set(&mut store, "a/b", "longer than one"));
    assert_eq!(topics(&store, "a/+"), ["a/b", "a/c"]);
    assert!(set(&mut store, "a/b", "") && set(&mut store, "a/c", ""));
    assert!(set(&mut store, "never/was", ""));
    assert_eq!((store.len(), store.bytes()), (0, 0));
}

#[test]
fn a_full_store_still_replaces_what_it_has() {
    let mut store = store_of(1, 1000);
    assert!(set(&mut store, "a", "one"));
    assert!(!set(&mut store, "b", "two"));
    assert!(set(&mut store, "a", "three"));
    let mut small = store_of(10, 40);
    assert!(set(&mut small, "a", "one"));
    assert!(!set(&mut small, "b", "two"));
}

#[test]
fn a_full_store_never_keeps_what_is_not_true_any_more() {
    let mut store = store_of(10, 60);
    assert!(set(&mut store, "status", "online"));
    assert!(set(
        &mut store,
        "status",
        "offline, and more than fits into it"
    ));
    let long = "x".repeat(2 * SMALL_BYTES).leak();
    assert!(!set(&mut store, "status", long));
    assert!(topics(&store, "#").is_empty());
    assert_eq!(store.bytes(), 0);
}

#[test]
fn a_user_has_a_share_and_leaves_room_for_devices_and_services() {
    let mut store = Retained::new(Limits {
        messages: 8,
        bytes: 1_000,
        per_user: 4,
    });
    let (one, two) = (
        origin("one", Standing::Common),
        origin("two", Standing::Common),
    );
    for (from, share) in [(one, 4), (two, 2)] {
        for n in 0..6 {
            let topic = format!("{}/{n}", from.user);
            assert_eq!(set_as(&mut store, from, &topic, "1"), n < share);
        }
    }
    assert!(set_as(&mut store, one, "one/3", "still mine"));
    assert!(set(&mut store, "device", "1"));
    assert!(set_as(&mut store, one, "one/0", ""));
    assert!(set(&mut store, "one/1", "another's now"));
    assert!(set_as(&mut store, two, "one/2", "and this as well"));
    assert_eq!(store.owners["one"], 1);
    let topics: Vec<_> = store.topics.keys().cloned().collect();
    for topic in topics {
        set(&mut store, &topic, "");
    }
    assert!(store.owners.is_empty());
}

#[test]
fn what_has_expired_is_not_handed_out_and_purged_later() {
    let mut store = store_of(10, 1000);
    let envelope = envelope(1, "x", Some(Duration::from_secs(5)));
    store.set(
        "a",
        origin("u", Standing::Reserved),
        &envelope,
        &envelope.pack(),
    );
    set(&mut store, "b", "for ever");
    assert_eq!(walk(&store, "#", 1, Duration::from_secs(4)).len(), 2);
    assert_eq!(walk(&store, "#", 1, Duration::from_secs(5)), ["b"]);
    let last = store.purge(None, Duration::from_secs(5));
    assert_eq!(store.len(), 1);
    assert_eq!(store.purge(last.as_deref(), Duration::from_secs(5)), None);
}

/// What is replaced or cleared meanwhile is kept in memory by the page alone.
#[test]
fn a_page_of_large_messages_is_a_short_one() {
    let mut store = store_of(100, 100_000_000);
    let large = "x".repeat(200_000).leak();
    for n in 0..10 {
        assert!(set(&mut store, &format!("a/{n}"), large));
    }
    let mut walk = Walk::new("#".to_owned(), 1);
    let mut found = 0;
    while !walk.is_done() {
        store.page(&mut walk, Duration::ZERO);
        assert_eq!(walk.waiting(), 1);
        found += usize::from(walk.take().is_some());
    }
    assert_eq!(found, 10);
}

#[test]
fn pages_join_without_a_gap_and_a_filter_finds_what_it_matches() {
    let mut store = store_of(100_000, 100_000_000);
    let mut expected = Vec::new();
    for n in 0..5 * PAGE_LOOKS {
        let topic = format!("a/{n:06}/{}", if n % 7 == 0 { "x" } else { "y" });
        assert!(set(&mut store, &topic, "1"));
        if n % 7 == 0 {
            expected.push(topic);
        }
    }
    for other in ["a", "ab/x", "a/000007", "b/000007/x", "$SYS/x", "/a"] {
        set(&mut store, other, "1");
    }
    assert_eq!(topics(&store, "a/+/x"), expected);
    assert_eq!(topics(&store, "a/#").len(), 5 * PAGE_LOOKS + 2);
    assert_eq!(topics(&store, "a"), ["a"]);
    assert_eq!(topics(&store, "a/000007/#"), ["a/000007", "a/000007/x"]);
    assert_eq!(topics(&store, "+/000007/x"), ["a/000007/x", "b/000007/x"]);
    assert_eq!(topics(&store, "$SYS/#"), ["$SYS/x"]);
    assert_eq!(topics(&store, "/+"), ["/a"]);
    assert_eq!(topics(&store, "#").len(), store.len());
}

#[test]
fn what_came_after_the_subscription_is_left_to_the_router() {
    let mut store = store_of(10, 1000);
    for (topic, sequence) in [("a", 1), ("b", 2), ("c", 3)] {
        let envelope = envelope(sequence, "x", None);
        store.set(
            topic,
            origin("u", Standing::Reserved),
            &envelope,
            &envelope.pack(),
        );
    }
    assert_eq!(walk(&store, "#", 2, Duration::ZERO), ["a", "b"]);
}

fn written(store: &mut Retained, slowest: Pace) -> Vec<(String, bool)> {
    store.begin_pass(slowest);
    let taken = store.take_changes();
    let written = |change: Change| (change.topic.to_string(), change.message.is_some());
    taken.into_iter().map(written).collect()
}

#[test]
fn only_what_differs_is_written_and_only_what_was_written_is_deleted() {
    let mut store = store_of(10, 1000);
    store.note_changes();
    store.loaded();
    set(&mut store, "a", "1");
    set(&mut store, "b", "1");
    set(&mut store, "b", "");
    set(&mut store, "$SYS/x", "1");
    assert_eq!(written(&mut store, Pace::Soon), []);
    assert_eq!(
        written(&mut store, Pace::Later),
        [("a".to_owned(), true)],
        "b never reached the file"
    );
    set(&mut store, "a", "1");
    assert_eq!(written(&mut store, Pace::Later), []);
    set(&mut store, "a", "2");
    store.put_back(["a".into()].into_iter());
    assert_eq!(written(&mut store, Pace::Later), [("a".to_owned(), true)]);
    set(&mut store, "a", "");
    assert_eq!(written(&mut store, Pace::Soon), [("a".to_owned(), false)]);
    store.put_back(["a".into()].into_iter());
    set(&mut store, "a", "3");
    set(&mut store, "a", "");
    assert_eq!(
        written(&mut store, Pace::Soon),
        [("a".to_owned(), false)],
        "cleared, set and cleared before it could be written"
    );
}

#[test]
fn what_the_file_has_is_not_written_again() {
    let mut store = store_of(1, 1000);
    store.note_changes();
    store.loaded();
    let packed = envelope(0, "old", None).pack();
    assert!(store.restore("a", "u", packed.clone()));
    assert!(!store.restore("b", "u", packed));
    assert_eq!(written(&mut store, Pace::Later), [("b".to_owned(), false)]);
    set(&mut store, "a", "");
    assert_eq!(written(&mut store, Pace::Later), [("a".to_owned(), false)]);
}
