//! Frequency of the cores (`Documentation/admin-guide/pm/cpufreq.rst`).

use std::time::Instant;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

struct Frequency {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Frequency { root: root.clone() }))
}

impl Collector for Frequency {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let folder = self.root.path("sys/devices/system/cpu/cpufreq");
        let policies = sysfs::entries(&folder).into_iter().filter_map(|(_, path)| {
            let khz: u64 = sysfs::value(&path.join("scaling_cur_freq"))?;
            let cores = sysfs::text(&path.join("affected_cpus"))?;
            Some((khz, cores.split_ascii_whitespace().count() as u64))
        });
        Ok(mean_mhz(policies).map_or(Part::Nothing, Part::Frequency))
    }
}

/// The mean over all cores, of which each group has one frequency, in kHz.
fn mean_mhz(groups: impl Iterator<Item = (u64, u64)>) -> Option<u32> {
    let (mut sum, mut all) = (0_u64, 0_u64);
    for (khz, cores) in groups {
        sum = sum.saturating_add(khz.saturating_mul(cores));
        all += cores;
    }
    u32::try_from(sum.checked_div(all)? / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frequency_is_the_mean_of_all_cores() {
        assert_eq!(mean_mhz([(1_200_000, 4)].into_iter()), Some(1200));
        let big_and_little = [(1_800_000, 4), (3_000_000, 2)];
        assert_eq!(mean_mhz(big_and_little.into_iter()), Some(2200));
        assert_eq!(mean_mhz(std::iter::empty()), None);
    }
}
