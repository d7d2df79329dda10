//! Use of the processor: all cores together and each.

use std::time::Instant;

use anyhow::{Context as _, ensure};
use sysinfo::{CpuRefreshKind, System};

use super::super::{Collector, Part, rounded};
use crate::root::Root;

struct CpuUse {
    system: System,
}

pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let system = System::new().context("cannot look at the processor")?;
    Ok(Box::new(CpuUse { system }))
}

impl Collector for CpuUse {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        self.system
            .refresh_cpu_specifics(CpuRefreshKind::nothing().with_usage());
        let cores = self.system.cpus();
        ensure!(!cores.is_empty(), "the system shows no processor");
        Ok(Part::Cpu {
            usage_percent: percent(self.system.global_cpu_usage()),
            per_core_percent: cores.iter().map(|core| percent(core.usage())).collect(),
            modes: None,
        })
    }
}

fn percent(value: f32) -> f64 {
    rounded(f64::from(value).clamp(0.0, 100.0))
}
