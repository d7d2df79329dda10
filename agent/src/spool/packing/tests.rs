use std::fs;

use super::super::piece::CLUSTER;
use super::super::tests::{fill, folder, kept, read};
use super::super::{Limits, look};
use super::*;

/// Packs what is in the tail, if anything is.
fn pack_now(spool: &mut Spool) -> bool {
    let Some(packing) = spool.packing() else {
        return false;
    };
    spool.packed(packing.run())
}

#[test]
fn what_is_packed_is_on_disk_in_a_tenth_of_the_room_and_nowhere_else() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=100);
    spool.acked(SessionId(1), &[(1, 10), (20, 29)]);
    let before: u64 = spool.pieces.iter().map(|it| it.bytes).sum();
    assert!(pack_now(&mut spool));
    assert_eq!((folder.tail_files().len(), folder.blocks().len()), (0, 1));
    assert!(spool.pieces[0].bytes < before / 10);
    let expected: Vec<u64> = (11..=19).chain(30..=100).collect();
    assert_eq!(read(&spool, 1), expected);
    assert!(!pack_now(&mut spool), "there is nothing to pack");

    fill(&mut spool, 101..=102);
    drop(spool);
    let mut spool = folder.open(2);
    assert_eq!(kept(&spool)[0], (1, vec![(11, 19), (30, 102)]));
    assert_eq!(read(&spool, 1).last(), Some(&102));
    spool.acked(SessionId(1), &[(1, 200)]);
    assert_eq!((folder.tail_files().len(), folder.blocks().len()), (0, 0));
    assert_eq!(spool.lost().total(), 0);
}

#[test]
fn small_blocks_become_large_ones_and_hold_the_same() {
    let folder = folder();
    let limits = Limits {
        block_bytes: 30_000,
        ..Limits::default()
    };
    // Every few minutes the agent is started anew.
    for session in 1..=10 {
        let mut spool = folder.open_with(session, limits);
        for minute in 0..5 {
            fill(&mut spool, minute * 20 + 1..=minute * 20 + 20);
            assert!(pack_now(&mut spool));
        }
    }
    let spool = folder.open_with(11, limits);
    let blocks = spool.pieces.len();
    assert!(blocks < 20, "{blocks}");
    assert_eq!(blocks, folder.blocks().len());
    let plain_bytes: u64 = spool.pieces.iter().map(|it| it.plain_bytes).sum();
    let average = plain_bytes / blocks as u64;
    assert!(average > limits.block_bytes / 2, "{average}");
    for session in 1..=10 {
        assert_eq!(read(&spool, session), (1..=100).collect::<Vec<_>>());
    }
    let order: Vec<u64> = kept(&spool).into_iter().map(|(it, _)| it).collect();
    assert_eq!(order, (1..=11).collect::<Vec<_>>());
}

#[test]
fn killed_at_any_moment_of_packing_the_next_start_has_each_sample_once() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    assert!(pack_now(&mut spool));
    fill(&mut spool, 21..=40);
    spool.acked(SessionId(1), &[(25, 29)]);
    // Killed before it wrote, and before it deleted what it had read.
    for is_written in [false, true] {
        let packing = spool.packing().unwrap();
        if is_written {
            drop(packing.run());
        }
        drop(spool);
        spool = folder.open(1);
        assert_eq!(kept(&spool), [(1, vec![(1, 24), (30, 40)])]);
        assert_eq!(read(&spool, 1), (1..=24).chain(30..=40).collect::<Vec<_>>());
    }
    assert_eq!(folder.tail_files().len(), 0, "it is in the block");
}

#[test]
fn a_full_disk_gives_up_its_oldest_block_and_counts_it_on_disk() {
    let folder = folder();
    let limits = Limits {
        block_bytes: 1_000,
        disk_bytes: 5 * CLUSTER,
        ..Limits::default()
    };
    let mut spool = folder.open_with(1, limits);
    for minute in 0..10 {
        fill(&mut spool, minute * 20 + 1..=minute * 20 + 20);
        assert!(pack_now(&mut spool));
    }
    assert_eq!(folder.blocks().len(), 5);
    assert_eq!(kept(&spool), [(1, vec![(101, 200)])]);
    assert_eq!(spool.lost().of(SessionId(1)), 100);
    fill(&mut spool, 201..=201);
    assert!(pack_now(&mut spool));
    drop(spool);
    fs::remove_dir_all(&folder.place.tail).unwrap();
    let spool = folder.open_with(2, limits);
    assert!(spool.lost().of(SessionId(1)) >= 100);
}

