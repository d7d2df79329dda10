use std::fs;
use std::path::PathBuf;

use super::opening::pieces_in;
use super::*;
use crate::collect::tests::sample;

pub(crate) struct Folder {
    _root: tempfile::TempDir,
    pub(crate) place: Place,
}

pub(crate) fn owner(session: u64) -> Owner {
    Owner {
        name: "ws-14@hub".to_owned(),
        session: SessionId(session),
        boot: Some("boot".to_owned()),
    }
}

pub(crate) fn folder() -> Folder {
    let root = tempfile::tempdir().unwrap();
    let place = Place {
        tail: root.path().join("memory"),
        former_tails: Vec::new(),
        disk: root.path().join("disk"),
    };
    Folder { _root: root, place }
}

impl Folder {
    pub(crate) fn open(&self, session: u64) -> Spool {
        self.open_with(session, Limits::default())
    }

    pub(crate) fn open_with(&self, session: u64, limits: Limits) -> Spool {
        Spool::open(self.place.clone(), owner(session), limits)
    }

    pub(crate) fn tail_files(&self) -> Vec<PathBuf> {
        files(&self.place.tail)
    }

    pub(crate) fn blocks(&self) -> Vec<PathBuf> {
        files(&self.place.disk)
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> = pieces_in(folder).into_iter().map(|it| it.path).collect();
    files.sort();
    files
}

pub(crate) fn fill(spool: &mut Spool, numbers: std::ops::RangeInclusive<u64>) {
    for seq in numbers {
        spool.append(&sample(spool.owner.session, seq));
    }
}

/// What is kept, each session with its ranges.
pub(crate) fn kept(spool: &Spool) -> Vec<(u64, Vec<(u64, u64)>)> {
    spool
        .kept()
        .map(|(session, numbers)| {
            let ranges = numbers.iter().map(|it| (*it.start(), *it.end()));
            (session.0, ranges.collect())
        })
        .collect()
}

/// The numbers that can be read of a session.
pub(crate) fn read(spool: &Spool, session: u64) -> Vec<u64> {
    let session = SessionId(session);
    let wanted = spool.kept().find(|(it, _)| *it == session).unwrap().1;
    let found = spool.reading(session, wanted).read(usize::MAX, usize::MAX);
    found.samples.into_iter().map(|(seq, _)| seq).collect()
}

#[test]
fn exactly_what_is_acknowledged_goes() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=10);
    spool.acked(SessionId(1), &[(1, 3), (5, 5), (20, 30), (9, 8)]);
    spool.acked(SessionId(2), &[(1, 10)]);
    assert_eq!(kept(&spool), [(1, vec![(4, 4), (6, 10)])]);
    assert_eq!(spool.oldest(SessionId(1)), Some(4));
    assert_eq!(read(&spool, 1), [4, 6, 7, 8, 9, 10]);
    spool.acked(SessionId(1), &[(0, u64::MAX)]);
    assert_eq!(kept(&spool), [(1, vec![])]);
}

#[test]
fn a_new_start_finds_what_former_ones_left_the_oldest_first() {
    let folder = folder();
    let mut first = folder.open(9);
    fill(&mut first, 1..=5);
    first.acked(SessionId(9), &[(1, 2)]);
    drop(first);
    fill(&mut folder.open(3), 1..=4);
    let mut third = folder.open(5);
    fill(&mut third, 1..=1);
    let expected = [(9, vec![(3, 5)]), (3, vec![(1, 4)]), (5, vec![(1, 1)])];
    assert_eq!(kept(&third), expected);
    assert_eq!(read(&third, 3), [1, 2, 3, 4]);
    third.acked(SessionId(9), &[(3, 5)]);
    assert_eq!(
        folder.tail_files().len(),
        2,
        "files that are done are deleted"
    );
    assert_eq!(third.lost().total(), 0);
}

