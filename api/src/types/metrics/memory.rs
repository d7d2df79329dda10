//! Memory.

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

use crate::types::round::tenth;

/// Memory or swap.
#[derive(Debug, Clone, Copy, PartialEq, Object)]
pub struct Memory {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Used, in bytes: caches that can be dropped do not count.
    pub used_bytes: u64,
    /// Used share, 0 to 100.
    #[oai(skip_serializing_if_is_none)]
    pub used_percent: Option<f64>,
    /// Caches that can be dropped, in bytes.
    #[oai(skip_serializing_if_is_none)]
    pub cached_bytes: Option<u64>,
}

impl From<wire::Memory> for Memory {
    fn from(memory: wire::Memory) -> Self {
        Self {
            total_bytes: memory.total_bytes,
            used_bytes: memory.used_bytes,
            used_percent: memory.used_percent().map(tenth),
            cached_bytes: memory.cached_bytes,
        }
    }
}

/// Compressed memory that serves as swap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct Zram {
    /// What was put into it, in bytes.
    pub stored_bytes: u64,
    /// What that takes of the memory, in bytes.
    pub used_bytes: u64,
}

impl From<wire::Zram> for Zram {
    fn from(zram: wire::Zram) -> Self {
        Self {
            stored_bytes: zram.stored_bytes,
            used_bytes: zram.used_bytes,
        }
    }
}
