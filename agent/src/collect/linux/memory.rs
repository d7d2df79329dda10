//! Memory and swap from `/proc/meminfo`.

use std::time::Instant;

use anyhow::Context as _;
use netmonitor_protocol::payload::Memory;

use super::super::{Collector, Part};
use crate::root::Root;

/// Where it stands.
const FILE: &str = "proc/meminfo";

struct MemoryUse {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(MemoryUse { root: root.clone() }))
}

impl Collector for MemoryUse {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let text = self.root.text(FILE)?;
        let (memory, swap) = parse(&text).context("cannot understand /proc/meminfo")?;
        Ok(Part::Memory(memory, swap))
    }
}

/// The size of the memory, in bytes, for the inventory.
pub(crate) fn total_bytes(root: &Root) -> Option<u64> {
    Some(parse(&root.read(FILE).ok()?)?.0.total_bytes)
}

/// Memory and swap (`proc_meminfo(5)`). No swap where its size is 0.
fn parse(text: &str) -> Option<(Memory, Option<Memory>)> {
    let mut found = Meminfo::default();
    for line in text.lines() {
        found.take(line);
    }
    let total = found.total.filter(|total| *total > 0)?;
    let parts = [found.buffers, found.cached, found.reclaimable];
    // Memory that programs share lies in the cache, and cannot be taken back.
    let shared = found.shared.unwrap_or_default();
    let cached = parts.iter().flatten().sum::<u64>().saturating_sub(shared);
    // Kernels before 3.14 do not estimate it.
    let estimate = || found.free.map(|free| free.saturating_add(cached));
    let available = found.available.or_else(estimate)?;
    let swap = found.swap_total.filter(|total| *total > 0);
    let memory = Memory {
        total_bytes: total,
        used_bytes: total.saturating_sub(available),
        cached_bytes: Some(cached),
    };
    let swap = swap.map(|total| Memory {
        total_bytes: total,
        used_bytes: total.saturating_sub(found.swap_free.unwrap_or_default()),
        cached_bytes: None,
    });
    Some((memory, swap))
}

/// What is needed of the file, in bytes.
#[derive(Debug, Default)]
struct Meminfo {
    total: Option<u64>,
    free: Option<u64>,
    available: Option<u64>,
    buffers: Option<u64>,
    cached: Option<u64>,
    shared: Option<u64>,
    reclaimable: Option<u64>,
    swap_total: Option<u64>,
    swap_free: Option<u64>,
}

impl Meminfo {
    fn take(&mut self, line: &str) {
        let Some((key, rest)) = line.split_once(':') else {
            return;
        };
        let place = match key {
            "MemTotal" => &mut self.total,
            "MemFree" => &mut self.free,
            "MemAvailable" => &mut self.available,
            "Buffers" => &mut self.buffers,
            "Cached" => &mut self.cached,
            "Shmem" => &mut self.shared,
            "SReclaimable" => &mut self.reclaimable,
            "SwapTotal" => &mut self.swap_total,
            "SwapFree" => &mut self.swap_free,
            _ => return,
        };
        let kib = rest.trim().trim_end_matches(" kB").parse::<u64>().ok();
        *place = kib.map(|kib| kib.saturating_mul(1024));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "MemTotal:        1000 kB\nMemFree:          100 kB\n\
                        MemAvailable:     600 kB\nBuffers:           50 kB\n\
                        Cached:           450 kB\nSwapCached:         7 kB\n\
                        SwapTotal:        200 kB\nSwapFree:         150 kB\n\
                        Shmem:             30 kB\nSReclaimable:      20 kB\n\
                        HugePages_Total:     0\n";

    #[test]
    fn used_is_what_is_not_available_and_caches_are_told_beside_it() {
        let (memory, swap) = parse(TEXT).unwrap();
        let expected = Memory {
            total_bytes: 1000 << 10,
            used_bytes: 400 << 10,
            cached_bytes: Some(490 << 10),
        };
        assert_eq!(memory, expected);
        let expected = Memory {
            total_bytes: 200 << 10,
            used_bytes: 50 << 10,
            cached_bytes: None,
        };
        assert_eq!(swap, Some(expected));
    }

    #[test]
    fn an_old_kernel_and_a_machine_without_swap_are_understood() {
        let text = "MemTotal: 1000 kB\nMemFree: 100 kB\nCached: 450 kB\nSwapTotal: 0 kB\n";
        let (memory, swap) = parse(text).unwrap();
        assert_eq!((memory.used_bytes, swap), (450 << 10, None));
        for text in ["", "MemTotal: 0 kB\n", "MemTotal: x kB\nMemFree: 1 kB\n"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
