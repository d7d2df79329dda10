//! Memory and swap.

use std::time::Instant;

use anyhow::Context as _;
use netmonitor_protocol::payload::Memory;
use sysinfo::{MemoryRefreshKind, System};

use super::super::{Collector, Part};
use crate::root::Root;

struct MemoryUse {
    system: System,
}

pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let system = System::new().context("cannot look at the memory")?;
    Ok(Box::new(MemoryUse { system }))
}

impl Collector for MemoryUse {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        self.system
            .refresh_memory_specifics(MemoryRefreshKind::everything());
        let memory = used(self.system.total_memory(), self.system.available_memory());
        let memory = memory.context("the system shows no memory")?;
        let swap = used(self.system.total_swap(), self.system.free_swap());
        Ok(Part::Memory(memory, swap))
    }
}

/// What is not available counts as used. None where the size is 0: a machine without swap.
fn used(total_bytes: u64, available_bytes: u64) -> Option<Memory> {
    (total_bytes > 0).then(|| Memory {
        total_bytes,
        used_bytes: total_bytes.saturating_sub(available_bytes),
        cached_bytes: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_is_what_is_not_available_and_never_below_zero() {
        let check = |total, available, used_bytes| {
            let expected = Memory {
                total_bytes: total,
                used_bytes,
                cached_bytes: None,
            };
            assert_eq!(used(total, available), Some(expected));
        };
        check(1000, 300, 700);
        check(1000, 1000, 0);
        check(1000, 1200, 0);
        assert_eq!(used(0, 0), None);
    }
}
