//! Compressed memory that serves as swap.

use std::time::Instant;

use netmonitor_protocol::payload::Zram;

use super::super::{Collector, Part};
use super::sysfs;
use crate::root::Root;

struct Zrams {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Zrams { root: root.clone() }))
}

impl Collector for Zrams {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let devices = sysfs::entries(&self.root.path("sys/block"));
        let all = devices
            .into_iter()
            .filter(|(name, _)| name.starts_with("zram"))
            .filter_map(|(_, path)| parse(&sysfs::text(&path.join("mm_stat"))?))
            .reduce(|sum, it| Zram {
                stored_bytes: sum.stored_bytes.saturating_add(it.stored_bytes),
                used_bytes: sum.used_bytes.saturating_add(it.used_bytes),
            });
        Ok(all.map_or(Part::Nothing, Part::Zram))
    }
}

/// The first and the third number (`Documentation/admin-guide/blockdev/zram.rst`, `mm_stat`).
fn parse(text: &str) -> Option<Zram> {
    let mut numbers = text.split_ascii_whitespace().map(str::parse);
    Some(Zram {
        stored_bytes: numbers.next()?.ok()?,
        used_bytes: numbers.nth(1)?.ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_and_what_it_takes_are_the_first_and_the_third_number() {
        let expected = Zram {
            stored_bytes: 4096,
            used_bytes: 12288,
        };
        let text = "4096       74    12288        0    12288        0        0        0        0";
        assert_eq!(parse(text), Some(expected));
        assert_eq!(parse("4096 74"), None);
        assert_eq!(parse(""), None);
    }
}
