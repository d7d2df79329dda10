//! The comparison, in small.

use netmonitor_benches::compare::{Scenario, Size};
use netmonitor_benches::site::{Kind, Site};
use netmonitor_testkit::program;

/// One of each kind. Not the slow subscriber: it waits for the broker's report, which comes every
/// half minute.
const SCENARIOS: [Scenario; 5] = [
    Scenario::Idle { tls: true },
    Scenario::Storm { tls: true },
    Scenario::Throughput {
        qos: 1,
        paced_by_subscriber: true,
    },
    Scenario::Paced {
        qos: 0,
        retain: true,
    },
    Scenario::Latency { qos: 1 },
];

#[tokio::test]
async fn everything_that_is_sent_arrives_with_either_broker() {
    let scale = Size::SMOKE;
    let clients = scale.idle.max(scale.storm).max(scale.publishers);
    let site = Site::make(clients).unwrap();
    for scenario in SCENARIOS {
        for kind in Kind::BOTH {
            let measured = scenario
                .measure(&site, kind, &program("netmonitor"), scale)
                .await
                .unwrap();
            assert!(!measured.is_empty());
            for one in measured {
                if one.row.ends_with("lost") {
                    assert!(one.value == 0.0, "{kind:?}: {} {}", one.row, one.value);
                }
            }
        }
    }
}
