//! The hub is stopped as its machine's system does it, service by service and as a whole, while
//! agents go on: as in every update.

use super::site::Site;
use crate::support::hub::{Home, Hub};

/// Commits are seldom enough that something waits for one whenever something stops.
const CONFIG: &str = "[ingest]\ncommit_interval_secs = 2\nclock_wait_secs = 0\n";

const AGENTS: usize = 3;

/// So many samples are measured from one step to the next: about a second of all agents.
const A_FEW: usize = AGENTS;

/// Stops these services, in this order, and starts them again later.
fn restart(site: &mut Site, services: &[&str]) {
    for service in services {
        let ended = site.service(service).process.terminate();
        assert_eq!(ended.code(), Some(0), "{service}");
    }
    site.until_measured(2 * A_FEW);
    for service in services {
        site.service(service).start_again();
    }
    site.until_measured(A_FEW);
}

#[test]
fn a_hub_whose_services_are_stopped_one_by_one_and_together_misses_no_sample() {
    let mut site = Site::new(CONFIG, AGENTS);
    site.run();
    site.until_measured(A_FEW);
    for service in ["broker", "ingest", "alerting", "api"] {
        restart(&mut site, &[service]);
    }
    restart(&mut site, &["ingest", "broker"]);
    restart(&mut site, &["broker", "ingest", "alerting", "api"]);
    site.until_stored();
    site.settle();
}

#[test]
fn a_hub_in_one_process_that_is_stopped_and_killed_misses_no_sample() {
    let mut site = Site::in_one_process(Home::empty(), CONFIG, AGENTS);
    site.run();
    site.until_measured(A_FEW);
    let [hub] = &mut site.services[..] else {
        panic!("it is one process");
    };
    assert_eq!(hub.process.terminate().code(), Some(0));
    site.until_measured(2 * A_FEW);
    site.services.iter_mut().for_each(Hub::start_again);
    site.until_measured(2 * A_FEW);
    site.services[0].process.kill();
    site.until_measured(2 * A_FEW);
    site.services.iter_mut().for_each(Hub::start_again);
    site.until_stored();
    site.settle();
}
