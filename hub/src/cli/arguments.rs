//! What is given to a command and is more than a word: numbers with limits, times, passwords.

use std::io::{self, IsTerminal as _, Read as _};

use anyhow::Context as _;
use jiff::SignedDuration;

/// How many machines may use a join code.
pub(super) fn uses(text: &str) -> Result<u32, String> {
    let number = text.parse().ok();
    number
        .filter(|number| (1..=1000).contains(number))
        .ok_or_else(|| "from 1 to 1000".to_owned())
}

/// Longest life of a join code, in seconds: a week.
const MAX_EXPIRY_SECS: u32 = 7 * 24 * 3600;

/// Reads `15m`, `2h`, `1d` or a number of seconds.
pub(super) fn expiry_secs(text: &str) -> Result<u32, String> {
    let allowed = || "from 1m to 7d, e.g. 15m".to_owned();
    let seconds = seconds(text).and_then(|it| u32::try_from(it).ok());
    seconds
        .filter(|seconds| (60..=MAX_EXPIRY_SECS).contains(seconds))
        .ok_or_else(allowed)
}

/// Longest life of a token that has an end, in seconds: ten years.
const MAX_LONG_EXPIRY_SECS: i64 = 3650 * 24 * 3600;

/// Reads `12h`, `90d`, `26w` or a number of seconds.
pub(super) fn long_expiry(text: &str) -> Result<SignedDuration, String> {
    seconds(text)
        .filter(|seconds| (60..=MAX_LONG_EXPIRY_SECS).contains(seconds))
        .map(SignedDuration::from_secs)
        .ok_or_else(|| "from 1m to 3650d, e.g. 90d".to_owned())
}

/// A day has 24 hours, whatever is done to clocks in it.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let span: jiff::Span = text.parse().ok()?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    Some(span.to_duration(day).ok()?.as_secs())
}

/// The first line of standard input; at a terminal, what is typed there, unseen and twice.
pub(super) fn read_password(from_stdin: bool) -> anyhow::Result<String> {
    if !from_stdin && io::stdin().is_terminal() {
        let password = rpassword::prompt_password("Password: ")?;
        let again = rpassword::prompt_password("Once more: ")?;
        anyhow::ensure!(
            password == again,
            "the two are not the same: nothing was changed"
        );
        return Ok(password);
    }
    let mut text = String::new();
    io::stdin()
        .take(64 * 1024)
        .read_to_string(&mut text)
        .context("cannot read the password from standard input")?;
    let line = text.lines().next().unwrap_or_default();
    anyhow::ensure!(
        !line.is_empty(),
        "there is no password on standard input: write it there, e.g. with `printf %s PASSWORD |`"
    );
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_life_of_a_join_code_is_read_as_people_write_it() {
        let check = |text: &str, expected: Option<u32>| {
            assert_eq!(expiry_secs(text).ok(), expected, "{text}");
        };
        check("15m", Some(900));
        check("2h", Some(7200));
        check("1d", Some(86_400));
        check("7d", Some(604_800));
        check("900", Some(900));
        check("8d", None);
        check("5s", None);
        check("soon", None);
        check("-1h", None);
    }

    #[test]
    fn a_token_may_live_for_years_but_not_for_longer_than_ten() {
        let check = |text: &str, days: Option<i64>| {
            let expected = days.map(|days| SignedDuration::from_hours(24 * days));
            assert_eq!(long_expiry(text).ok(), expected, "{text}");
        };
        check("90d", Some(90));
        check("26w", Some(182));
        check("86400", Some(1));
        check("3650d", Some(3650));
        check("3651d", None);
        check("5s", None);
        check("1y", None);
        check("never", None);
    }
}
