//! Who gets in, and what they may do.

use netmonitor_protocol::Topic;

use crate::support::{Options, Raw, start};

const STATUS: &str = "netmonitor/v1/device/ws-14/status";

#[tokio::test]
async fn a_wrong_password_and_no_password_are_refused_alike() {
    let broker = start().await;
    for (level, answer) in [(4, &[0, 5][..]), (5, &[0, 0x87, 0][..])] {
        let mut wrong = Options::new(level, "free", "c").packet();
        *wrong.last_mut().unwrap() = b'?';
        let mut raw = Raw::open(&broker).await;
        raw.send(&wrong).await;
        raw.expect(0x20, answer).await;
        raw.expect_closed().await;

        let mut anonymous = b"\x10\x0D\0\x04MQTT\x04\x02\0\x3C\0\x01c".to_vec();
        if level == 5 {
            anonymous = b"\x10\x0E\0\x04MQTT\x05\x02\0\x3C\0\0\x01c".to_vec();
        }
        let mut raw = Raw::open(&broker).await;
        raw.send(&anonymous).await;
        raw.expect(0x20, answer).await;
        raw.expect_closed().await;
    }
    assert_eq!(broker.counter("logins_refused"), 4);
}

#[tokio::test]
async fn a_forbidden_publish_is_acknowledged_and_goes_nowhere() {
    let broker = start().await;
    let mut ingest = Raw::connect(&broker, &Options::new(4, "ingest", "i")).await;
    ingest.subscribe("netmonitor/v1/#", 1).await;
    for (level, reason) in [(4, 0), (5, 0x87)] {
        let mut other = Raw::connect(&broker, &Options::new(level, "ws-15", "o")).await;
        assert_eq!(other.publish_acked(STATUS, "offline", true).await, reason);
        // QoS 2: 3.1.1 goes through the whole exchange, 5 hears of it at once.
        other.publish(STATUS, "offline", 4).await;
        let expected = if level == 4 {
            vec![0, 1]
        } else {
            vec![0, 1, 0x87]
        };
        other.expect(0x50, &expected).await;
        other.ping().await;
    }
    let mut own = Raw::connect(&broker, &Options::new(4, "ws-14", "w")).await;
    assert_eq!(own.publish_acked(STATUS, "online", true).await, 0);
    assert_eq!(
        ingest.said().await,
        (STATUS.to_owned(), "online".to_owned())
    );
    assert_eq!(broker.counter("publishes_refused"), 4);
}

#[tokio::test]
async fn a_forbidden_subscription_is_refused_and_a_wide_one_filtered() {
    let broker = start().await;
    let private = "netmonitor-private/v1/#";
    for (level, reason) in [(4, 0x80), (5, 0x87)] {
        let mut reader = Raw::connect(&broker, &Options::new(level, "reader", "r")).await;
        assert_eq!(reader.subscribe(private, 1).await, reason);
        assert_eq!(reader.subscribe("#", 1).await, 1);
        let mut join = Raw::connect(&broker, &Options::new(4, "join", &"7".repeat(32))).await;
        let request = Topic::JoinRequest("7".repeat(32).parse().unwrap()).to_string();
        join.publish_acked(&request, "let me in", false).await;
        let mut own = Raw::connect(&broker, &Options::new(4, "ws-14", "w")).await;
        own.publish_acked(STATUS, "online", false).await;
        assert_eq!(reader.said().await.0, STATUS);
    }
    assert_eq!(broker.counter("subscriptions_refused"), 2);
    assert_eq!(broker.counter("deliveries_withheld"), 2);
}

#[tokio::test]
async fn a_will_that_may_not_be_published_keeps_its_owner_out() {
    let broker = start().await;
    for (level, answer) in [(4, &[0, 5][..]), (5, &[0, 0x87, 0][..])] {
        let options = Options::new(level, "ws-15", "o").will(STATUS, "offline");
        let mut raw = Raw::open(&broker).await;
        raw.send(&options.packet()).await;
        raw.expect(0x20, answer).await;
        raw.expect_closed().await;
    }
    assert_eq!(broker.counter("wills_refused"), 2);
    Raw::connect(
        &broker,
        &Options::new(4, "ws-14", "w").will(STATUS, "offline"),
    )
    .await;
}

#[tokio::test]
async fn a_client_id_takes_over_only_within_its_user() {
    let broker = start().await;
    let mut one = Raw::connect(&broker, &Options::new(4, "free", "same")).await;
    let mut two = Raw::connect(&broker, &Options::new(4, "other", "same")).await;
    one.ping().await;
    two.ping().await;
    assert_eq!(broker.counter("takeovers"), 0);
}

#[tokio::test]
async fn a_revoked_user_is_disconnected_and_its_retained_messages_are_cleared() {
    let broker = start().await;
    let mut ingest = Raw::connect(&broker, &Options::new(4, "ingest", "i")).await;
    ingest.subscribe("netmonitor/v1/#", 1).await;
    let options = Options::new(5, "ws-14", "w").will(STATUS, "offline");
    let mut agent = Raw::connect(&broker, &options).await;
    agent.publish_acked(STATUS, "online", true).await;
    assert_eq!(broker.handle.disconnect_user("ws-14").await, 1);
    assert_eq!(
        broker.handle.clear_retained("netmonitor/v1/device/ws-14/#"),
        1
    );
    agent.expect(0xE0, &[0x98, 0]).await;
    agent.expect_closed().await;
    for payload in ["online", "offline", ""] {
        assert_eq!(ingest.said().await.1, payload);
    }
    assert_eq!(broker.counter("retained_messages"), 0);
    assert_eq!(broker.handle.disconnect_user("ws-14").await, 0);
}
