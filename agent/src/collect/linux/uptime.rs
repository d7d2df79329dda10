//! Time since boot.

use std::time::Instant;

use anyhow::Context as _;

use super::super::{Collector, Part};
use crate::root::Root;

struct Uptime {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Uptime { root: root.clone() }))
}

impl Collector for Uptime {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let text = self.root.text("proc/uptime")?;
        let secs = parse(&text).context("cannot understand /proc/uptime")?;
        Ok(Part::Uptime(secs))
    }
}

/// Whole seconds of the first number (`proc_uptime(5)`).
fn parse(text: &str) -> Option<u64> {
    text.split(['.', ' ', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uptime_is_the_first_number_in_whole_seconds() {
        assert_eq!(parse("350735.47 234388.90\n"), Some(350_735));
        assert_eq!(parse("0.99 0.10\n"), Some(0));
        assert_eq!(parse("12\n"), Some(12));
        assert_eq!(parse(""), None);
        assert_eq!(parse("-1.0 2.0"), None);
    }
}
