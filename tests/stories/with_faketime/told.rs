//! A hub that does not know what time it is says so, and blames no device for it.

use jiff::SignedDuration;
use serde_json::json;

use crate::alerts::{devices, heard, is, set_rule, until_state};
use crate::support::clock::Clock;
use crate::support::hub::{Home, Hub};
use crate::support::receiver::about;

#[test]
fn a_hub_that_begins_in_1970_is_told_until_it_knows_the_time() {
    let clock = Clock::of_1970();
    let hub = Hub::start_in(&Home::quick().by(&clock), &["--no-agent"]);
    let (admin, receiver) = heard(&hub);
    set_rule(&admin, "time", json!({ "for_secs": 1 }));
    set_rule(&admin, "clock", json!({ "for_secs": 0 }));
    // By its own clock it is today.
    let devices = devices(&hub, 1);
    until_state(&admin, &devices[0].id, "ram", "ok");
    let alert = until_state(&admin, "hub", "time", "firing");
    assert_eq!(alert["detail"], "clock_not_set");
    receiver.until("it is told", is("firing", "hub time".to_owned()));

    clock.is_off_by(SignedDuration::ZERO);
    until_state(&admin, "hub", "time", "ok");
    receiver.until("its end", is("resolved", "hub time".to_owned()));
    until_state(&admin, &devices[0].id, "clock", "ok");
    let all: Vec<String> = receiver.all().iter().flat_map(about).collect();
    assert_eq!(all, ["hub time", "hub time"]);
}
