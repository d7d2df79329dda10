//! What whole drives read and write, from `/proc/diskstats`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::Drive;

use super::super::{Collector, Part, percent, rounded};
use super::sysfs;
use crate::root::Root;

/// A sector in `/proc/diskstats`, whatever the drive's own are (`Documentation/block/stat.rst`).
const SECTOR: u64 = 512;

/// How often drives are looked for anew.
const LIST_EVERY: Duration = Duration::from_mins(1);

struct Drives {
    root: Root,
    listed: Option<Instant>,
    /// Drives with their wear, as far as they tell.
    known: BTreeMap<String, Option<u8>>,
    before: Option<(Instant, BTreeMap<String, Counters>)>,
}

/// Since boot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counters {
    reads: u64,
    read_bytes: u64,
    writes: u64,
    written_bytes: u64,
    busy_ms: u64,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Drives {
        root: root.clone(),
        listed: None,
        known: BTreeMap::new(),
        before: None,
    }))
}

impl Collector for Drives {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        let is_due = |listed: Instant| now.saturating_duration_since(listed) >= LIST_EVERY;
        if self.listed.is_none_or(is_due) {
            self.known = list(&self.root);
            self.listed = Some(now);
        }
        if self.known.is_empty() {
            return Ok(Part::Nothing);
        }
        let text = self.root.text("proc/diskstats")?;
        let counters: BTreeMap<String, Counters> = text
            .lines()
            .filter_map(parse)
            .filter(|(name, _)| self.known.contains_key(*name))
            .map(|(name, counters)| (name.to_owned(), counters))
            .collect();
        let before = self.before.as_ref();
        let before = before.map(|(then, it)| (now.saturating_duration_since(*then), it));
        let drives = counters.iter().map(|(name, counters)| {
            let before = before.and_then(|(elapsed, it)| Some((elapsed, it.get(name)?)));
            Drive {
                name: name.clone(),
                wear_percent: self.known.get(name).copied().flatten(),
                ..drive(counters, before)
            }
        });
        let part = Part::Drives(drives.collect());
        self.before = Some((now, counters));
        Ok(part)
    }
}

/// Drives that there is hardware (or a hypervisor's) behind: no loops, no memory, nothing that is
/// made of other drives; no disc drive, and no hidden part of an SD card.
fn list(root: &Root) -> BTreeMap<String, Option<u8>> {
    let is_drive = |name: &str| {
        let is_hidden =
            name.starts_with("mmcblk") && (name.contains("boot") || name.ends_with("rpmb"));
        !is_hidden && !name.starts_with("sr") && !name.starts_with("fd")
    };
    sysfs::entries(&root.path("sys/block"))
        .into_iter()
        .filter(|(name, path)| is_drive(name) && path.join("device").exists())
        .map(|(name, path)| {
            // A slash in a name would be another folder.
            let name = name.replace('!', "/");
            let wear = sysfs::text(&path.join("device/life_time"));
            (name, wear.and_then(|text| wear_percent(&text)))
        })
        .collect()
}

/// The worse one of the two parts of an eMMC, each in steps of ten percent (`0x02 0x01`); 0 is
/// unknown, 0x0b more than it was made for.
fn wear_percent(text: &str) -> Option<u8> {
    let steps = text.split_ascii_whitespace().filter_map(|step| {
        let step = u8::from_str_radix(step.trim_start_matches("0x"), 16).ok()?;
        (1..=11).contains(&step).then(|| (step * 10).min(100))
    });
    steps.max()
}

/// Name and counters (`Documentation/admin-guide/iostats.rst`).
fn parse(line: &str) -> Option<(&str, Counters)> {
    let mut fields = line.split_ascii_whitespace().skip(2);
    let name = fields.next()?;
    let numbers: Vec<u64> = fields.map_while(|field| field.parse().ok()).collect();
    let counters = Counters {
        reads: *numbers.first()?,
        read_bytes: numbers.get(2)?.saturating_mul(SECTOR),
        writes: *numbers.get(4)?,
        written_bytes: numbers.get(6)?.saturating_mul(SECTOR),
        busy_ms: *numbers.get(9)?,
    };
    Some((name, counters))
}

