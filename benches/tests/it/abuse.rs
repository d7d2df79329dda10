//! A hub that everybody abuses: half a minute of what `tests/run --long` does for an hour.

use std::time::Duration;

use netmonitor_benches::abuse::{self, Config};
use netmonitor_benches::hub::Hub;
use netmonitor_service::open_files;
use netmonitor_testkit::program;

#[tokio::test]
async fn others_are_served_while_a_hub_is_abused_and_then_it_is_as_before() {
    open_files::allow_many().unwrap();
    let hub = Hub::start(&program("netmonitor"), "").unwrap();
    let config = Config {
        duration: Duration::from_secs(30),
        seed: 7,
        agents: 5,
    };
    let mut rows = Vec::new();
    let report = abuse::run(&hub, config, &mut rows).await.unwrap();
    assert!(report.is_good(), "{report}");
    // It was abused, in every way.
    for (kind, bouts) in report.tally.bouts() {
        assert!(bouts > 0, "{kind:?}");
    }
}
