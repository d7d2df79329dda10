//! What Linux tells, read below `/proc` and `/sys` directly: no more is read than is told.

mod arrays;
mod battery;
mod containers;
mod cpu;
mod disks;
mod drives;
mod frequency;
mod gpu;
mod hwmon;
mod interface;
mod links;
mod load;
mod memory;
mod mounts;
mod network;
mod pressure;
mod process_counts;
pub(crate) mod processes;
mod sensors;
mod sysfs;
mod throttling;
mod upkeep;
mod uptime;
mod users;
mod zram;

use super::{Every, Source, Wanted};

pub(crate) use interface::interfaces;
pub(crate) use memory::total_bytes as memory_bytes;

/// Every collector, in the order in which they run.
pub(super) static COLLECTORS: &[Source] = &[
    Source::new("uptime", Wanted::Always, Every::Sample, uptime::open),
    Source::new("cpu", Wanted::Always, Every::Sample, cpu::open),
    Source::new("load", Wanted::Usually, Every::Sample, load::open),
    Source::new("pressure", Wanted::Usually, Every::Sample, pressure::open),
    Source::new("memory", Wanted::Always, Every::Sample, memory::open),
    Source::new("drives", Wanted::Usually, Every::Sample, drives::open),
    Source::new("network", Wanted::Usually, Every::Sample, network::open),
    // After the network, whose interfaces it adds to.
    Source::new("links", Wanted::Usually, Every::SecsApart(10), links::open),
    Source::new("disks", Wanted::Usually, Every::SecsApart(10), disks::open),
    Source::new(
        "sensors",
        Wanted::Usually,
        Every::SecsApart(10),
        sensors::open,
    ),
    Source::new(
        "throttling",
        Wanted::Usually,
        Every::SecsApart(10),
        throttling::open,
    ),
    Source::new(
        "frequency",
        Wanted::Usually,
        Every::SecsApart(10),
        frequency::open,
    ),
    Source::new("gpu", Wanted::Usually, Every::SecsApart(10), gpu::open),
    Source::new("zram", Wanted::Usually, Every::Secs(30), zram::open),
    Source::new("arrays", Wanted::Usually, Every::Secs(30), arrays::open),
    Source::new(
        "battery",
        Wanted::Usually,
        Every::SecsApart(30),
        battery::open,
    ),
    Source::new(
        "processes",
        Wanted::Usually,
        Every::SecsApart(30),
        process_counts::open,
    ),
    Source::new(
        "upkeep",
        Wanted::Usually,
        Every::SecsApart(600),
        upkeep::open,
    ),
    Source::new(
        "users",
        Wanted::OnRequest,
        Every::SecsApart(10),
        users::open,
    ),
    Source::new(
        "containers",
        Wanted::OnRequest,
        Every::SecsApart(10),
        containers::open,
    ),
];