#[test]
fn a_disk_that_cannot_be_written_loses_nothing_and_is_tried_again() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    let hidden = folder.place.disk.with_extension("hidden");
    fs::rename(&folder.place.disk, &hidden).unwrap();
    fs::write(&folder.place.disk, "in the way").unwrap();
    assert!(!pack_now(&mut spool));
    fill(&mut spool, 21..=25);
    assert!(!pack_now(&mut spool));
    assert_eq!(read(&spool, 1), (1..=25).collect::<Vec<_>>());
    fs::remove_file(&folder.place.disk).unwrap();
    fs::rename(&hidden, &folder.place.disk).unwrap();
    assert!(pack_now(&mut spool));
    assert_eq!(read(&spool, 1), (1..=25).collect::<Vec<_>>());
    assert_eq!((folder.tail_files().len(), spool.lost().total()), (0, 0));
}

#[test]
fn acknowledgements_and_samples_that_come_while_it_packs_count() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    let packing = spool.packing().unwrap();
    spool.acked(SessionId(1), &[(1, 15)]);
    fill(&mut spool, 21..=22);
    let packed = packing.run();
    spool.acked(SessionId(1), &[(16, 17)]);
    assert!(spool.packed(packed));
    assert_eq!(kept(&spool), [(1, vec![(18, 22)])]);
    assert_eq!(read(&spool, 1), (18..=22).collect::<Vec<_>>());
    spool.acked(SessionId(1), &[(18, 20)]);
    assert_eq!((folder.tail_files().len(), folder.blocks().len()), (1, 0));
    assert_eq!(spool.lost().total(), 0);
}

#[test]
fn a_block_that_could_not_be_made_safe_is_not_left_behind() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    let mut packing = spool.packing().unwrap();
    // It can be there, and cannot be written the safe way: that takes a longer name.
    packing.block.path = folder.place.disk.join("x".repeat(250));
    fs::write(&packing.block.path, "as after an error behind the rename").unwrap();
    let path = packing.block.path.clone();
    assert!(!spool.packed(packing.run()));
    assert!(!path.exists());
    assert!(pack_now(&mut spool));
    assert_eq!(folder.blocks().len(), 1);
    assert_eq!(read(&spool, 1), (1..=20).collect::<Vec<_>>());
}

#[test]
fn blocks_on_a_disk_that_is_out_of_sight_are_not_lost_and_deleted_ones_are() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    assert!(pack_now(&mut spool));
    fill(&mut spool, 21..=25);
    let all: Numbers = [1..=25].into_iter().collect();
    let look_for_all = |spool: &mut Spool| {
        let reading = spool.reading(SessionId(1), &all);
        spool.settle(&reading.read(usize::MAX, usize::MAX));
    };
    let disk = &folder.place.disk;
    let unmounted = disk.with_extension("unmounted");
    fs::rename(disk, &unmounted).unwrap();
    // What is mounted there is gone, what is below it is not.
    fs::create_dir(disk).unwrap();
    look_for_all(&mut spool);
    assert!(!pack_now(&mut spool), "it would not be seen any more");
    assert_eq!(spool.lost().total(), 0);
    fs::remove_dir(disk).unwrap();
    look_for_all(&mut spool);
    assert_eq!(kept(&spool), [(1, vec![(1, 25)])]);
    fs::rename(&unmounted, disk).unwrap();
    assert_eq!(read(&spool, 1), (1..=25).collect::<Vec<_>>());
    assert!(pack_now(&mut spool));

    fs::remove_dir_all(disk).unwrap();
    look_for_all(&mut spool);
    assert_eq!(
        (spool.lost().total(), kept(&spool)),
        (25, vec![(1, vec![])])
    );
    fill(&mut spool, 26..=30);
    assert!(pack_now(&mut spool));
    assert_eq!(read(&spool, 1), (26..=30).collect::<Vec<_>>());
}

/// Limits under which a handful of small blocks becomes a large one.
const MERGING: Limits = Limits {
    tail_bytes: 4 << 20,
    file_bytes: 64 << 10,
    disk_bytes: 16 << 20,
    block_bytes: 30_000,
};

/// Fills the spool and packs until small blocks are to be packed into one: what is then to be
/// done, and the number of the last sample.
fn about_to_merge(spool: &mut Spool) -> (Packing, u64) {
    for last in (20..).step_by(20) {
        fill(spool, last - 19..=last);
        let packing = spool.packing().unwrap();
        if packing.from.len() > 1 {
            let blocks = packing
                .from
                .iter()
                .filter(|it| it.piece.kind == Kind::Block);
            assert!(blocks.count() > 1);
            return (packing, last);
        }
        assert!(spool.packed(packing.run()));
    }
    unreachable!()
}

