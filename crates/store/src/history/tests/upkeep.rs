//! What comes late, what is too old, and what is too much.

use std::collections::BTreeMap;

use netmonitor_protocol::payload::{Event, EventKind, Severity};

use super::*;

#[test]
fn late_samples_find_their_place_in_hours_and_days_that_are_done() {
    let mut house = House::new();
    let all: Vec<NewSample> = (0..DAY / 60)
        .map(|n| house.sample(1, u64::try_from(n).unwrap() + 1, n * 60))
        .collect();
    let (even, odd): (Vec<_>, Vec<_>) = all.iter().cloned().partition(|it| it.seq % 2 == 0);
    house.commit(&even);
    house.tend(DAY - 3600);
    house.commit(&odd[..odd.len() / 2]);
    house.tend(DAY + 300);
    house.assert_sound(all.len() as u64 * 3 / 4);
    house.tend(DAY + 2 * 3600);
    house.commit(&odd[odd.len() / 2..]);
    house.assert_sound(all.len() as u64);
    let check = |house: &House| {
        let columns = house.columns(0..DAY, 5000);
        assert_eq!(columns.times.len(), all.len());
        assert!(columns.times.is_sorted());
        assert_true(&house.columns(0..DAY, 100), 0..DAY, 60);
    };
    check(&house);
    house.tend(DAY + 4 * 3600);
    check(&house);
    house.tend(3 * DAY);
    assert_eq!(house.rows(keys::Tier::Hour), 0);
    check(&house);
    house.assert_sound(all.len() as u64);
}

#[test]
fn an_hour_that_came_in_ever_so_many_pieces_is_whole() {
    let mut house = House::new();
    let keys = keys::chunks(
        1,
        keys::Tier::Hour,
        keys::hour_of(BEGIN * 1000)..=keys::hour_of(BEGIN * 1000),
    );
    for seq in 1..=4 {
        let sample = house.sample(1, seq, i64::try_from(seq).unwrap());
        house.commit(&[sample]);
        house.tend((3 + i64::try_from(seq).unwrap()) * 3600);
        if seq == 1 {
            // As if there had been four thousand before it.
            let connection = Connection::open(&house.path).unwrap();
            let sql = "UPDATE chunk SET id = ?";
            connection.execute(sql, [keys.end() - 1]).unwrap();
        }
    }
    assert_eq!(house.rows(keys::Tier::Hour), 2);
    assert_eq!(house.columns(0..3600, 500).times.len(), 4);
    house.assert_sound(4);
}

#[test]
fn nothing_goes_for_its_age_while_nobody_knows_how_long_it_is_kept_or_what_time_it_is() {
    let mut house = House::new();
    house.live(0..DAY, 300);
    let all = house.columns(0..DAY, 500).times;
    let settings = HistorySettings::default();
    for retention in [Retention::Nothing, Retention::BySize(&settings)] {
        while house.writer().tend(at(1000 * DAY), retention).unwrap() == Tended::More {}
        assert_eq!(house.columns(0..DAY, 500).times, all);
    }
    // The same hour, but now it is known.
    house.tend(1000 * DAY);
    assert_eq!(house.rows(keys::Tier::Day), 0);
}

#[test]
fn what_is_too_old_goes_the_samples_before_the_points() {
    let mut house = House::new();
    house.settings.sample_days = 2;
    house.settings.five_minute_days = 4;
    house.settings.two_hour_days = 400;
    house.live(0..8 * DAY, 300);
    assert_eq!(house.rows(keys::Tier::Day), 1);
    assert_eq!(house.rows(keys::Tier::FiveMinutes), 3);
    assert_eq!(house.rows(keys::Tier::TwoHours), 1);
    let week = house.columns(0..8 * DAY, 96);
    assert_eq!(week.series["cpu"].mean.iter().flatten().count(), 96);
    // Of the first day there are points of two hours only, whatever is asked.
    let first = house.columns(0..DAY, 500);
    assert_eq!(first.series["cpu"].mean.iter().flatten().count(), 12);
}

