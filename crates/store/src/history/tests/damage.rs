//! What is left when something breaks.

use std::path::Path;

use super::*;
use crate::StoreError;

fn damage(path: &Path, tier: keys::Tier) {
    let connection = Connection::open(path).unwrap();
    let keys = keys::chunks(1, tier, 0..=i64::MAX);
    let (key, mut data): (i64, Vec<u8>) = connection
        .query_row(
            "SELECT id, data FROM chunk WHERE id BETWEEN ? AND ? LIMIT 1",
            [keys.start(), keys.end()],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    let last = data.len() - 1;
    data[last] ^= 1;
    let sql = "UPDATE chunk SET data = ? WHERE id = ?";
    connection
        .execute(sql, rusqlite::params![data, key])
        .unwrap();
}

#[test]
fn a_damaged_chunk_is_named_and_loses_itself_and_nothing_else() {
    let mut house = House::new();
    house.live(0..DAY + 5 * 3600, 60);
    let whole = house.columns(0..DAY + 5 * 3600, 5000);
    damage(&house.path, keys::Tier::Hour);
    let report = verify(&house.path).unwrap().unwrap();
    let [
        Finding::Chunk {
            device: Some(name),
            tier: "hour",
            from,
        },
    ] = &report.findings[..]
    else {
        panic!("{:?}", report.findings)
    };
    assert_eq!((name.as_str(), *from), ("ws", at(DAY)));
    let columns = house.columns(0..DAY + 5 * 3600, 5000);
    assert_eq!(columns.times, whole.times);
    let missing: Vec<&String> = whole
        .series
        .iter()
        .filter(|(name, series)| columns.series[*name] != **series)
        .map(|(name, _)| name)
        .collect();
    assert_eq!(missing.len(), 1, "{missing:?}");
    // The others are merged without it, and life goes on.
    house.live(DAY + 5 * 3600..3 * DAY + 2 * 3600, 60);
    assert_eq!(
        house.rows(keys::Tier::Hour),
        2,
        "the last hour and the damaged one"
    );
    let report = verify(&house.path).unwrap().unwrap();
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn a_commit_that_fails_stores_nothing_and_the_next_one_all() {
    let mut house = House::new();
    let samples: Vec<NewSample> = (1..=3).map(|seq| house.sample(1, seq, 10)).collect();
    let blocker = Connection::open(&house.path).unwrap();
    blocker
        .execute_batch("PRAGMA busy_timeout = 0; BEGIN IMMEDIATE")
        .unwrap();
    house
        .writer()
        .connection_for_tests()
        .busy_timeout(std::time::Duration::ZERO)
        .unwrap();
    let error = house.writer().commit(&samples, &[]).unwrap_err();
    assert!(matches!(error, StoreError::Sql(_)), "{error}");
    assert!(error.may_pass());
    blocker.execute_batch("ROLLBACK").unwrap();
    assert_eq!(house.commit(&samples).stored, 3);
    house.assert_sound(3);
}

#[test]
fn a_damaged_month_is_made_anew_from_the_points_of_its_days() {
    let mut house = House::new();
    house.live(0..4 * DAY, 300);
    let whole = house.columns(0..3 * DAY, 30);
    damage(&house.path, keys::Tier::TwoHours);
    house.live(4 * DAY..5 * DAY + 2 * 3600, 300);
    assert_eq!(verify(&house.path).unwrap().unwrap().findings, []);
    house.settings.sample_days = 1;
    house.settings.five_minute_days = 1;
    house.tend(5 * DAY + 3 * 3600);
    assert_eq!(house.rows(keys::Tier::FiveMinutes), 1);
    assert_eq!(house.columns(0..3 * DAY, 30).times, whole.times);
    let means = &house.columns(0..3 * DAY, 30).series["cpu"].mean;
    assert_eq!(means.iter().flatten().count(), 30, "{means:?}");
}

/// Loses the page of the file on which the middle of a row's data stands, as a worn card does.
fn lose_page(house: &mut House, table: &str, key: i64) {
    house.writer = None;
    let sql = format!("SELECT data FROM {table} WHERE id = ?");
    let connection = Connection::open(&house.path).unwrap();
    let data: Vec<u8> = connection.query_row(&sql, [key], |row| row.get(0)).unwrap();
    drop(connection);
    assert!(
        data.len() > 3 * 4096,
        "no page in the middle: {}",
        data.len()
    );
    let middle = &data[data.len() - 6000..][..64];
    let mut file = std::fs::read(&house.path).unwrap();
    let mut places = file.windows(64).enumerate();
    let (place, _) = places.find(|(_, bytes)| *bytes == middle).unwrap();
    let page = place / 4096 * 4096;
    file[page..page + 4096].fill(0xa5);
    std::fs::write(&house.path, file).unwrap();
    house.reader = HistoryReader::new(&house.path);
    house.writer = Some(HistoryWriter::open(&house.path).unwrap());
}

fn first_key(house: &House, tier: keys::Tier) -> i64 {
    let connection = Connection::open(&house.path).unwrap();
    let all = pieces::find(&connection, 1, tier, 0..=i64::MAX).unwrap();
    all[0].key
}

fn damaged_chunks(house: &House) -> Vec<(&'static str, Timestamp)> {
    let findings = verify(&house.path).unwrap().unwrap().findings;
    let chunks = findings.into_iter().filter_map(|finding| match finding {
        Finding::Chunk { device, tier, from } => {
            assert_eq!(device.as_deref(), Some("ws"));
            Some((tier, from))
        }
        Finding::File(_) => None,
        other => panic!("{other}"),
    });
    chunks.collect()
}

#[test]
fn a_page_that_the_card_has_lost_stops_neither_merging_nor_forgetting_and_verify_names_it() {
    let mut house = House::new();
    house.noise = 60;
    house.live(0..2 * DAY + 3 * 3600, 30);
    let (day, hour) = (
        first_key(&house, keys::Tier::Day),
        first_key(&house, keys::Tier::Hour),
    );
    lose_page(&mut house, "chunk", day);
    lose_page(&mut house, "chunk", hour);
    let lost = [("hour", at(2 * DAY)), ("day", at(0))];
    assert_eq!(damaged_chunks(&house), lost);
    // What is late for it, and days that follow.
    let late = house.sample(9, 1, 100);
    house.commit(&[late]);
    house.live(2 * DAY + 3 * 3600..4 * DAY + 2 * 3600, 30);
    assert_eq!(house.rows(keys::Tier::Day), 4);
    assert_eq!(
        house.rows(keys::Tier::Hour),
        1 + 1 + 1,
        "lost, late, and of today"
    );
    let columns = house.columns(2 * DAY..3 * DAY, 24);
    assert_eq!(columns.series["cpu"].mean.iter().flatten().count(), 24);

    house.settings.sample_days = 1;
    house.tend(5 * DAY + DAY / 2);
    assert_eq!(
        house.rows(keys::Tier::Day),
        1 + 1,
        "of the last day, and what is lost"
    );
    assert_eq!(damaged_chunks(&house), lost);
    house.settings.max_megabytes = 0;
    house.tend(5 * DAY + DAY / 2);
    assert_eq!(house.rows(keys::Tier::Day), 1);
    assert_eq!(house.rows(keys::Tier::TwoHours), 0);
}

#[test]
fn a_page_of_the_tail_that_the_card_has_lost_takes_one_row_with_it() {
    let mut house = House::new();
    house.noise = 60;
    for minutes in [0..20, 20..40, 40..50] {
        let samples: Vec<NewSample> = minutes
            .flat_map(|minute| (0..20).map(move |n| minute * 60 + n * 3))
            .map(|second| house.sample(1, u64::try_from(second).unwrap() + 1, second))
            .collect();
        house.commit(&samples);
    }
    let connection = Connection::open(&house.path).unwrap();
    let sql = "SELECT id FROM tail ORDER BY id LIMIT 1";
    let key = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    drop(connection);
    lose_page(&mut house, "tail", key);
    assert_eq!(damaged_chunks(&house), [("tail", at(0))]);
    assert_eq!(house.columns(0..3600, 5000).times.len(), 600);
    house.tend(2 * 3600);
    assert_eq!(house.rows(keys::Tier::Hour), 1);
    let more = house.sample(1, 9999, 2 * 3600 + 10);
    assert_eq!(house.commit(&[more]).stored, 1);
    house.tend(2 * DAY);
    assert_eq!(house.rows(keys::Tier::Day), 1);
    assert_eq!(house.columns(0..3 * 3600, 5000).times.len(), 601);
    assert_eq!(damaged_chunks(&house), [("tail", at(0))]);
}

#[test]
fn a_month_on_a_page_that_is_lost_is_made_anew_beside_it() {
    let mut house = House::new();
    house.noise = 60;
    house.live(0..6 * DAY, 300);
    let month = first_key(&house, keys::Tier::TwoHours);
    lose_page(&mut house, "chunk", month);
    house.live(6 * DAY..7 * DAY + 2 * 3600, 300);
    assert_eq!(house.rows(keys::Tier::TwoHours), 2);
    house.live(7 * DAY + 2 * 3600..8 * DAY + 2 * 3600, 300);
    assert_eq!(house.rows(keys::Tier::TwoHours), 2);
    assert_eq!(damaged_chunks(&house).len(), 1);
    house.settings.sample_days = 1;
    house.settings.five_minute_days = 1;
    house.tend(8 * DAY + 3 * 3600);
    let week = house.columns(0..6 * DAY, 72);
    for name in ["cpu", "temp:7", "temp:59"] {
        let count = week.series[name].mean.iter().flatten().count();
        assert_eq!(count, 72, "{name}");
    }
}

#[test]
fn what_could_not_be_read_again_after_an_error_is_read_before_the_next_commit() {
    let mut house = House::new();
    let samples: Vec<NewSample> = (1..=4).map(|seq| house.sample(1, seq, 10)).collect();
    house.commit(&samples[..3]);
    let other = Connection::open(&house.path).unwrap();
    let rename = "ALTER TABLE tail RENAME TO elsewhere";
    other.execute_batch(rename).unwrap();
    house.writer().commit(&samples, &[]).unwrap_err();
    let rename = "ALTER TABLE elsewhere RENAME TO tail";
    other.execute_batch(rename).unwrap();
    assert_eq!(house.commit(&samples).stored, 1);
    house.assert_sound(4);
}
