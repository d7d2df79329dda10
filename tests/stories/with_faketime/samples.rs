//! Samples of machines whose clock is off, and is moved while they run, stand in the history
//! where they belong: by the hub's clock.

use jiff::SignedDuration;
use netmonitor_service::clock;
use netmonitor_store::HistoryReader;

use crate::no_gaps::books::times;
use crate::no_gaps::site::Site;
use crate::support::clock::Clock;
use crate::support::hub::Home;

const CONFIG: &str = "[ingest]\ncommit_interval_secs = 1\nclock_wait_secs = 0\n";

/// Where the machine's clock is moved to, from the right time.
const MOVED: [SignedDuration; 3] = [
    SignedDuration::from_hours(-7),
    SignedDuration::from_hours(3 * 24),
    SignedDuration::from_mins(-90),
];

/// So far a sample may stand from the moment in which it was taken: for so long a machine that is
/// busy with other things may hold up the first one that a hub hears.
const OFF_MS: u64 = 5_000;

/// So many samples, one each second, are measured before and after each jump while nobody hears of
/// them: enough to be far off if they stood where they were received.
const UNHEARD: usize = 5;

#[test]
fn samples_of_a_machine_whose_clock_is_off_and_jumps_stand_at_the_right_time() {
    let clock = Clock::right();
    clock.is_off_by(SignedDuration::from_hours(5));
    let mut site = Site::by_clocks(Home::empty(), CONFIG, &[Some(&clock)]);
    site.run();
    site.until_measured(3);
    for moved in MOVED {
        // Once while all goes well, and once before the hub hears of what was measured.
        clock.is_off_by(moved);
        site.until_measured(3);
        site.service("ingest").process.kill();
        site.until_measured(UNHEARD);
        clock.is_off_by(-moved);
        site.until_measured(UNHEARD);
        site.kill(0);
        site.agents[0].0.run();
        site.until_measured(2);
        site.service("ingest").start_again();
        site.until_stored();
    }
    site.settle();

    let (_, device) = &site.agents[0];
    let since_boot = u64::try_from(clock::since_boot().as_millis()).unwrap();
    let now = u64::try_from(clock::now().as_millisecond()).unwrap();
    let right = site.books.taken(device);
    let stored = times(&HistoryReader::new(&site.home.history()), device);
    assert_eq!(stored.len(), right.len());
    for (stored, taken) in stored.into_iter().zip(right) {
        let right = now - (since_boot - taken);
        let off = right.abs_diff(u64::try_from(stored).unwrap());
        assert!(off < OFF_MS, "{off} ms off");
    }
}
