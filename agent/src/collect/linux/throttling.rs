//! What slows the processor down: low voltage and heat.

use std::time::Instant;

use netmonitor_protocol::payload::Throttling;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

/// The firmware's own word on boards of Raspberry Pi: bits in hexadecimal digits.
const FIRMWARE: &str = "sys/devices/platform/soc/soc:firmware/get_throttled";

/// How often a processor of Intel was slowed down for its heat since boot
/// (`Documentation/ABI/testing/sysfs-devices-system-cpu`, `thermal_throttle`).
const COUNT: &str = "sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count";

/// The chip that watches the supply of a Raspberry Pi (`Documentation/hwmon/raspberrypi-hwmon.rst`).
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
        if let Some(found) = sysfs::text(&self.root.path(FIRMWARE)).and_then(|it| firmware(&it)) {
            return Ok(Part::Throttling(found));
        }
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

/// Bit 0: the voltage is too low now. Bits 1 to 3: the frequency is held down, or the processor
/// slowed, now. Higher ones tell of the time since boot.
fn firmware(text: &str) -> Option<Throttling> {
    let bits = u32::from_str_radix(text.trim_start_matches("0x"), 16).ok()?;
    Some(Throttling {
        undervoltage: Some(bits & 1 != 0),
        throttled: Some(bits & 0b1110 != 0),
    })
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
    fn the_firmware_tells_what_is_now_and_not_what_was() {
        let check = |text, undervoltage, throttled| {
            let expected = Throttling {
                undervoltage: Some(undervoltage),
                throttled: Some(throttled),
            };
            assert_eq!(firmware(text), Some(expected), "{text}");
        };
        check("0", false, false);
        check("50005", true, true);
        check("50000", false, false);
        check("80008", false, true);
        assert_eq!(firmware("x"), None);
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
