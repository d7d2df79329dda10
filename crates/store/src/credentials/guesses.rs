//! Join codes are not guessed for free. A token of 256 random bits cannot be found by trying, so
//! a good one is never locked out: what is limited is the work that wrong ones cause.

use jiff::{SignedDuration, Timestamp};

/// So many wrong tokens may each cause a look at the file, in case their code was made a moment
/// ago; more than a classroom of typing errors.
const LOOKS: u32 = 30;

/// In so long a time.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);

/// Wrong tokens of the last while.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    since: Timestamp,
    wrong: u32,
}

/// What a wrong token is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Guess {
    /// A look at the file.
    Look,
    /// No look, and a line in the log: it is the first of too many.
    Report,
    /// Nothing.
    Ignore,
}

impl Guesses {
    /// Counts a wrong token.
    pub(super) fn wrong(&mut self, now: Timestamp) -> Guess {
        let age = now.duration_since(self.since);
        // A clock that was set back begins a new window, too.
        if age > WINDOW || age.is_negative() {
            *self = Self {
                since: now,
                wrong: 0,
            };
        }
        self.wrong = self.wrong.saturating_add(1);
        match self.wrong {
            ..=LOOKS => Guess::Look,
            wrong if wrong == LOOKS + 1 => Guess::Report,
            _ => Guess::Ignore,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_wrong_tokens_cost_nothing_more_and_are_reported_once_a_minute() {
        let at = |second: i64| Timestamp::from_second(1_795_000_000 + second).unwrap();
        let mut guesses = Guesses::default();
        let minute = |guesses: &mut Guesses, start| {
            let all: Vec<Guess> = (0..100).map(|_| guesses.wrong(at(start))).collect();
            let count = |what| all.iter().filter(|guess| **guess == what).count();
            (count(Guess::Look), count(Guess::Report))
        };
        assert_eq!(minute(&mut guesses, 0), (30, 1));
        assert_eq!(minute(&mut guesses, 60), (0, 0));
        assert_eq!(minute(&mut guesses, 61), (30, 1));
        assert_eq!(
            minute(&mut guesses, -3600),
            (30, 1),
            "the clock was set back"
        );
    }
}
