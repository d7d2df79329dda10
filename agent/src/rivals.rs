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
}

/// What to do about a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Go on as if nothing had happened.
    Ignore,
    /// Stay away for this long.
    GiveWay {
        /// How long.
        how_long: Duration,
        /// Whether nobody was told yet.
        is_news: bool,
    },
}

impl Rivals {
    /// The place of this agent was taken, or someone was born in its name. `random` is from 0 to
    /// 1: two that give way are not to come back in step.
    pub(crate) fn sign(&mut self, now: Instant, random: f64) -> Verdict {
        let age = |sign: &Instant| now.saturating_duration_since(*sign);
        if self.signs.back().is_none_or(|last| age(last) >= FORGOTTEN) {
            self.contested = false;
        }
        self.signs.retain(|sign| age(sign) < WITHIN);
        self.signs.push_back(now);
        let was_contested = self.contested;
        self.contested |= self.signs.len() >= SIGNS;
        if !self.contested {
            return Verdict::Ignore;
        }
        Verdict::GiveWay {
            how_long: GIVE_WAY.mul_f64(1.0 + random / 4.0),
            is_news: !was_contested,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: Verdict = Verdict::GiveWay {
        how_long: GIVE_WAY,
        is_news: true,
    };
    const AGAIN: Verdict = Verdict::GiveWay {
        how_long: GIVE_WAY,
        is_news: false,
    };

    fn verdicts(seconds: &[u64]) -> Vec<Verdict> {
        let start = Instant::now();
        let mut rivals = Rivals::default();
        seconds
            .iter()
            .map(|&secs| rivals.sign(start + Duration::from_secs(secs), 0.0))
            .collect()
    }

    #[test]
    fn the_third_sign_within_a_minute_is_one_too_many() {
        let ignore = Verdict::Ignore;
        assert_eq!(verdicts(&[0, 1, 2]), [ignore, ignore, NEWS]);
        assert_eq!(verdicts(&[0, 59, 61, 130]), [ignore; 4]);
    }

    #[test]
    fn whoever_has_given_way_does_so_again_at_once_until_nothing_happens_for_long() {
        let ignore = Verdict::Ignore;
        assert_eq!(
            verdicts(&[0, 1, 2, 302, 700, 1300, 1301, 1302]),
            [ignore, ignore, NEWS, AGAIN, AGAIN, ignore, ignore, NEWS]
        );
    }

    #[test]
    fn two_that_give_way_do_not_come_back_in_step() {
        let mut rivals = Rivals::default();
        let now = Instant::now();
        for random in [0.0, 0.5] {
            assert_eq!(rivals.sign(now, random), Verdict::Ignore);
        }
        let Verdict::GiveWay { how_long, .. } = rivals.sign(now, 1.0) else {
            panic!("that was the third")
        };
        assert_eq!(how_long, Duration::from_secs(375));
    }
}
