//! What other systems than Linux tell about the machine, through sysinfo.

use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

use super::Fixed;
use crate::root::Root;

/// The kernel's id of the current boot: nobody tells.
pub(crate) fn boot_id(_root: &Root) -> Option<String> {
    None
}

pub(super) fn os(_root: &Root) -> Option<String> {
    System::long_os_version().ok()
}

pub(super) fn host_name(_root: &Root) -> Option<String> {
    System::host_name().ok()
}

pub(super) fn fixed(_root: &Root) -> Fixed {
    let refresh = RefreshKind::nothing()
        .with_cpu(CpuRefreshKind::nothing())
        .with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(refresh).ok();
    let cores = system.as_ref().map_or(&[][..], System::cpus);
    let brand = cores.first().map(|core| core.brand().trim().to_owned());
    Fixed {
        kernel: System::kernel_version().ok(),
        architecture: System::cpu_arch(),
        processor: brand.filter(|brand| !brand.is_empty()),
        cores: u32::try_from(cores.len()).unwrap_or(u32::MAX),
        memory_bytes: system.as_ref().map_or(0, System::total_memory),
    }
}
