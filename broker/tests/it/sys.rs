//! What the broker says of itself on `$SYS`.

use std::collections::HashMap;

use netmonitor_broker::Config;

use crate::support::{Options, Raw, TestBroker, start_with};

async fn start() -> TestBroker {
    start_with(Config {
        sys_interval_secs: 1,
        ..Config::default()
    })
    .await
}

#[tokio::test]
async fn monitoring_finds_the_names_of_mosquitto() {
    let broker = start().await;
    let mut busy = Raw::connect(&broker, &Options::new(4, "free", "busy")).await;
    busy.subscribe("a/#", 1).await;
    busy.subscribe("b", 1).await;
    busy.publish_acked("kept", "x", true).await;
    let mut reader = Raw::connect(&broker, &Options::new(5, "reader", "r")).await;
    assert_eq!(reader.subscribe("$SYS/#", 1).await, 1);
    let mut values = HashMap::new();
    let is_done = |values: &HashMap<String, String>| {
        let is = |topic: &str, value: &str| values.get(topic).is_some_and(|v| v == value);
        is("clients/connected", "2")
            && is("clients/total", "2")
            && is("clients/maximum", "2")
            && is("clients/disconnected", "0")
            && is("subscriptions/count", "3")
            && is("publish/messages/received", "1")
            && is("publish/messages/dropped", "0")
            && is("retained messages/count", "1")
            && !is("bytes/received", "0")
            && !is("bytes/sent", "0")
    };
    while !is_done(&values) {
        let (topic, value) = reader.said().await;
        let topic = topic.strip_prefix("$SYS/broker/").unwrap().to_owned();
        values.insert(topic, value);
    }
    assert!(values["version"].starts_with("netmonitor version "));
    assert!(values["uptime"].ends_with(" seconds"));
    for counted in ["bytes", "messages"] {
        for direction in ["received", "sent"] {
            let value: u64 = values[&format!("{counted}/{direction}")].parse().unwrap();
            assert!(value > 0, "{counted}/{direction}");
            let load = &values[&format!("load/{counted}/{direction}/1min")];
            assert!(load.parse::<f64>().unwrap() >= 0.0);
        }
    }
}

#[tokio::test]
async fn it_is_not_for_everybody_and_no_wildcard_at_the_top_finds_it() {
    let broker = start().await;
    let mut reader = Raw::connect(&broker, &Options::new(5, "reader", "r")).await;
    reader.subscribe("$SYS/broker/uptime", 0).await;
    assert_eq!(reader.said().await.0, "$SYS/broker/uptime");
    let mut agent = Raw::connect(&broker, &Options::new(5, "ws-14", "a")).await;
    assert_eq!(agent.subscribe("$SYS/#", 0).await, 0x87);
    let mut join = Raw::connect(&broker, &Options::new(5, "join", &"7".repeat(32))).await;
    assert_eq!(join.subscribe("$SYS/broker/uptime", 0).await, 0x87);
    for user in ["reader", "free", "ingest"] {
        let mut client = Raw::connect(&broker, &Options::new(5, user, "c")).await;
        client.subscribe("#", 0).await;
        client.subscribe("+/broker/uptime", 0).await;
        let reason = client.publish_acked("$SYS/broker/uptime", "0", true).await;
        assert_eq!(reason, 0x87);
        client.ping().await;
    }
}
