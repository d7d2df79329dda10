//! What is left when something breaks.

use std::os::unix::fs::FileExt as _;
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
}

/// Loses one of the pages on which a table has its keys, and says how many there are.
fn lose_leaf(house: &mut House, table: &str, choose: impl FnOnce(usize) -> usize) -> usize {
    house.writer = None;
    let leaves = overwrite_leaf(&house.path, table, choose);
    house.reader = HistoryReader::new(&house.path);
    leaves
}

fn overwrite_leaf(path: &Path, table: &str, choose: impl FnOnce(usize) -> usize) -> usize {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path";
    let mut statement = connection.prepare(sql).unwrap();
    let pages = statement.query_map([table], |row| row.get(0)).unwrap();
    let pages: Vec<u64> = pages.map(Result::unwrap).collect();
    drop(statement);
    drop(connection);
    let page = (pages[choose(pages.len())] - 1) * 4096;
    let file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all_at(&[0xa5; 4096], page).unwrap();
    pages.len()
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
    house.reopen();
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
    house.reopen();
    assert_eq!(house.columns(0..3600, 5000).times.len(), 600);
    house.tend(2 * 3600);
    assert_eq!(house.rows(keys::Tier::Hour), 1);
    let more = house.sample(1, 9999, 2 * 3600 + 10);
    assert_eq!(house.commit(&[more]).stored, 1);
    house.tend(2 * DAY);
    assert_eq!(house.rows(keys::Tier::Day), 1);
    assert_eq!(house.columns(0..3 * 3600, 5000).times.len(), 601);
    assert_eq!(damaged_chunks(&house), []);
    // What is lost is not held to be stored: an agent that still has it may send it again.
    let lost = house.sample(1, 4, 3);
    assert_eq!(house.commit(&[lost]).stored, 1);
}

