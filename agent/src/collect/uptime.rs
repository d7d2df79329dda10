//! Time since boot where there is no `/proc`.

use std::time::Instant;

use anyhow::Context as _;
use netmonitor_protocol::payload::Metrics;
use sysinfo::System;

use super::Collector;
use crate::root::Root;

struct Uptime;

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Uptime))
}

impl Collector for Uptime {
    fn collect(&mut self, _now: Instant, sample: &mut Metrics) -> anyhow::Result<()> {
        sample.uptime_secs = System::uptime().context("cannot read the uptime")?;
        Ok(())
    }
}