#[test]
fn an_acknowledgement_of_a_small_block_while_it_is_merged_leaves_the_large_one() {
    let folder = folder();
    let mut spool = folder.open_with(1, MERGING);
    let (packing, last) = about_to_merge(&mut spool);
    let packed = packing.run();
    spool.acked(SessionId(1), &[(1, 20)]);
    assert!(spool.packed(packed));
    assert_eq!(kept(&spool), [(1, vec![(21, last)])]);
    assert_eq!(read(&spool, 1), (21..=last).collect::<Vec<_>>());
    assert_eq!(spool.lost().total(), 0);
    assert_eq!(folder.blocks().len(), 1);
}

#[test]
fn who_reads_while_small_blocks_are_merged_finds_all_or_comes_again() {
    let folder = folder();
    let mut spool = folder.open_with(1, MERGING);
    let (packing, last) = about_to_merge(&mut spool);
    let all: Numbers = [1..=last].into_iter().collect();
    let before = spool.reading(SessionId(1), &all);
    let late = spool.reading(SessionId(1), &all);
    let packed = packing.run();
    let found = before.read(usize::MAX, usize::MAX);
    assert_eq!(found.samples.len() as u64, last);
    spool.settle(&found);
    assert!(spool.packed(packed));
    spool.settle(&late.read(usize::MAX, usize::MAX));
    assert_eq!(spool.lost().total(), 0);
    assert_eq!(read(&spool, 1), (1..=last).collect::<Vec<_>>());
}

#[test]
fn samples_that_come_while_everything_is_acknowledged_and_packed_are_kept() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    assert!(pack_now(&mut spool));
    fill(&mut spool, 21..=40);
    let packing = spool.packing().unwrap();
    spool.acked(SessionId(1), &[(1, 40)]);
    fill(&mut spool, 41..=41);
    assert!(spool.packed(packing.run()));
    fill(&mut spool, 42..=42);
    assert_eq!(read(&spool, 1), [41, 42]);
    assert_eq!((folder.tail_files().len(), folder.blocks().len()), (1, 0));
}

#[test]
fn what_was_tidied_away_before_it_was_packed_is_counted() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    fs::remove_dir_all(&folder.place.tail).unwrap();
    assert!(pack_now(&mut spool));
    fill(&mut spool, 21..=22);
    assert_eq!(kept(&spool), [(1, vec![(21, 22)])]);
    assert_eq!(spool.lost().total(), 20);
    assert!(pack_now(&mut spool));
    assert_eq!(read(&spool, 1), [21, 22]);
    assert_eq!(spool.lost().total(), 20);
}

#[test]
fn a_damaged_block_loses_what_is_behind_the_damage_and_says_how_much() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=200);
    assert!(pack_now(&mut spool));
    fill(&mut spool, 201..=203);
    drop(spool);
    let path = folder.blocks().remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let near_the_end = bytes.len() * 9 / 10;
    bytes[near_the_end] ^= 0xff;
    fs::write(&path, &bytes).unwrap();
    let mut spool = folder.open(2);
    let wanted = [1..=203].into_iter().collect();
    let found = spool
        .reading(SessionId(1), &wanted)
        .read(usize::MAX, usize::MAX);
    spool.settle(&found);
    let numbers: Vec<u64> = found.samples.iter().map(|(seq, _)| *seq).collect();
    assert!((100..203).contains(&numbers.len()), "{}", numbers.len());
    assert!(numbers.ends_with(&[201, 202, 203]));
    assert_eq!(read(&spool, 1), numbers);
    assert_eq!(spool.lost().total(), 203 - numbers.len() as u64);
}

#[test]
fn a_block_whose_index_is_damaged_is_counted_as_one_and_the_others_are_read() {
    let folder = folder();
    let mut spool = folder.open(1);
    fill(&mut spool, 1..=20);
    assert!(pack_now(&mut spool));
    fill(&mut spool, 21..=23);
    drop(spool);
    let path = folder.blocks().remove(0);
    fs::write(&path, b"not a block at all").unwrap();
    let spool = folder.open(2);
    assert_eq!(read(&spool, 1), [21, 22, 23]);
    assert_eq!(spool.lost().blocks(), 1);
    assert_eq!(folder.blocks().len(), 0);
    assert_eq!(look(&folder.place, "ws-14@hub").lost.blocks(), 1);
    drop(spool);
    fs::remove_dir_all(&folder.place.tail).unwrap();
    assert_eq!(folder.open(3).lost().blocks(), 1, "after a boot as well");
}
