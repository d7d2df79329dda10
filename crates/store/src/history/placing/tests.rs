use super::*;

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// As near as a test wants it, with ways of some milliseconds.
const NEAR: SignedDuration = SignedDuration::from_millis(50);

fn start() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// A hub and a device, with clocks that can be off, at a moment of the true time.
struct World {
    /// Since the beginning of the test.
    now: SignedDuration,
    hub_is_off: SignedDuration,
    device_is_off: SignedDuration,
    /// How much faster the device counts, in parts of a million.
    device_ppm: i64,
    /// When the device was started.
    booted: SignedDuration,
    session: u64,
    placing: Placing,
}

/// What was measured, before it is sent.
#[derive(Clone)]
struct Taken {
    metrics: Metrics,
    at: SignedDuration,
}

impl World {
    fn new() -> Self {
        Self {
            now: SignedDuration::ZERO,
            hub_is_off: SignedDuration::ZERO,
            device_is_off: SignedDuration::ZERO,
            device_ppm: 0,
            booted: -HOUR,
            session: 1,
            placing: Placing::default(),
        }
    }

    /// What the device counts at that moment of the true time.
    fn count(&self, at: SignedDuration) -> i64 {
        let micros = i64::try_from((at - self.booted).as_micros()).unwrap();
        (micros + micros / 1_000_000 * self.device_ppm) / 1000
    }

    fn take(&self) -> Taken {
        let metrics = Metrics {
            monotonic_ms: Some(self.count(self.now).try_into().unwrap()),
            uptime_secs: 1,
            ..Metrics::blank(
                SessionId(self.session),
                1,
                start() + self.now + self.device_is_off,
            )
        };
        Taken {
            metrics,
            at: self.now,
        }
    }

    /// What is sent now is as old as the device says.
    fn sent(&self, mut taken: Taken) -> Taken {
        let age = self.count(self.now) - self.count(taken.at);
        taken.metrics.age_ms = age.try_into().unwrap();
        taken
    }

    fn receipt(&self) -> Moment {
        Moment {
            wall: start() + self.now + self.hub_is_off,
            // The hub was started a day before.
            since_boot: (24 * HOUR + self.now).try_into().unwrap(),
        }
    }

    fn device() -> DeviceId {
        "ws-14".parse().unwrap()
    }

    /// What was sent arrives now.
    fn place(&mut self, sent: &Taken, way: Way) -> Placed {
        let receipt = self.receipt();
        let placed = self
            .placing
            .place(&Self::device(), &sent.metrics, way, receipt);
        assert!(placed.at <= receipt.wall, "never later than the receipt");
        placed
    }

    /// How much later than it was taken, by the hub's clock as it is now.
    fn error(&mut self, sent: &Taken, way: Way) -> SignedDuration {
        let hub_is_off = self.hub_is_off;
        let placed = self.place(sent, way);
        assert!(!placed.is_doubtful);
        placed.at.duration_since(start() + sent.at + hub_is_off)
    }

    /// A sample is taken, sent and received after a way of so long.
    fn live(&mut self, way: SignedDuration) -> SignedDuration {
        let sent = self.take();
        self.now += way;
        let error = self.error(&sent, Way::Live);
        self.now += 3 * SECOND - way;
        error
    }
}

#[track_caller]
fn is_near(error: SignedDuration) {
    assert!(error.abs() < NEAR, "{error:?}");
}

fn millis(number: i64) -> SignedDuration {
    SignedDuration::from_millis(number)
}

#[test]
fn a_sample_stands_where_it_was_taken_whatever_the_way_takes() {
    let mut world = World::new();
    is_near(world.live(millis(5)));
    for way in [700, 2_500, 40, 5, 1_800] {
        is_near(world.live(millis(way)));
    }
}

