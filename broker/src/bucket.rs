//! Something of which there may be so much at once and so much in a while: tokens that are taken
//! one by one and come back with time. Pure: time is an argument.

use std::time::Instant;

/// How many tokens there are, and how soon they come back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    at_once: f64,
    per_minute: f64,
}

impl Rate {
    /// At least one of each.
    pub(crate) fn new(at_once: u32, per_minute: u32) -> Self {
        Self {
            at_once: f64::from(at_once.max(1)),
            per_minute: f64::from(per_minute.max(1)),
        }
    }
}

/// The tokens of one user.
#[derive(Debug)]
pub(crate) struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    pub(crate) fn full(now: Instant, rate: Rate) -> Self {
        Self {
            left: rate.at_once,
            at: now,
        }
    }

    /// Whether there is a token.
    pub(crate) fn has_one(&mut self, now: Instant, rate: Rate) -> bool {
        self.refill(now, rate);
        self.left >= 1.0
    }

    /// Whether nothing is missing: it can be forgotten.
    pub(crate) fn is_full(&mut self, now: Instant, rate: Rate) -> bool {
        self.refill(now, rate);
        self.left >= rate.at_once
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Instant, rate: Rate) -> bool {
        let has_one = self.has_one(now, rate);
        self.left = (self.left - 1.0).max(0.0);
        has_one
    }

    fn refill(&mut self, now: Instant, rate: Rate) {
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = (self.left + passed * rate.per_minute / 60.0).min(rate.at_once);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn so_many_at_once_and_so_many_in_a_minute() {
        let (start, rate) = (Instant::now(), Rate::new(3, 60));
        let mut bucket = Bucket::full(start, rate);
        let mut taken = |millis, tries| {
            let now = start + Duration::from_millis(millis);
            (0..tries).filter(|_| bucket.take(now, rate)).count()
        };
        assert_eq!(taken(0, 5), 3);
        assert_eq!(taken(2_000, 5), 2);
        assert_eq!(taken(60_000, 5), 3);
        assert!(!bucket.is_full(start + Duration::from_secs(62), rate));
        assert!(bucket.is_full(start + Duration::from_secs(64), rate));
    }
}
