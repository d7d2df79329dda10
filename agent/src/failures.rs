//! Counts what goes wrong again and again, and says so now and then.

use std::time::{Duration, Instant};

/// Time between two lines about one failure that persists.
const REPEAT: Duration = Duration::from_mins(10);

/// The failures of one collector.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    total: u64,
    /// When the failure that persists was last logged; none while all is well.
    logged: Option<Instant>,
    /// Why it fails now.
    error: Option<String>,
}

/// What is to be said about a reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Remark {
    Nothing,
    Failed,
    Recovered,
}

impl Failures {
    /// Counts a result and logs it: the first failure, then one line in ten minutes, then the
    /// recovery.
    pub(crate) fn note<T>(
        &mut self,
        collector: &'static str,
        now: Instant,
        result: Result<T, &anyhow::Error>,
    ) {
        let error = result.err();
        let remark = self.count(now, error.is_some());
        self.error = error.map(|error| format!("{error:#}"));
        let failures = self.total;
        match (remark, &self.error) {
            (Remark::Failed, Some(error)) => {
                tracing::warn!(collector, failures, error, "cannot read");
            }
            (Remark::Recovered, _) => tracing::info!(collector, failures, "can read again"),
            _ => {}
        }
    }

    /// How often it has failed.
    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// Why it fails now; none if it does not.
    pub(crate) fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    fn count(&mut self, now: Instant, failed: bool) -> Remark {
        if !failed {
            return match self.logged.take() {
                Some(_) => Remark::Recovered,
                None => Remark::Nothing,
            };
        }
        self.total += 1;
        match self.logged {
            Some(logged) if now.duration_since(logged) < REPEAT => Remark::Nothing,
            _ => {
                self.logged = Some(now);
                Remark::Failed
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_that_persists_is_counted_each_time_and_said_now_and_then() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut failures = Failures::default();
        assert_eq!(failures.count(at(0), false), Remark::Nothing);
        assert_eq!(failures.count(at(3), true), Remark::Failed);
        assert_eq!(failures.count(at(6), true), Remark::Nothing);
        assert_eq!(failures.count(at(603), true), Remark::Failed);
        assert_eq!(failures.count(at(606), false), Remark::Recovered);
        assert_eq!(failures.count(at(609), false), Remark::Nothing);
        assert_eq!(failures.count(at(612), true), Remark::Failed);
        assert_eq!(failures.total, 4);
    }
}