#[test]
fn a_stall_of_twenty_seconds_shifts_nothing() {
    let mut world = World::new();
    for _ in 0..10 {
        is_near(world.live(millis(5)));
    }
    let mut held_up = Vec::new();
    for _ in 0..7 {
        held_up.push(world.take());
        world.now += 3 * SECOND;
    }
    for sent in held_up {
        is_near(world.error(&sent, Way::Live));
    }
    is_near(world.live(millis(5)));
}

#[test]
fn what_waited_in_the_agent_stands_where_it_was_taken() {
    let mut world = World::new();
    let mut spool = Vec::new();
    for _ in 0..1200 {
        spool.push(world.take());
        world.now += 3 * SECOND;
    }
    is_near(world.live(millis(5)));
    for taken in spool {
        let sent = world.sent(taken);
        world.now += millis(30);
        is_near(world.error(&sent, Way::Backfill));
    }
}

#[test]
fn neither_clock_shifts_a_sample_when_it_is_moved() {
    let moves = [HOUR, -HOUR, 72 * HOUR, -56 * 365 * 24 * HOUR];
    for by in moves {
        let mut world = World::new();
        is_near(world.live(millis(5)));
        let early = world.take();
        world.device_is_off += by;
        is_near(world.live(millis(5)));
        let sent = world.sent(early);
        is_near(world.error(&sent, Way::Backfill));

        // By the hub's clock of then and now, everything is where it was taken.
        let early = world.take();
        world.now += 3 * SECOND;
        world.hub_is_off += by;
        is_near(world.live(millis(5)));
        let sent = world.sent(early);
        is_near(world.error(&sent, Way::Backfill));
    }
}

#[test]
fn a_clock_that_is_off_is_noticed_and_one_that_is_right_is_not() {
    let mut world = World::new();
    let check = |world: &mut World, off: bool| {
        let sent = world.take();
        let placed = world.place(&sent, Way::Live);
        assert_eq!(placed.is_clock_off(), off, "{placed:?}");
        world.now += 3 * SECOND;
        placed.ahead
    };
    check(&mut world, false);
    world.device_is_off = millis(1_500);
    check(&mut world, false);
    for off in [-90 * SECOND, 3 * SECOND, -56 * 365 * 24 * HOUR] {
        world.device_is_off = off;
        let ahead = check(&mut world, true);
        is_near(ahead - off);
    }
    // A sample that was held up is no clock that is off.
    world.device_is_off = SignedDuration::ZERO;
    let sent = world.take();
    world.now += 20 * SECOND;
    assert!(!world.place(&sent, Way::Live).is_clock_off());
}

#[test]
fn quartzes_that_drift_apart_by_100_ppm_shift_nothing_within_a_day() {
    for ppm in [-100, 100] {
        let mut world = World::new();
        world.device_ppm = ppm;
        for number in 0..24 * 1200_i64 {
            let way = if number % 50 == 0 { 5 } else { 200 };
            let error = world.live(millis(way));
            assert!(error.abs() < millis(60), "{ppm} ppm, {number}: {error:?}");
        }
    }
}

#[test]
fn another_boot_starts_anew_however_soon_it_comes() {
    for (up, down) in [(3600, 60), (25, 15), (25, 120), (3600, 86_400)] {
        let mut world = World::new();
        world.booted = world.now - 10 * SECOND;
        is_near(world.live(millis(5)));
        world.now += SignedDuration::from_secs(up);
        is_near(world.live(millis(5)));
        world.now += SignedDuration::from_secs(down);
        // The agent is not the first that the machine starts.
        world.booted = world.now - 40 * SECOND;
        world.session += 1;
        is_near(world.live(millis(5)));
        is_near(world.live(millis(1_000)));
    }
}

#[test]
fn another_start_of_the_agent_in_the_middle_of_a_stall_shifts_nothing() {
    let mut world = World::new();
    world.device_is_off = HOUR;
    is_near(world.live(millis(5)));
    world.session += 1;
    let first = world.take();
    world.now += 20 * SECOND;
    is_near(world.error(&first, Way::Live));
    // Samples of the start before, sent by the one now.
    world.session -= 1;
    let taken = world.take();
    world.now += 60 * SECOND;
    let sent = world.sent(taken);
    is_near(world.error(&sent, Way::Backfill));
}

