//! Graphics processors, as far as the kernel tells of them in files: those of AMD
//! (`Documentation/gpu/amdgpu/thermal.rst`, `Documentation/gpu/amdgpu/driver-misc.rst`).

use std::path::Path;
use std::time::Instant;

use netmonitor_protocol::payload::{Gpu, Memory};

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

struct Gpus {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Gpus { root: root.clone() }))
}

impl Collector for Gpus {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let cards = sysfs::entries(&self.root.path("sys/class/drm")).into_iter();
        let gpus = cards
            // Its connectors are named after it: card0-HDMI-A-1.
            .filter(|(name, _)| name.starts_with("card") && !name.contains('-'))
            .filter_map(|(name, path)| gpu(&name, &path.join("device")));
        Ok(Part::Gpus(gpus.collect()))
    }
}

/// None if it tells nothing.
fn gpu(card: &str, device: &Path) -> Option<Gpu> {
    // A second card that sleeps to save power would be woken.
    if sysfs::is_suspended(device) {
        return None;
    }
    let number = |file: &str| sysfs::value::<u64>(&device.join(file));
    let usage = number("gpu_busy_percent").map(|it| it.min(100) as f64);
    let memory = number("mem_info_vram_total").zip(number("mem_info_vram_used"));
    let memory = memory.map(|(total_bytes, used_bytes)| Memory {
        total_bytes,
        used_bytes,
        cached_bytes: None,
    });
    if usage.is_none() && memory.is_none() {
        return None;
    }
    let uevent = sysfs::text(&device.join("uevent")).unwrap_or_default();
    let driver = uevent.lines().find_map(|line| line.strip_prefix("DRIVER="));
    Some(Gpu {
        name: driver.map_or_else(|| card.to_owned(), |driver| format!("{card} {driver}")),
        usage_percent: usage,
        memory,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_tells_nothing_is_none() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("card0/device/uevent", "DRIVER=i915\nPCI_ID=8086:3E92\n"),
            ("card1/device/uevent", "DRIVER=amdgpu\nPCI_CLASS=30000\n"),
            ("card1/device/gpu_busy_percent", "7\n"),
            ("card1/device/mem_info_vram_total", "8573157376\n"),
            ("card1/device/mem_info_vram_used", "536870912\n"),
            ("card1-HDMI-A-1/device/gpu_busy_percent", "7\n"),
        ] {
            let path = folder.path().join("sys/class/drm").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut collector = open(&Root::new(folder.path())).unwrap();
        let expected = Gpu {
            name: "card1 amdgpu".to_owned(),
            usage_percent: Some(7.0),
            memory: Some(Memory {
                total_bytes: 8_573_157_376,
                used_bytes: 536_870_912,
                cached_bytes: None,
            }),
        };
        let part = collector.read(Instant::now()).unwrap();
        assert_eq!(part, Part::Gpus(vec![expected]));
    }
}
