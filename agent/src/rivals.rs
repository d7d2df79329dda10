//! Two agents with one identity: each throws the other off the broker when it connects. One of
//! them has to give way, or the hub hears neither.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many signs of another agent...
const SIGNS: usize = 3;

/// ...within this time mean that there is one. A single takeover means nothing: a second agent
/// may have been started by mistake, and stopped again.
const WITHIN: Duration = Duration::from_mins(1);

/// How long to leave the place to the other before the next attempt.
const GIVE_WAY: Duration = Duration::from_mins(5);

/// After this long without a sign the matter is forgotten: at least one attempt has stood.
const FORGOTTEN: Duration = Duration::from_mins(10);

/// Signs that another agent uses this one's identity.
#[derive(Debug, Default)]
pub(crate) struct Rivals {
    signs: VecDeque<Instant>,
    contested: bool,
    has_given_way: bool,
}

/// To leave the place to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GiveWay {
    /// For how long.
    pub(crate) how_long: Duration,
    /// Whether it is the first time.
    pub(crate) is_news: bool,
}

impl Rivals {
    /// The place of this agent was taken, or someone was born in its name.
    pub(crate) fn sign(&mut self, now: Instant) {
        let age = |sign: &Instant| now.saturating_duration_since(*sign);
        if self.signs.back().is_none_or(|last| age(last) >= FORGOTTEN) {
            self.contested = false;
            self.has_given_way = false;
        }
        self.signs.retain(|sign| age(sign) < WITHIN);
        self.signs.push_back(now);
        self.contested |= self.signs.len() >= SIGNS;
    }

    /// The connection was lost. Whether to give way, if it was that; never while connected, or
    /// both might go. `random` is from 0 to 1: two that give way are not to come back in step.
    pub(crate) fn lost(&mut self, now: Instant, random: f64) -> Option<GiveWay> {
        let last = self.signs.back()?;
        let is_recent = now.saturating_duration_since(*last) < WITHIN;
        (self.contested && is_recent).then(|| GiveWay {
            how_long: GIVE_WAY.mul_f64(1.0 + random / 4.0),
            is_news: !std::mem::replace(&mut self.has_given_way, true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At which of the signs, given in seconds, each a loss of the connection as well, the agent
    /// gives way, and at which of these for the first time.
    fn check(seconds: &[u64], gives_way: &[u64], news: &[u64]) {
        let start = Instant::now();
        let mut rivals = Rivals::default();
        let mut told = Vec::new();
        let mut away = Vec::new();
        for &secs in seconds {
            let now = start + Duration::from_secs(secs);
            rivals.sign(now);
            if let Some(GiveWay { is_news, .. }) = rivals.lost(now, 0.0) {
                away.push(secs);
                told.extend(is_news.then_some(secs));
            }
        }
        assert_eq!(away, gives_way);
        assert_eq!(told, news);
    }

    #[test]
    fn the_third_sign_within_a_minute_is_one_too_many() {
        check(&[0, 1], &[], &[]);
        check(&[0, 1, 2, 3], &[2, 3], &[2]);
        check(&[0, 59, 61, 130], &[], &[]);
    }

    #[test]
    fn whoever_has_given_way_does_so_again_at_once_until_nothing_happens_for_long() {
        check(
            &[0, 1, 2, 302, 700, 1300, 1301, 1302],
            &[2, 302, 700, 1302],
            &[2, 1302],
        );
    }

    #[test]
    fn a_connection_that_is_lost_later_is_lost_for_another_reason() {
        let mut rivals = Rivals::default();
        let start = Instant::now();
        assert_eq!(rivals.lost(start, 0.0), None);
        for _ in 0..3 {
            rivals.sign(start);
        }
        let mut lost = |secs| rivals.lost(start + Duration::from_secs(secs), 1.0);
        assert_eq!(lost(59).unwrap().how_long, Duration::from_secs(375));
        assert_eq!(lost(61), None);
    }
}
