//! Time since boot where there is no `/proc`.

use std::time::Instant;

use anyhow::Context as _;
use sysinfo::System;

use super::super::{Collector, Part};
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
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let secs = System::uptime().context("cannot read the uptime")?;
        Ok(Part::Uptime(secs))
    }
}
