//! What other systems than Linux tell, through sysinfo.

mod cpu;
mod disks;
mod memory;
mod network;
mod temperatures;
mod uptime;

use super::{Every, Source, Wanted};

pub(crate) use network::interfaces;

/// Every collector, in the order in which they run.
pub(super) static COLLECTORS: &[Source] = &[
    Source::new("uptime", Wanted::Always, Every::Sample, uptime::open),
    Source::new("cpu", Wanted::Always, Every::Sample, cpu::open),
    Source::new("memory", Wanted::Always, Every::Sample, memory::open),
    Source::new("network", Wanted::Usually, Every::Sample, network::open),
    Source::new("disks", Wanted::Usually, Every::SecsApart(10), disks::open),
    Source::new(
        "sensors",
        Wanted::Usually,
        Every::SecsApart(10),
        temperatures::open,
    ),
];