/// With rates, if there is a reading before and no counter went back since.
fn drive(now: &Counters, before: Option<(Duration, &Counters)>) -> Drive {
    let more = |value: fn(&Counters) -> u64| {
        let (elapsed, before) = before?;
        let more = value(now).checked_sub(value(before))? as f64;
        (!elapsed.is_zero()).then(|| more / elapsed.as_secs_f64())
    };
    let rate = |value| more(value).map(rounded);
    Drive {
        read_bytes: now.read_bytes,
        written_bytes: now.written_bytes,
        read_bytes_per_sec: rate(|it| it.read_bytes),
        written_bytes_per_sec: rate(|it| it.written_bytes),
        reads_per_sec: rate(|it| it.reads),
        writes_per_sec: rate(|it| it.writes),
        busy_percent: more(|it| it.busy_ms).and_then(|busy| percent(busy, 1000.0)),
        ..Drive::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_become_rates() {
        let line = " 259       0 nvme0n1 100 5 2000 40 50 7 4000 90 0 1300 130 0 0 0 0 9 9";
        let (name, before) = parse(line).unwrap();
        assert_eq!(name, "nvme0n1");
        let line = " 259       0 nvme0n1 130 5 2060 40 56 7 4300 90 0 2800 130 0 0 0 0 9 9";
        let (_, now) = parse(line).unwrap();
        let found = drive(&now, Some((Duration::from_secs(3), &before)));
        let expected = Drive {
            read_bytes: 2060 * 512,
            written_bytes: 4300 * 512,
            read_bytes_per_sec: Some(10_240.0),
            written_bytes_per_sec: Some(51_200.0),
            reads_per_sec: Some(10.0),
            writes_per_sec: Some(2.0),
            busy_percent: Some(50.0),
            ..Drive::default()
        };
        assert_eq!(found, expected);
        let reset = drive(&before, Some((Duration::from_secs(3), &now)));
        assert_eq!((reset.reads_per_sec, reset.busy_percent), (None, None));
        assert_eq!(drive(&now, None).reads_per_sec, None);
    }

    #[test]
    fn a_torn_line_is_none() {
        for line in [
            "",
            "8 0",
            "8 0 sda",
            "8 0 sda 1 2 3 4 5 6 7 8 9",
            "8 0 sda x",
        ] {
            assert_eq!(parse(line), None, "{line}");
        }
    }

    #[test]
    fn whole_drives_are_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let block = folder.path().join("sys/block");
        for name in [
            "sda",
            "nvme0n1",
            "cciss!c0d0",
            "sr0",
            "mmcblk0",
            "mmcblk0boot0",
        ] {
            std::fs::create_dir_all(block.join(name).join("device")).unwrap();
        }
        for name in ["loop0", "zram0", "dm-0", "md0"] {
            std::fs::create_dir_all(block.join(name)).unwrap();
        }
        std::fs::write(block.join("mmcblk0/device/life_time"), "0x02 0x01\n").unwrap();
        let known = list(&Root::new(folder.path()));
        let names: Vec<&str> = known.keys().map(String::as_str).collect();
        assert_eq!(names, ["cciss/c0d0", "mmcblk0", "nvme0n1", "sda"]);
        assert_eq!(known["mmcblk0"], Some(20));
    }

    #[test]
    fn wear_is_that_of_the_part_that_is_worse_off() {
        assert_eq!(wear_percent("0x01 0x01"), Some(10));
        assert_eq!(wear_percent("0x00 0x03"), Some(30));
        assert_eq!(wear_percent("0x0b 0x01"), Some(100));
        assert_eq!(wear_percent("0x00 0x00"), None);
        assert_eq!(wear_percent("0xff"), None);
    }
}