/// The dashboard tells by this that what is between such points is no gap.
#[test]
fn what_sums_up_a_time_stands_in_the_stretch_of_the_middle_of_it_and_nothing_elsewhere() {
    let mut house = House::new();
    house.live(0..3 * DAY, 60);
    house.settings.sample_days = 1;
    for (days, step) in [(400, 300), (1, 7200)] {
        house.settings.five_minute_days = days;
        house.tend(4 * DAY);
        for (begin, points) in [(4321, 500), (7200, 777)] {
            let columns = house.columns(begin..DAY, points);
            let count = i64::try_from(points).unwrap();
            let (from, width) = (at(begin).as_millisecond(), (DAY - 1 - begin) * 1000);
            // Twice as much, so that halves are whole.
            let is_middle_of_stretch = |(index, time): (i64, &i64)| {
                ((time - from) * 2 * count - width * (2 * index + 1)).abs() <= 2 * count
            };
            assert!((0..).zip(&columns.times).all(is_middle_of_stretch));
            let found = columns.times.iter().zip(&columns.series["cpu"].mean);
            let found: Vec<i64> = found
                .filter_map(|(time, mean)| mean.map(|_| *time))
                .collect();
            let middles: Vec<i64> = (0..DAY / step)
                .filter(|number| number * step >= begin)
                .map(|number| at(number * step).as_millisecond() + step * 500)
                .collect();
            assert_eq!(found.len(), middles.len(), "{step} {points}");
            let half = width / count / 2 + 1;
            for (time, middle) in found.iter().zip(middles) {
                assert!((time - middle).abs() <= half, "{time} for {middle}");
            }
        }
    }
}

#[test]
fn the_database_stays_below_its_largest_size() {
    let mut house = House::new();
    house.settings.max_megabytes = 1;
    house.noise = 8;
    for day in 0..60 {
        house.live(day * DAY..(day + 1) * DAY, 60);
        let size = house.reader.overview().unwrap().unwrap();
        assert!(size.file_bytes <= 1_000_000, "day {day}: {size:?}");
    }
    assert!(house.rows(keys::Tier::Day) < 50);
    assert_eq!(
        house.rows(keys::Tier::TwoHours),
        3,
        "points of two hours are the last to go"
    );
    assert!(verify(&house.path).unwrap().unwrap().findings.is_empty());
}

#[test]
fn a_small_limit_takes_points_before_samples_of_which_there_are_none_and_the_log_takes_neither() {
    let mut house = House::new();
    house.live(0..2 * DAY + 12 * 3600, 300);
    let event = Event {
        time: at(0),
        kind: EventKind::Other("of_tomorrow".to_owned()),
        severity: Severity::Info,
        device: None,
        actor: Some("x".repeat(2000)),
        parameters: BTreeMap::new(),
    };
    house.settings.max_megabytes = 1;
    let log = vec![event; 1000];
    house.writer().commit(&[], &log).unwrap();
    house.tend(2 * DAY + 13 * 3600);
    assert_eq!(house.rows(keys::Tier::Day), 2, "the log is no reason");

    house.settings.max_megabytes = 0;
    let settings = house.settings.clone();
    let retention = Retention::BySize(&settings);
    let unmerged = house.rows(keys::Tier::Hour);
    let now = at(2 * DAY + 13 * 3600);
    while house.writer().tend(now, retention).unwrap() == Tended::More {
        let told = [
            keys::Tier::Day,
            keys::Tier::FiveMinutes,
            keys::Tier::TwoHours,
        ];
        let told: usize = told.map(|tier| house.rows(tier)).iter().sum();
        assert!(told == 0 || house.rows(keys::Tier::Hour) == unmerged);
    }
    assert_eq!(house.rows(keys::Tier::Hour), 0);
}

#[test]
fn what_a_device_makes_up_for_waits_for_the_next_hour_or_for_a_tail_that_is_full() {
    let mut house = House::new();
    let begin = DAY * 3;
    // An hour in which a batch of samples of three days before comes with each live one.
    for round in 0..720 {
        let second = begin + round * 5;
        let mut batch: Vec<NewSample> = (round * 10..round * 10 + 10)
            .map(|n| house.sample(1, u64::try_from(n).unwrap() + 1, n * 30))
            .collect();
        batch.push(house.sample(2, u64::try_from(round).unwrap() + 1, second));
        house.commit(&batch);
        house.tend(second);
    }
    // Sealed after the start, and once when it was full.
    let parts = house.rows(keys::Tier::Hour);
    assert!((40..60).contains(&parts), "{parts} parts of 60 hours");
    house.assert_sound(720 * 11);
    house.tend(begin + 3600 + 300);
    house.assert_sound(720 * 11);
    assert_eq!(house.columns(0..3 * DAY, 10_000).times.len(), 7200);
}

/// Samples of some minutes of a day, that were taken by another start of the agent.
fn late(house: &mut House, seconds: std::ops::Range<i64>) -> Vec<NewSample> {
    let seconds = seconds.filter(|second| second % 60 == 30);
    seconds
        .map(|second| house.sample(7, u64::try_from(second).unwrap(), second))
        .collect()
}

