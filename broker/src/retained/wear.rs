//! What a write costs the card, and how much of that may be spent. Pure: time is an argument.
//!
//! Measured on ext4 with `retained.db` in WAL mode, `synchronous=NORMAL`, down to the device: a
//! change of a few bytes costs 4.2 KB among others, and 22 KB when it comes alone, since pages that
//! are half full and the file system's own journal are written with it. (`FULL`: 10 KB and 24 KB.)

use std::time::Duration;

use tokio::time::Instant;

use crate::retained::changes::Change;

/// What costs are counted in.
const PAGE_BYTES: usize = 4 * 1024;
/// What a change costs at least: rows that were made together share pages.
const CHANGE_BYTES: usize = 1024;
/// What the file system adds to a write that comes alone, in pages; and how long after another a
/// write does (ext4 closes its own journal so often).
const ALONE: i64 = 4;
const ALONE_AFTER: Duration = Duration::from_secs(5);

/// Pages that may be written without a pause, beyond which there is one in every [`REFILL`]:
/// whoever changes its state all day long does not wear out the card. That is 12 MB, as much as a
/// thousand new devices bring with them, and 60 MB in a day, however large the messages.
const PAGES_IN_A_ROW: i64 = 3_000;
const REFILL: Duration = Duration::from_secs(6);

/// How many pages may be written at once: a bucket that fills up with time. Below nothing after a
/// batch that was large.
#[derive(Debug)]
pub(crate) struct Wear {
    pages: i64,
    /// Up to when it was filled.
    at: Instant,
    last: Option<Instant>,
}

impl Wear {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            pages: PAGES_IN_A_ROW,
            at: now,
            last: None,
        }
    }

    /// Pages that may be written now, if any.
    pub(crate) fn left(&mut self, now: Instant) -> i64 {
        while self.at + REFILL <= now && self.pages < PAGES_IN_A_ROW {
            self.at += REFILL;
            self.pages += 1;
        }
        if self.pages == PAGES_IN_A_ROW {
            self.at = now;
        }
        self.pages
    }

    /// How long nothing may be written.
    pub(crate) fn pause(&mut self, now: Instant) -> Duration {
        let Ok(missing) = u32::try_from(1 - self.left(now)) else {
            return Duration::ZERO;
        };
        (self.at + REFILL * missing).saturating_duration_since(now)
    }

    /// So many were written.
    pub(crate) fn spend(&mut self, now: Instant, pages: i64) {
        if pages == 0 {
            return;
        }
        let is_alone = self.last.is_none_or(|last| now - last >= ALONE_AFTER);
        self.last = Some(now);
        self.pages -= pages + if is_alone { ALONE } else { 0 };
    }
}

/// What it takes to write these in one transaction, roughly.
pub(crate) fn pages(batch: &[Change]) -> i64 {
    let bytes: usize = batch
        .iter()
        .map(|change| change.size().max(CHANGE_BYTES))
        .sum();
    i64::try_from(1 + bytes / PAGE_BYTES).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    const DAY: Duration = Duration::from_hours(24);

    /// What is written in a day, by our own counting, by somebody whose batches are that large.
    fn written_in_a_day(pages: i64) -> i64 {
        let start = Instant::now();
        let mut wear = Wear::new(start);
        let (mut now, mut all) = (start, 0);
        loop {
            now += wear.pause(now).max(Duration::from_millis(50));
            if now > start + DAY {
                return all;
            }
            let before = wear.left(now);
            assert!(before > 0, "{before} pages after the pause");
            wear.spend(now, pages);
            all += before - wear.left(now);
        }
    }

    #[test]
    fn what_changes_all_day_writes_so_much_and_no_more_however_large_it_is() {
        let most = PAGES_IN_A_ROW + i64::try_from(DAY.as_secs() / REFILL.as_secs()).unwrap();
        for pages in [1, 65, 257] {
            let all = written_in_a_day(pages);
            let exact = most - 10..=most + pages + ALONE;
            assert!(exact.contains(&all), "{pages}: {all} of {most}");
        }
    }

    #[test]
    fn after_a_quiet_time_there_is_a_whole_budget_again_and_no_more() {
        let start = Instant::now();
        let mut wear = Wear::new(start);
        wear.spend(start, 2 * PAGES_IN_A_ROW);
        assert!(wear.left(start) < 0);
        assert_eq!(wear.left(start + DAY), PAGES_IN_A_ROW);
        assert_eq!(wear.pause(start + DAY), Duration::ZERO);
    }

    #[test]
    fn a_write_that_comes_alone_costs_more_than_one_among_others() {
        let start = Instant::now();
        let mut wear = Wear::new(start);
        let mut cost = |after: u64| {
            let now = start + Duration::from_millis(after);
            let before = wear.left(now);
            wear.spend(now, 1);
            before - wear.left(now)
        };
        assert_eq!([0, 50, 100, 4_000].map(&mut cost), [5, 1, 1, 1]);
        assert_eq!([9_000, 9_050].map(&mut cost), [5, 1]);
        wear.spend(start, 0);
        assert_eq!(wear.last, Some(start + Duration::from_millis(9_050)));
    }

    #[test]
    fn large_messages_and_many_small_ones_cost_more_than_one() {
        let change = |bytes: usize| Change {
            topic: "t".into(),
            message: Some((Bytes::from(vec![0; bytes]), "u".into())),
        };
        assert_eq!(pages(&[change(10)]), 1);
        assert_eq!(pages(&[change(256 * 1024)]), 65);
        assert_eq!(pages(&std::array::from_fn::<_, 120, _>(|_| change(10))), 31);
    }
}
