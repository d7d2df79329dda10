//! What slows the processor down: low voltage and heat.

use std::time::Instant;

use netmonitor_protocol::payload::Throttling;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

/// How often a processor of Intel was slowed down for its heat since boot
/// (`Documentation/ABI/testing/sysfs-devices-system-cpu`, `thermal_throttle`).
const COUNT: &str = "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count";

/// The chip that watches the supply of a Raspberry Pi (`Documentation/hwmon/raspberrypi-hwmon.rst`).
/// The firmware's own file (`get_throttled`) tells more, and writes a warning into the kernel's log
/// when it is read.
const SUPPLY: &str = "rpi_volt";

struct Throttle {
    root: Root,
    count: Option<u64>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Throttle {
        root: root.clone(),
        count: None,
    }))
}

impl Collector for Throttle {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let count = sysfs::value(&self.root.path(COUNT));
        let before = std::mem::replace(&mut self.count, count);
        let found = Throttling {
            undervoltage: alarm(&self.root),
            throttled: before.zip(count).map(|(before, now)| now > before),
        };
        Ok(if found == Throttling::default() {
            Part::Nothing
        } else {
            Part::Throttling(found)
        })
    }
}

fn alarm(root: &Root) -> Option<bool> {
    let chips = sysfs::entries(&root.path("sys/class/hwmon"));
    let (_, chip) = chips
        .into_iter()
        .find(|(_, path)| sysfs::text(&path.join("name")).as_deref() == Some(SUPPLY))?;
    let alarm: u8 = sysfs::value(&chip.join("in0_lcrit_alarm"))?;
    Some(alarm != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_supply_that_is_too_weak_is_told_by_the_chip_that_watches_it() {
        let folder = tempfile::tempdir().unwrap();
        let chip = folder.path().join("sys/class/hwmon/hwmon1");
        std::fs::create_dir_all(&chip).unwrap();
        std::fs::write(chip.join("name"), "rpi_volt\n").unwrap();
        let root = Root::new(folder.path());
        for (alarm, expected) in [("1\n", Some(true)), ("0\n", Some(false))] {
            std::fs::write(chip.join("in0_lcrit_alarm"), alarm).unwrap();
            assert_eq!(self::alarm(&root), expected);
        }
    }

    #[test]
    fn a_processor_that_was_slowed_down_since_the_last_look_is_throttled() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let mut collector = open(&root).unwrap();
        let mut read = || collector.read(Instant::now()).unwrap();
        assert_eq!(read(), Part::Nothing);
        let file = root.path(COUNT);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, "3\n").unwrap();
        assert_eq!(read(), Part::Nothing, "it may have been long ago");
        std::fs::write(&file, "4\n").unwrap();
        let throttled = |is| {
            Part::Throttling(Throttling {
                undervoltage: None,
                throttled: Some(is),
            })
        };
        assert_eq!(read(), throttled(true));
        assert_eq!(read(), throttled(false));
    }
}
