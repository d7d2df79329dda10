//! Use of the processor: all cores together and each.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use netmonitor_protocol::payload::Metrics;
use sysinfo::{CpuRefreshKind, System};

use super::{Collector, rounded};
use crate::root::Root;

struct CpuUse {
    system: System,
}

pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let system = System::new().context("cannot look at the processor")?;
    Ok(Box::new(CpuUse { system }))
}

impl Collector for CpuUse {
    fn collect(&mut self, _now: Instant, sample: &mut Metrics) -> anyhow::Result<()> {
        self.system
            .refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
        let cores = self.system.cpus();
        ensure!(!cores.is_empty(), "the system shows no processor");
        sample.cpu.usage_percent = percent(self.system.global_cpu_usage());
        sample.cpu.per_core_percent = cores.iter().map(|core| percent(core.usage())).collect();
        Ok(())
    }
}

fn percent(value: f32) -> f64 {
    rounded(f64::from(value).clamp(0.0, 100.0))
}
