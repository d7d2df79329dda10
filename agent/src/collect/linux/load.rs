//! Load averages from `/proc/loadavg`.

use std::time::Instant;

use anyhow::Context as _;
use netmonitor_protocol::payload::Load;

use super::super::{Collector, Part};
use crate::root::Root;

struct LoadAverages {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(LoadAverages { root: root.clone() }))
}

impl Collector for LoadAverages {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let text = self.root.text("proc/loadavg")?;
        let load = parse(&text).context("cannot understand /proc/loadavg")?;
        Ok(Part::Load(load))
    }
}

/// The first three numbers (`proc_loadavg(5)`).
fn parse(text: &str) -> Option<Load> {
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    Some(Load {
        one: next()?,
        five: next()?,
        fifteen: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_averages_are_the_first_three_numbers() {
        let load = Load {
            one: 0.52,
            five: 1.5,
            fifteen: 12.0,
        };
        assert_eq!(parse("0.52 1.50 12.00 2/345 6789\n"), Some(load));
        assert_eq!(parse("0.52 1.50"), None);
        assert_eq!(parse(""), None);
        assert_eq!(parse("a b c"), None);
    }
}