#[test]
fn samples_of_an_earlier_boot_stand_as_far_back_as_the_agent_says() {
    let mut world = World::new();
    is_near(world.live(millis(5)));
    let mut sent = world.take();
    sent.metrics.monotonic_ms = None;
    sent.metrics.age_ms = 86_400_000;
    sent.at -= 24 * HOUR;
    is_near(world.error(&sent, Way::Backfill));
    // It says nothing of the present boot.
    is_near(world.live(millis(500)));
}

#[test]
fn a_virtual_machine_that_was_paused_is_placed_right_again_within_two_windows() {
    let mut world = World::new();
    is_near(world.live(millis(5)));
    // Its count stood still.
    world.now += 300 * SECOND;
    world.booted += 300 * SECOND;
    let paused = world.now;
    while world.live(millis(5)).abs() > NEAR {
        assert!(world.now - paused < 21 * 60 * SECOND);
    }
    is_near(world.live(millis(5)));
    // A whole night of it, in which nothing was heard: nothing of before holds.
    world.now += 8 * HOUR;
    world.booted += 8 * HOUR;
    is_near(world.live(millis(5)));
}

#[test]
fn garbage_is_marked_and_stands_at_its_receipt_and_spoils_nothing() {
    let century = 100 * 365 * 24 * 3600 * 1000_u64;
    let mut world = World::new();
    is_near(world.live(millis(5)));
    for age_ms in [0, 5, 401 * 86_400_000, century, u64::MAX] {
        for monotonic_ms in [
            None,
            Some(0),
            Some(century),
            Some(u64::MAX),
            Some(3_600_000),
        ] {
            let mut sent = world.take();
            sent.metrics.age_ms = age_ms;
            sent.metrics.monotonic_ms = monotonic_ms;
            for way in [Way::Live, Way::Backfill] {
                let placed = world.place(&sent, way);
                let back = world.receipt().wall.duration_since(placed.at);
                assert!(back <= AGE_MAX, "{age_ms} {monotonic_ms:?}: {back:?}");
                assert!(!placed.is_doubtful || back.is_zero());
                assert!(placed.is_doubtful || age_ms <= 5);
            }
        }
        world.now += 3 * SECOND;
        is_near(world.live(millis(5)));
    }
    let mut sent = world.take();
    sent.metrics.time = Timestamp::MIN;
    is_near(world.error(&sent, Way::Live));
    sent.metrics.time = Timestamp::MAX;
    is_near(world.error(&sent, Way::Live));
}

#[test]
fn a_hub_that_does_not_know_the_time_places_samples_by_the_clock_that_it_has() {
    let mut world = World::new();
    world.hub_is_off = Timestamp::UNIX_EPOCH.duration_since(start());
    is_near(world.live(millis(5)));
    // Before 1970, if it must be: whoever writes them down waits for the clock.
    let mut sent = world.take();
    sent.metrics.monotonic_ms = None;
    sent.metrics.age_ms = 3_600_000;
    sent.at -= HOUR;
    is_near(world.error(&sent, Way::Backfill));
}

#[test]
fn of_devices_that_are_silent_nothing_is_kept() {
    let mut world = World::new();
    let fill = |world: &mut World, from: usize| {
        for number in from..from + DEVICES_MAX {
            let device: DeviceId = format!("ws-{number}").parse().unwrap();
            let sent = world.take();
            let receipt = world.receipt();
            world
                .placing
                .place(&device, &sent.metrics, Way::Live, receipt);
            assert!(world.placing.devices.len() <= DEVICES_MAX);
        }
    };
    fill(&mut world, 0);
    // Too many at once: placed all the same.
    let sent = world.take();
    is_near(world.error(&sent, Way::Live));
    world.now += HOUR;
    fill(&mut world, DEVICES_MAX);
    assert_eq!(world.placing.devices.len(), DEVICES_MAX);
}