#[test]
fn a_month_on_a_page_that_is_lost_is_made_anew_beside_it() {
    let mut house = House::new();
    house.noise = 60;
    house.live(0..6 * DAY, 300);
    let month = first_key(&house, keys::Tier::TwoHours);
    lose_page(&mut house, "chunk", month);
    house.reopen();
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

/// An hour of samples, in sixty commits, none of them sealed.
fn hour_in_tail(house: &mut House) -> Vec<NewSample> {
    house.noise = 10;
    let samples: Vec<NewSample> = (0..1200)
        .map(|n| house.sample(1, n + 1, i64::try_from(n).unwrap() * 3))
        .collect();
    for minute in samples.chunks(20) {
        house.commit(minute);
    }
    samples
}

#[test]
fn a_page_with_keys_of_the_tail_that_is_lost_takes_its_commits_and_no_others() {
    for choose in [|_| 0, |leaves| leaves / 2, |leaves| leaves - 1] {
        let mut house = House::new();
        let samples = hour_in_tail(&mut house);
        let leaves = lose_leaf(&mut house, "tail", choose);
        assert!(leaves > 4, "{leaves}");
        let findings = verify(&house.path).unwrap().unwrap().findings;
        assert!(!findings.is_empty());
        let left = house.columns(0..3600, 5000).times.len();
        let most = 1200 - 2 * 1200 / leaves;
        assert!((most..1200).contains(&left), "{left} of {leaves} pages");

        house.reopen();
        assert_eq!(house.columns(0..3600, 5000).times.len(), left);
        let next = house.sample(1, 1201, 3600);
        assert_eq!(house.commit(&[next]).stored, 1);
        // An agent that still has what was lost can send it again.
        assert_eq!(house.commit(&samples).stored, 1200 - left);
        house.tend(2 * 3600 + 300);
        assert_eq!(house.rows(keys::Tier::Hour), 2);
        house.live(2 * 3600 + 600..2 * DAY, 60);
        assert!(house.rows(keys::Tier::Day) == 1);
        assert_eq!(house.columns(0..3600, 5000).times.len(), 1200);

        // Once more: it was made anew as it was.
        let late = [house.sample(2, 1, 3 * DAY)];
        house.commit(&late);
        lose_leaf(&mut house, "tail", |_| 0);
        house.reopen();
        house.reopen();
        assert_eq!(house.commit(&late).stored, 1);
        assert_eq!(house.commit(&late).stored, 0);
    }
}

#[test]
fn a_page_of_the_tail_that_is_lost_while_the_hub_runs_stops_neither_commits_nor_sealing() {
    for choose in [|leaves| leaves / 2, |leaves| leaves - 1] {
        let mut house = House::new();
        let samples = hour_in_tail(&mut house);
        let connection = house.writer().connection_for_tests();
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        connection.query_row(checkpoint, [], |_| Ok(())).unwrap();
        let path = house.path.clone();
        overwrite_leaf(&path, "tail", choose);
        let connection = house.writer().connection_for_tests();
        connection.execute_batch("PRAGMA shrink_memory").unwrap();
        let next = [house.sample(1, 1201, 3600)];
        // Ingest tries again what could not be committed.
        if house.writer().commit(&next, &[]).is_err() {
            assert_eq!(house.commit(&next).stored, 1);
        }
        house.tend(2 * 3600 + 300);
        assert_eq!(house.rows(keys::Tier::Hour), 2);
        let left = house.columns(0..3601, 5000).times.len();
        assert!((900..1201).contains(&left), "{left}");
        // What is lost is not held to be stored.
        assert_eq!(house.commit(&samples).stored, 1201 - left);
    }
}

#[test]
fn a_page_with_keys_of_chunks_that_is_lost_stops_neither_merging_nor_forgetting() {
    let mut house = House::new();
    house.noise = 5;
    house.live(0..20 * DAY + 5 * 3600, 300);
    let count = |house: &House| {
        let tiers = [keys::Tier::Hour, keys::Tier::Day, keys::Tier::FiveMinutes];
        tiers.map(|tier| house.rows(tier))
    };
    let before = count(&house);
    for part in [0, 1, 2, 3] {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("monitor.db");
        house.writer = None;
        std::fs::copy(&house.path, &copy).unwrap();

        let leaves = lose_leaf(&mut house, "chunk", |leaves| (leaves - 1) * part / 3);
        assert!(leaves > 4, "{leaves}");
        let report = verify(&house.path).unwrap().unwrap();
        assert!(
            report
                .findings
                .iter()
                .any(|it| it.to_string().contains("a page between"))
        );
        let left = count(&house).iter().sum::<usize>();
        let all = before.iter().sum::<usize>();
        assert!(left + 16 > all, "{left} of {all}");
        // Answers go on.
        assert!(house.columns(0..20 * DAY, 300).times.len() > 200);

        house.reopen();
        house.live(20 * DAY + 5 * 3600..23 * DAY, 300);
        let day = house.columns(22 * DAY..23 * DAY, 24);
        assert_eq!(day.series["cpu"].mean.iter().flatten().count(), 24);
        // Each once, sealed or not.
        let again: Vec<NewSample> = (21 * DAY / 300..23 * DAY / 300)
            .map(|n| house.sample(1, u64::try_from(n).unwrap() + 1, n * 300))
            .collect();
        assert_eq!(house.commit(&again).stored, 0);
        house.reopen();
        assert_eq!(house.commit(&again).stored, 0);
        let days = house.columns(21 * DAY..23 * DAY, 5000);
        assert_eq!(days.times.len(), again.len());
        house.settings.sample_days = 5;
        house.settings.five_minute_days = 5;
        house.tend(23 * DAY + DAY / 2);
        let connection = house.writer().connection_for_tests();
        let sql = "SELECT count(*) FROM tail";
        let in_tail: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        // Where the page with the newest hours is lost, they cannot be sealed.
        assert_eq!(in_tail > 0, part == 0);
        let [_, days, fine] = count(&house);
        assert!(days <= 6 + 4 && fine <= 6 + 4, "{days} {fine}");
        house.settings.max_megabytes = 0;
        house.tend(23 * DAY + DAY / 2);
        let left = count(&house).iter().sum::<usize>();
        assert!(left < 20, "{left}");

        house.writer = None;
        std::fs::copy(&copy, &house.path).unwrap();
        house.settings = HistorySettings::default();
        house.reopen();
    }
}

#[test]
fn an_old_row_that_stays_in_the_tail_does_not_make_queries_walk_over_all_commits_since() {
    // Billions of them: it would take hours.
    let mut house = House::new();
    let (old, new) = (house.sample(1, 1, 10), house.sample(1, 2, 20));
    house.commit(&[old]);
    house.commit(&[new]);
    house.writer = None;
    let connection = Connection::open(&house.path).unwrap();
    let sql = "UPDATE tail SET id = ? WHERE id = ?";
    let (key, far) = (keys::tail(2, 1, 0), keys::tail(1 << 33, 1, 0));
    assert_eq!(connection.execute(sql, [far, key]).unwrap(), 1);
    drop(connection);
    assert_eq!(house.columns(0..60, 100).times.len(), 2);
}
