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
