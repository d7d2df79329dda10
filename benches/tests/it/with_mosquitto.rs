//! The comparison, in small.

use netmonitor_benches::compare::{Scenario, Size};
use netmonitor_benches::site::{Kind, Site};
use netmonitor_testkit::program;

#[tokio::test]
async fn everything_that_is_sent_arrives_with_either_broker() {
    let size = Size::SMOKE;
    let clients = size.idle.max(size.storm).max(size.publishers);
    let both = Site::make(clients).unwrap();
    for scenario in Scenario::ALL {
        // It waits for the broker's report, which comes every half minute.
        if matches!(scenario, Scenario::Slow { .. }) {
            continue;
        }
        for kind in Kind::BOTH {
            let measured = scenario
                .measure(&both, kind, &program("netmonitor"), size)
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
