//! The drive itself: what a program that syncs can rely on, and one that does not cannot.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::{Cut, Disk, Drive};

/// Lets `work` write on an empty drive, cuts its power, and lets `look` see what is left.
fn after(how: Cut, work: impl FnOnce(&Path), look: impl FnOnce(&Path)) {
    let folder = tempfile::tempdir().unwrap();
    let drive = Drive::mount(Disk::new(), folder.path());
    work(folder.path());
    let left = drive.take_out(how);
    let drive = Drive::mount(left, folder.path());
    look(folder.path());
    drive.take_out(Cut::Synced);
}

fn sync(directory: &Path) {
    File::open(directory).unwrap().sync_all().unwrap();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect()
}

#[test]
fn what_was_not_synced_is_forgotten() {
    after(
        Cut::Synced,
        |at| fs::write(at.join("a"), "text").unwrap(),
        |at| assert_eq!(names(at), [""; 0]),
    );
    // A name without data, and data without a name.
    after(
        Cut::Synced,
        |at| {
            fs::write(at.join("name"), "text").unwrap();
            sync(at);
            let mut file = File::create(at.join("data")).unwrap();
            file.write_all(b"text").unwrap();
            file.sync_all().unwrap();
        },
        |at| {
            assert_eq!(names(at), ["name"]);
            assert_eq!(fs::read(at.join("name")).unwrap(), b"");
        },
    );
}

#[test]
fn what_was_synced_is_there_and_what_came_after_is_not() {
    after(
        Cut::Synced,
        |at| {
            fs::create_dir(at.join("d")).unwrap();
            let path = at.join("d/a");
            let mut file = File::create(&path).unwrap();
            file.write_all(b"first").unwrap();
            file.sync_data().unwrap();
            sync(at);
            file.seek(SeekFrom::Start(0)).unwrap();
            file.write_all(b"second").unwrap();
            file.set_len(100).unwrap();
            let mut now = String::new();
            File::open(&path).unwrap().read_to_string(&mut now).unwrap();
            assert_eq!(now.trim_end_matches('\0'), "second");
        },
        |at| assert_eq!(fs::read(at.join("d/a")).unwrap(), b"first"),
    );
}

#[test]
fn a_name_is_the_old_one_until_its_directory_is_synced() {
    let exchange = |at: &Path| {
        for (name, text) in [("old", "old"), ("new", "new")] {
            let mut file = File::create(at.join(name)).unwrap();
            file.write_all(text.as_bytes()).unwrap();
            file.sync_all().unwrap();
        }
        sync(at);
        fs::rename(at.join("new"), at.join("old")).unwrap();
        fs::write(at.join("more"), "").unwrap();
        fs::remove_file(at.join("more")).unwrap();
    };
    after(Cut::Synced, exchange, |at| {
        assert_eq!(names(at), ["new", "old"]);
        assert_eq!(fs::read(at.join("old")).unwrap(), b"old");
    });
    let exchange_for_good = |at: &Path| {
        exchange(at);
        sync(at);
    };
    after(Cut::Synced, exchange_for_good, |at| {
        assert_eq!(names(at), ["old"]);
        assert_eq!(fs::read(at.join("old")).unwrap(), b"new");
    });
}

#[test]
fn a_torn_write_leaves_any_of_its_sectors_and_what_was_synced_stays() {
    let mut outcomes = BTreeSet::new();
    for seed in 0..20 {
        after(
            Cut::Torn { seed },
            |at| {
                let file = File::create(at.join("a")).unwrap();
                file.write_all_at(&vec![1; 64 << 10], 0).unwrap();
                file.sync_all().unwrap();
                sync(at);
                file.write_all_at(&vec![2; 32 << 10], 16 << 10).unwrap();
            },
            |at| {
                let left = fs::read(at.join("a")).unwrap();
                assert_eq!(left.len(), 64 << 10);
                let whole = |sector: &[u8]| sector.iter().all(|byte| *byte == sector[0]);
                assert!(left.chunks(512).all(whole), "seed {seed}: half a sector");
                assert!(left[..16 << 10].iter().all(|byte| *byte == 1));
                assert!(left[48 << 10..].iter().all(|byte| *byte == 1));
                outcomes.insert(left);
            },
        );
    }
    assert!(outcomes.len() > 10, "{} of 20 differ", outcomes.len());
}

#[test]
fn the_power_fails_with_the_change_that_was_named_and_nothing_works_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let drive = Drive::mount(Disk::new(), folder.path());
    let file = File::create(folder.path().join("a")).unwrap();
    drive.settle();
    drive.cut_at(4);
    file.write_all_at(b"one", 0).unwrap();
    file.sync_all().unwrap();
    file.write_all_at(b"two", 0).unwrap();
    assert!(drive.is_on());
    // A sync that was not answered has done nothing.
    file.sync_all().unwrap_err();
    assert!(!drive.is_on());
    file.write_all_at(b"three", 0).unwrap_err();
    fs::write(folder.path().join("b"), "").unwrap_err();
    drop(file);
    let left = drive.take_out(Cut::Synced);
    let drive = Drive::mount(left, folder.path());
    assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"one");
    drive.take_out(Cut::Synced);
}
