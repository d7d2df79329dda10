//! How full the disk is that has the hub's data.

use std::path::Path;

/// In percent, as `df(1)` has it: of what an ordinary user can use. None where the system does not
/// tell.
#[cfg(unix)]
pub(crate) fn used_percent(path: &Path) -> Option<f64> {
    let disk = nix::sys::statvfs::statvfs(path).ok()?;
    // The types differ between systems.
    #[expect(clippy::useless_conversion, reason = "they are u32 on some systems")]
    let (blocks, free, available) = (
        u64::from(disk.blocks()),
        u64::from(disk.blocks_free()),
        u64::from(disk.blocks_available()),
    );
    let used = blocks.saturating_sub(free);
    let usable = used.saturating_add(available);
    (usable > 0).then(|| used as f64 / usable as f64 * 100.0)
}

/// Elsewhere the agent of the hub's own machine tells.
#[cfg(not(unix))]
pub(crate) fn used_percent(_path: &Path) -> Option<f64> {
    None
}