#[test]
fn wherever_a_killed_agent_stopped_writing_only_the_torn_sample_is_missing() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=4);
    let before = fs::metadata(&folder.tail_files()[0]).unwrap().len();
    fill(&mut spool, 5..=5);
    drop(spool);
    let path = folder.tail_files().remove(0);
    let whole = fs::read(&path).unwrap();
    for length in usize::try_from(before).unwrap()..=whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let session = 2 + length as u64;
        let mut spool = folder.open(session);
        let last = if length == whole.len() { 5 } else { 4 };
        assert_eq!(kept(&spool)[0], (1, vec![(1, last)]), "cut at {length}");
        fill(&mut spool, 1..=1);
        assert_eq!(read(&spool, 1), (1..=last).collect::<Vec<_>>());
        assert_eq!(read(&spool, session), [1]);
        // Leave only the first file.
        spool.acked(SessionId(session), &[(1, 1)]);
    }
}

#[test]
fn a_full_tail_gives_up_its_oldest_and_counts_it_beyond_the_next_start() {
    let folder = folder();
    let limits = Limits {
        tail_bytes: 40_000,
        file_bytes: 3_500,
        ..Limits::default()
    };
    let mut spool = folder.open_with(1, limits);
    fill(&mut spool, 1..=800);
    let oldest = spool.oldest(SessionId(1)).unwrap();
    assert!(oldest > 500, "{oldest}");
    assert_eq!(read(&spool, 1), (oldest..=800).collect::<Vec<_>>());
    assert_eq!(spool.lost().of(SessionId(1)), oldest - 1);
    let bytes: u64 = folder
        .tail_files()
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert!((25_000..=40_000).contains(&bytes), "{bytes}");
    drop(spool);
    assert_eq!(folder.open(2).lost().of(SessionId(1)), oldest - 1);
}

#[test]
fn samples_taken_under_another_name_are_never_sent_under_this_one() {
    let folder = folder();
    fill(&mut folder.open(1), 1..=5);
    let owner = Owner {
        name: "ws-15@hub".to_owned(),
        session: SessionId(2),
        boot: None,
    };
    let spool = Spool::open(folder.place.clone(), owner, Limits::default());
    assert_eq!(kept(&spool), [(2, vec![])]);
    assert_eq!(folder.tail_files(), [] as [PathBuf; 0]);
}

#[test]
fn a_second_agent_with_this_state_directory_leaves_the_first_ones_samples_alone() {
    let folder = folder();
    let mut first = folder.open(1);
    fill(&mut first, 1..=3);
    let mut second = folder.open(2);
    fill(&mut second, 1..=2);
    second.acked(SessionId(1), &[(1, 3)]);
    assert_eq!(kept(&second), [(2, vec![(1, 2)])]);
    fill(&mut first, 4..=4);
    assert_eq!(read(&first, 1), [1, 2, 3, 4]);
    drop((first, second));
    let expected = [(1, vec![(1, 4)]), (2, vec![(1, 2)]), (3, vec![])];
    assert_eq!(kept(&folder.open(3)), expected);
}

#[test]
fn an_agent_that_starts_leaves_the_tail_of_one_that_runs_alone_and_takes_it_in_later() {
    let folder = folder();
    let limits = Limits {
        file_bytes: 3_500,
        ..Limits::default()
    };
    let first = folder.open_with(1, limits);
    let mut second = folder.open_with(2, limits);
    fill(&mut second, 1..=30);
    drop(first);
    // One that was killed has left this.
    let left = folder.place.tail.join("0000000000000009.lock");
    fs::write(&left, "").unwrap();

    let mut third = folder.open_with(3, limits);
    assert!(!left.exists());
    assert_eq!(kept(&third), [(3, vec![])]);
    fill(&mut third, 1..=30);
    let packing = third.packing().unwrap();
    assert!(third.packed(packing.run()));
    let wanted = [1..=30].into_iter().collect();
    let found = second.reading(SessionId(2), &wanted).read(100, 100_000);
    second.settle(&found);
    assert_eq!((found.samples.len(), second.lost().total()), (30, 0));

    drop((second, third));
    let fourth = folder.open_with(4, limits);
    assert_eq!(read(&fourth, 2), (1..=30).collect::<Vec<_>>());
    assert_eq!(read(&fourth, 3), (1..=30).collect::<Vec<_>>());
}