#[test]
fn what_comes_late_for_a_day_whose_samples_are_gone_is_added_to_its_points() {
    let mut house = House::new();
    house.live(0..4 * DAY, 60);
    house.tend(4 * DAY + 4000);
    house.settings.sample_days = 1;
    house.tend(4 * DAY + 8000);
    assert_eq!(house.rows(keys::Tier::Day), 1);
    assert_eq!(house.rows(keys::Tier::Hour), 0);

    // Half an hour of the first day, in two parts.
    for (number, seconds) in [(0, 3600..4500), (1, 4500..5400)] {
        let samples = late(&mut house, seconds);
        assert_eq!(house.commit(&samples).stored, 15);
        house.tend(4 * DAY + (3 + number) * 3600 + 1000);
        assert_eq!(house.rows(keys::Tier::Hour), 0);
        assert_eq!(house.rows(keys::Tier::Day), 1, "of those that are kept");
    }
    // From the points of five minutes, then from those of two hours.
    for (days, points) in [(730, 288), (1, 12)] {
        house.settings.five_minute_days = days;
        house.tend(4 * DAY + 7 * 3600);
        let columns = house.columns(0..DAY, points);
        let cpu = &columns.series["cpu"].mean;
        assert_eq!(cpu.iter().flatten().count(), points, "{cpu:?}");
        assert_true(&columns, 0..DAY, 30);
    }
    assert!(verify(&house.path).unwrap().unwrap().findings.is_empty());
}

#[test]
fn what_comes_so_late_that_it_goes_at_once_is_summed_up_first() {
    let mut house = House::new();
    house.settings.sample_days = 2;
    let noon = 9 * DAY + DAY / 2;
    house.live(9 * DAY..noon, 300);
    let samples = late(&mut house, 0..DAY);
    house.commit(&samples);
    house.tend(noon + 4000);
    assert_eq!(house.rows(keys::Tier::Hour), 12, "of this day");
    assert_eq!(house.rows(keys::Tier::Day), 0);
    let columns = house.columns(0..DAY, 24);
    assert_eq!(columns.series["cpu"].mean.iter().flatten().count(), 24);
}

#[test]
fn samples_that_are_kept_for_long_stay_listed_for_as_long() {
    let mut house = House::new();
    house.settings.sample_days = 500;
    let sample = house.sample(1, 1, 20 * 3600);
    house.commit(&[sample]);
    house.tend(2 * DAY);
    for hour in 0..40 {
        house.tend(500 * DAY + hour * 3600 + 200);
        house.reopen();
        assert_eq!(verify(&house.path).unwrap().unwrap().findings, []);
    }
}

#[test]
fn a_clock_that_was_years_ahead_neither_stops_the_upkeep_nor_has_samples_acknowledged_unstored() {
    let mut house = House::new();
    let first = house.sample(1, 1, 10);
    house.commit(&[first]);
    house.tend(2 * DAY);
    // Of this one nothing was heard since the start, but it was in the tail then.
    let second = house.sample(2, 1, 2 * DAY);
    house.commit(&[second]);
    house.reopen();
    let first = house.sample(1, 2, 20);
    house.commit(&[first]);
    house.tend(1000 * DAY);
    for (session, second) in [(3, 2 * DAY + 60), (1, 2 * DAY + 70), (2, 2 * DAY + 80)] {
        let sample = house.sample(session, 5, second);
        assert_eq!(house.commit(&[sample]).stored, 1);
    }
    house.tend(2 * DAY + 4 * 3600);
    house.tend(4 * DAY);
    let sessions = house.reader.sessions(&device()).unwrap();
    let stored: Vec<_> = sessions
        .iter()
        .map(|it| (it.session.0, it.ranges.clone()))
        .collect();
    assert_eq!(
        stored,
        [
            (1, vec![(1, 2), (5, 5)]),
            (2, vec![(1, 1), (5, 5)]),
            (3, vec![(5, 5)])
        ]
    );
}

#[test]
fn a_limit_that_was_lowered_gives_the_room_back_beside_the_file_as_well() {
    let mut house = House::new();
    house.noise = 60;
    for day in 0..8 {
        house.live(day * DAY..(day + 1) * DAY, 120);
    }
    let before = house.reader.overview().unwrap().unwrap().file_bytes;
    assert!(before > 2_000_000, "{before}");
    house.settings.max_megabytes = 1;
    house.tend(8 * DAY + 4000);
    let files = ["db", "db-wal"].map(|ending| {
        let path = house.path.with_extension(ending);
        std::fs::metadata(path).unwrap().len()
    });
    assert!(files[0] <= 1_000_000, "{files:?}");
    assert_eq!(files[1], 0, "{files:?}");
}
