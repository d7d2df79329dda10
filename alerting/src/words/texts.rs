//! What the texts of one language are made of.

use netmonitor_protocol::RuleKind;
use netmonitor_service::language::Language;

use super::{en, fr};

/// One alert, as its texts need it: nothing in it has control characters.
pub(super) struct Of<'a> {
    pub(super) kind: RuleKind,
    /// What people call the device.
    pub(super) name: &'a str,
    /// The mount point or the service.
    pub(super) target: &'a str,
    /// With its unit.
    pub(super) value: Option<&'a str>,
    /// A word of the contract.
    pub(super) detail: Option<&'a str>,
}

/// The texts of one language.
pub(super) struct Texts {
    /// What the hub is called at the begin of a line.
    pub(super) hub: &'static str,
    /// Between the whole and the decimal part of a number.
    pub(super) decimal: char,
    /// Bytes.
    pub(super) byte: &'static str,
    /// Of a number of days; the second says whether it is one.
    pub(super) days: fn(&str, bool) -> String,
    pub(super) less_than_a_day: &'static str,
    /// As `strftime(3)` has it.
    pub(super) time: &'static str,
    pub(super) date: &'static str,

    /// What is wrong, in one line.
    pub(super) problem: fn(&Of<'_>) -> String,
    /// That it is not any more.
    pub(super) fine: fn(&Of<'_>) -> String,
    /// That nobody looks any more whether it is: begins like the two above.
    pub(super) ended: fn(&Of<'_>) -> String,
    /// More about it: why it is wrong.
    pub(super) why: fn(RuleKind, &str) -> Option<&'static str>,
    /// Why nobody looks any more.
    pub(super) why_ended: fn(&str) -> Option<&'static str>,
    /// A word that this version does not know.
    pub(super) detail: fn(&str) -> String,
    /// With the limit; of a rule that warns below it.
    pub(super) limit: fn(&str, bool) -> String,
    /// Of one that is over: the value at the time, and the limit.
    pub(super) was: fn(&str, &str) -> String,
    /// The same where the value is good now.
    pub(super) is: fn(&str, &str) -> String,
    /// With the date.
    pub(super) full_on: fn(&str) -> String,
    pub(super) since: fn(&str) -> String,
    /// With the time, and how long that is.
    pub(super) since_long: fn(&str, &str) -> String,
    /// How long, from when, until when.
    pub(super) lasted: fn(&str, &str, &str) -> String,
    /// Names of what hangs behind it.
    pub(super) behind: fn(&str) -> String,
    /// The same in a title: how many.
    pub(super) and_behind: fn(usize) -> String,

    /// It is told again: with the title.
    pub(super) still: fn(&str) -> String,
    /// So many devices, and their names.
    pub(super) offline: fn(usize, &str) -> String,
    pub(super) back: fn(usize, &str) -> String,
    /// So many alerts, and the names of their devices.
    pub(super) alerts: fn(usize, &str) -> String,
    pub(super) over: fn(usize, &str) -> String,
    /// Names, and how many more.
    pub(super) and_more: fn(&str, usize) -> String,
    /// The same in a text.
    pub(super) also: fn(&str) -> String,

    pub(super) test: &'static str,
    pub(super) test_text: &'static str,
}

/// The texts of a language.
pub(super) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &en::TEXTS,
        Language::French => &fr::TEXTS,
    }
}
