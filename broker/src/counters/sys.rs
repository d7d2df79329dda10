//! The `$SYS` topics: what the broker says of itself, under the names that mosquitto has given
//! them (mosquitto(8), "Broker status"), which monitoring tools look for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use netmonitor_protocol::topics::SYS_ROOT;
use tokio::time::{MissedTickBehavior, interval};

use crate::counters::{Counter, Counters};
use crate::edge::Edge;
use crate::message::Message;
use crate::origin::Origin;
use crate::packet::QoS;

const VERSION: &str = concat!("netmonitor version ", env!("CARGO_PKG_VERSION"));

/// What is counted from the start, with its topic, and the topic of its average over a minute.
const TOTALS: [(&[Counter], &str, &str); 7] = [
    (
        &[Counter::PacketsReceived],
        "messages/received",
        "load/messages/received/1min",
    ),
    (
        &[Counter::MessagesSent, Counter::AnswersSent],
        "messages/sent",
        "load/messages/sent/1min",
    ),
    (
        &[Counter::MessagesReceived],
        "publish/messages/received",
        "load/publish/received/1min",
    ),
    (
        &[Counter::MessagesSent],
        "publish/messages/sent",
        "load/publish/sent/1min",
    ),
    (
        &[
            Counter::DroppedSlowSubscriber,
            Counter::DroppedOfflineQueueFull,
            Counter::DroppedTooLarge,
            Counter::DroppedExpired,
            Counter::DroppedRouterFull,
        ],
        "publish/messages/dropped",
        "load/publish/dropped/1min",
    ),
    (
        &[Counter::BytesReceived],
        "bytes/received",
        "load/bytes/received/1min",
    ),
    (&[Counter::BytesSent], "bytes/sent", "load/bytes/sent/1min"),
];

/// Publishes what has changed, until it is dropped.
pub(crate) async fn run(edge: Arc<Edge>, every: Duration) {
    let mut tick = interval(every);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut state = State::default();
    loop {
        tick.tick().await;
        let changed = state.changed(&Gauges::of(&edge), &edge.counters);
        for (topic, value) in changed {
            let message = Message {
                topic: format!("{SYS_ROOT}/{topic}"),
                payload: Bytes::from(value),
                qos: QoS::AtLeastOnce,
                retain: true,
                properties: Bytes::new(),
                expiry_secs: None,
            };
            if edge.exchange.publish(Origin::BROKER, &message).is_err() {
                // A router that is gone is noticed by others.
                break;
            }
        }
    }
}

/// What there is now.
#[derive(Debug, Default)]
struct Gauges {
    uptime: Duration,
    connected: usize,
    away: usize,
    subscriptions: usize,
    retained: usize,
    stored_bytes: usize,
}

impl Gauges {
    fn of(edge: &Edge) -> Self {
        let (retained, retained_bytes) = edge.exchange.retained_size();
        Self {
            uptime: edge.exchange.now(),
            connected: edge.sessions.connected(),
            away: edge.sessions.parked(),
            subscriptions: edge.subscriptions.total(),
            retained,
            stored_bytes: retained_bytes + edge.sessions.held_bytes(),
        }
    }
}

/// What was said last.
#[derive(Debug, Default)]
struct State {
    said: BTreeMap<&'static str, String>,
    clients_max: usize,
    at: Duration,
    totals: [u64; TOTALS.len()],
    loads: [f64; TOTALS.len()],
}

impl State {
    /// The topics, below the root, whose value is another than the last time.
    fn changed(&mut self, now: &Gauges, counters: &Counters) -> Vec<(&'static str, String)> {
        let mut values = self.gauges(now);
        values.extend(self.totals(now.uptime, counters));
        values.retain(|(topic, value)| self.said.get(topic) != Some(value));
        self.said.extend(values.iter().cloned());
        values
    }

    fn gauges(&mut self, now: &Gauges) -> Vec<(&'static str, String)> {
        let total = now.connected + now.away;
        self.clients_max = self.clients_max.max(now.connected);
        vec![
            ("version", VERSION.to_owned()),
            ("uptime", format!("{} seconds", now.uptime.as_secs())),
            ("clients/connected", now.connected.to_string()),
            ("clients/disconnected", now.away.to_string()),
            ("clients/total", total.to_string()),
            ("clients/maximum", self.clients_max.to_string()),
            ("subscriptions/count", now.subscriptions.to_string()),
            ("retained messages/count", now.retained.to_string()),
            ("messages/stored", now.retained.to_string()),
            ("store/messages/count", now.retained.to_string()),
            ("store/messages/bytes", now.stored_bytes.to_string()),
        ]
    }

    fn totals(&mut self, now: Duration, counters: &Counters) -> Vec<(&'static str, String)> {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = now;
        let mut values = Vec::new();
        for (index, (counted, topic, load_topic)) in TOTALS.iter().enumerate() {
            let total: u64 = counted.iter().map(|counter| counters.get(*counter)).sum();
            let new = total - self.totals[index];
            self.totals[index] = total;
            self.loads[index] = load(self.loads[index], new, passed);
            values.push((*topic, total.to_string()));
            values.push((*load_topic, format!("{:.2}", self.loads[index])));
        }
        values
    }
}

/// The exponential average per minute after so many more in so many seconds.
fn load(before: f64, new: u64, passed_secs: f64) -> f64 {
    if passed_secs <= 0.0 {
        return before;
    }
    #[expect(
        clippy::cast_precision_loss,
        reason = "nothing comes 2^53 times in a few seconds"
    )]
    let per_minute = new as f64 * 60.0 / passed_secs;
    per_minute + (before - per_minute) * (-passed_secs / 60.0).exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_changed_is_said_again() {
        let (mut state, counters) = (State::default(), Counters::default());
        let mut now = Gauges {
            connected: 3,
            ..Gauges::default()
        };
        let first = state.changed(&now, &counters);
        assert_eq!(first.len(), 11 + 2 * TOTALS.len());
        assert!(first.contains(&("clients/connected", "3".to_owned())));
        assert_eq!(state.changed(&now, &counters), []);
        now.connected = 2;
        now.away = 1;
        let changed = state.changed(&now, &counters);
        assert_eq!(
            changed,
            [
                ("clients/connected", "2".to_owned()),
                ("clients/disconnected", "1".to_owned())
            ],
            "the total and the maximum are as before"
        );
    }

    #[test]
    fn a_steady_load_becomes_its_average() {
        let mut average = 0.0;
        for _ in 0..60 {
            average = load(average, 100, 10.0);
        }
        assert!((average - 600.0).abs() < 1.0, "{average}");
        for _ in 0..6 {
            average = load(average, 0, 10.0);
        }
        assert!((average - 600.0 / std::f64::consts::E).abs() < 1.0);
    }
}
