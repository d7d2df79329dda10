//! What several settings share: bounds, and the form of names and addresses.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

use netmonitor_protocol::payload::WeeklyHours;

/// Longest name that people see, in characters.
const MAX_NAME: usize = 64;

/// Longest name of a group, in characters.
const MAX_GROUP: usize = 32;

/// So many groups a device can be in, or a channel can be for.
const MAX_GROUPS: usize = 20;

/// So many stretches of a week.
const MAX_HOURS: usize = 50;

/// Longest address, in bytes.
const MAX_URL: usize = 1000;

/// Whether a number is within its bounds.
pub(in crate::hub) fn within<T: PartialOrd + Display + Copy>(
    name: &str,
    value: T,
    bounds: RangeInclusive<T>,
) -> Result<(), String> {
    if bounds.contains(&value) {
        return Ok(());
    }
    let (least, most) = bounds.into_inner();
    Err(format!("{name} is {value}: give {least} to {most}"))
}

/// Whether there are no more of something than there may be.
pub(in crate::hub) fn at_most(what: &str, number: usize, most: usize) -> Result<(), String> {
    if number <= most {
        return Ok(());
    }
    Err(format!("{number} {what} are too many: at most {most}"))
}

/// Whether no two are the same.
pub(in crate::hub) fn each_once<T: Ord + Display>(
    what: &str,
    all: impl IntoIterator<Item = T>,
) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    for one in all {
        let text = one.to_string();
        if !seen.insert(one) {
            return Err(format!("there are two {what} {text:?}: choose another"));
        }
    }
    Ok(())
}

/// Whether a text is something that people can read on one line.
pub(in crate::hub) fn is_line(text: &str, most: usize) -> bool {
    let length = text.chars().count();
    (1..=most).contains(&length) && text.trim() == text && !text.chars().any(char::is_control)
}

/// Whether people can see it as a name.
pub(in crate::hub) fn name(what: &str, text: &str) -> Result<(), String> {
    if is_line(text, MAX_NAME) {
        return Ok(());
    }
    Err(format!(
        "the name {text:?} of {what} cannot be used: give 1 to {MAX_NAME} characters, no control \
         characters and no blanks at either end"
    ))
}

/// Whether these can be names of groups.
pub(in crate::hub) fn groups(groups: &[String]) -> Result<(), String> {
    at_most("groups", groups.len(), MAX_GROUPS)?;
    each_once("groups", groups)?;
    match groups.iter().find(|group| !is_line(group, MAX_GROUP)) {
        None => Ok(()),
        Some(group) => Err(format!(
            "the group {group:?} cannot be used: give 1 to {MAX_GROUP} characters, no control \
             characters and no blanks at either end"
        )),
    }
}

/// Whether there are not too many.
pub(in crate::hub) fn hours(hours: &[WeeklyHours]) -> Result<(), String> {
    at_most("stretches of hours", hours.len(), MAX_HOURS)
}

/// Whether it is the address of a web server.
pub(in crate::hub) fn web_address(name: &str, text: &str) -> Result<(), String> {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| text.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let is_good = text.len() <= MAX_URL
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
        && host.is_some_and(|host| !host.is_empty() && !host.starts_with(':'));
    if is_good {
        return Ok(());
    }
    // What it is may be a secret.
    Err(format!(
        "{name} is no address of a web server: write it like https://example.org/path"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_web_servers_are_known() {
        for good in ["http://192.168.1.5:8080", "https://[::1]/x?y=z", "http://a"] {
            assert_eq!(web_address("x", good), Ok(()), "{good}");
        }
        for bad in [
            "",
            "a",
            "ftp://a",
            "http://",
            "https:///x",
            "http:// a",
            "http://:80",
        ] {
            let error = web_address("dashboard_url", bad).unwrap_err();
            assert!(error.starts_with("dashboard_url is no address"), "{error}");
        }
    }

    #[test]
    fn names_of_groups_are_short_visible_and_each_there_once() {
        let check = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            groups(&names)
        };
        assert_eq!(check(&["lab", "Salle 12"]), Ok(()));
        for bad in ["", " lab", "a\nb", "x".repeat(33).as_str()] {
            assert!(check(&[bad]).unwrap_err().contains("1 to 32"), "{bad:?}");
        }
        assert!(check(&["lab", "lab"]).unwrap_err().contains("two groups"));
        assert!(check(&["x"; 21]).unwrap_err().contains("at most 20"));
    }
}
