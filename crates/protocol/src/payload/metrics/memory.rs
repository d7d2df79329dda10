//! Memory.

use serde::{Deserialize, Serialize};

use super::percent;

/// Memory or swap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Size in bytes.
    pub total_bytes: u64,
    /// Not available for new work, in bytes: caches that can be dropped do not count.
    pub used_bytes: u64,
    /// Caches, in bytes: file contents and what the kernel can take back. Absent for swap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cached_bytes: Option<u64>,
}

impl Memory {
    /// Used share, 0 to 100; none where the size is 0.
    pub fn used_percent(&self) -> Option<f64> {
        percent(self.used_bytes, self.total_bytes)
    }

    /// What new work can have without swapping, in bytes.
    pub fn available_bytes(&self) -> u64 {
        self.total_bytes.saturating_sub(self.used_bytes)
    }
}

/// Compressed memory, all devices together (Linux, `Documentation/admin-guide/blockdev/zram.rst`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zram {
    /// What was put into it, in bytes.
    pub stored_bytes: u64,
    /// What that takes of the memory, in bytes.
    pub used_bytes: u64,
}