#[test]
fn a_running_agent_is_seen_also_when_its_tail_was_tidied_away_and_made_anew() {
    let folder = folder();
    let first = folder.open(1);
    let mut second = folder.open(2);
    drop(first);
    fs::remove_dir_all(&folder.place.tail).unwrap();
    fill(&mut second, 1..=3);
    assert_eq!(kept(&folder.open(3)), [(3, vec![])]);
    assert_eq!(read(&second, 2), [1, 2, 3]);
}

#[test]
fn what_cannot_be_written_is_counted_and_the_rest_goes_on() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=2);
    spool.open = None;
    let hidden = folder.place.tail.with_extension("hidden");
    fs::rename(&folder.place.tail, &hidden).unwrap();
    fs::write(&folder.place.tail, "in the way").unwrap();
    fill(&mut spool, 3..=4);
    assert_eq!(spool.lost().of(SessionId(1)), 2);
    fs::remove_file(&folder.place.tail).unwrap();
    fs::rename(&hidden, &folder.place.tail).unwrap();
    fill(&mut spool, 5..=5);
    assert_eq!(read(&spool, 1), [1, 2, 5]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_among_the_files_holds_nobody_up() {
    let folder = folder();
    fill(&mut folder.open(1), 1..=3);
    let pipe = folder.place.tail.join("000000000009.tail");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(read(&folder.open(2), 1), [1, 2, 3]);
    assert_eq!(look(&folder.place, "ws-14@hub").samples, 3);
}

#[test]
fn a_tail_that_is_tidied_away_is_counted_and_a_new_one_is_begun() {
    let folder = folder();
    let limits = Limits {
        file_bytes: 3_500,
        ..Limits::default()
    };
    let mut spool = folder.open_with(1, limits);
    fill(&mut spool, 1..=22);
    fs::remove_dir_all(&folder.place.tail).unwrap();
    // The open file takes samples although it has no name any more.
    fill(&mut spool, 23..=23);
    let numbers = [1..=23].into_iter().collect();
    let found = spool.reading(SessionId(1), &numbers).read(100, 100_000);
    spool.settle(&found);
    assert_eq!(kept(&spool), [(1, vec![])]);
    assert_eq!(spool.lost().total(), 23);
    fill(&mut spool, 24..=60);
    assert_eq!(spool.oldest(SessionId(1)), Some(24));
    assert_eq!(read(&spool, 1), (24..=60).collect::<Vec<_>>());
    assert_eq!(spool.lost().total(), 23);
    drop(spool);
    assert_eq!(kept(&folder.open(2))[0], (1, vec![(24, 60)]));
}

#[cfg(target_os = "linux")]
#[test]
fn behind_a_sample_that_was_written_in_part_nothing_is_written() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=2);
    spool.open = Some(File::options().write(true).open("/dev/full").unwrap());
    fill(&mut spool, 3..=4);
    assert_eq!(read(&spool, 1), [1, 2, 4]);
    assert_eq!(spool.lost().total(), 1);
}

#[test]
fn a_damaged_file_gives_what_is_before_the_damage_and_the_rest_is_counted() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=10);
    let path = folder.tail_files().remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let wanted = [1..=10].into_iter().collect();
    let found = spool.reading(SessionId(1), &wanted).read(100, 100_000);
    spool.settle(&found);
    let whole = found.samples.len() as u64;
    assert!((3..=7).contains(&whole), "{whole}");
    assert_eq!(kept(&spool), [(1, vec![(1, whole)])]);
    assert_eq!(spool.lost().total(), 10 - whole);
}
