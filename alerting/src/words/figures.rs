//! Numbers, durations and names as people read them.

use netmonitor_protocol::Unit;

use super::texts::Texts;

/// Characters of a name that are shown: a host name has 63, a path is cut.
const NAME: usize = 100;

/// A name or word that a machine has sent, as a message shows it.
pub(super) fn clean(text: &str) -> String {
    shortened(plain(text).trim(), NAME)
}

/// What others have sent, without what a text must not have from it: control characters, and those
/// that turn the order of writing.
pub(crate) fn plain(text: &str) -> String {
    let is_plain = |c: char| {
        !c.is_control()
            && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let chars = text.chars().map(|c| if is_plain(c) { c } else { ' ' });
    chars.collect()
}

/// The text, cut to so many characters.
pub(crate) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A measured number with its unit.
pub(super) fn figure(texts: &Texts, value: f64, unit: Option<Unit>) -> String {
    match unit {
        Some(Unit::Percent) => format!("{} %", number(texts, value)),
        Some(Unit::Celsius) => format!("{} °C", number(texts, value)),
        Some(Unit::BytesPerSecond) => rate(texts, value),
        Some(Unit::Seconds) => seconds(texts, value.abs()),
        Some(Unit::Days) if value < 1.0 => texts.less_than_a_day.to_owned(),
        Some(Unit::Days) => {
            let number = number(texts, value);
            (texts.days)(&number, number == "1")
        }
        Some(Unit::Number) | None => number(texts, value),
    }
}

/// With one digit behind the point, unless that is a zero.
fn number(texts: &Texts, value: f64) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    text.replace('.', &texts.decimal.to_string())
}

/// In steps of a thousand, as networks are sold.
fn rate(texts: &Texts, value: f64) -> String {
    let mut value = value;
    let mut prefixes = ["", "k", "M", "G", "T"].into_iter();
    let mut prefix = prefixes.next().unwrap_or_default();
    while value.abs() >= 999.95 {
        let Some(next) = prefixes.next() else { break };
        prefix = next;
        value /= 1000.0;
    }
    format!("{} {prefix}{}/s", number(texts, value), texts.byte)
}

/// A duration that may have a fraction: short ones with it.
fn seconds(texts: &Texts, value: f64) -> String {
    if value < 60.0 {
        return format!("{} s", number(texts, value));
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a duration of more seconds than i64 has is cut to them"
    )]
    duration(texts, value as i64)
}

/// A duration in its two largest units.
pub(super) fn duration(texts: &Texts, secs: i64) -> String {
    let secs = secs.max(0);
    let (minutes, hours, days) = (secs / 60, secs / 3600, secs / 86_400);
    let pair = |first: String, rest: i64, unit: &str| {
        if rest == 0 {
            first
        } else {
            format!("{first} {rest} {unit}")
        }
    };
    if minutes == 0 {
        format!("{secs} s")
    } else if hours == 0 {
        pair(format!("{minutes} min"), secs % 60, "s")
    } else if days == 0 {
        pair(format!("{hours} h"), minutes % 60, "min")
    } else {
        pair((texts.days)(&days.to_string(), days == 1), hours % 24, "h")
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_service::language::Language;

    use super::super::texts::texts;
    use super::*;

    #[test]
    fn numbers_are_short_and_have_their_unit() {
        let check = |value, unit, english: &str, french: &str| {
            assert_eq!(figure(texts(Language::English), value, Some(unit)), english);
            assert_eq!(figure(texts(Language::French), value, Some(unit)), french);
        };
        check(96.0, Unit::Percent, "96 %", "96 %");
        check(96.44, Unit::Percent, "96.4 %", "96,4 %");
        check(97.5, Unit::Celsius, "97.5 °C", "97,5 °C");
        check(2.25, Unit::Number, "2.2", "2,2");
        check(100.0, Unit::BytesPerSecond, "100 B/s", "100 o/s");
        check(999_960.0, Unit::BytesPerSecond, "1 MB/s", "1 Mo/s");
        check(1.25e8, Unit::BytesPerSecond, "125 MB/s", "125 Mo/s");
        check(1e16, Unit::BytesPerSecond, "10000 TB/s", "10000 To/s");
        check(0.4, Unit::Days, "less than a day", "moins d’un jour");
        check(1.0, Unit::Days, "1 day", "1 jour");
        check(2.5, Unit::Days, "2.5 days", "2,5 jours");
        check(-7.5, Unit::Seconds, "7.5 s", "7,5 s");
        check(-75.4, Unit::Seconds, "1 min 15 s", "1 min 15 s");
        check(f64::NAN, Unit::Percent, "NaN %", "NaN %");
    }

    #[test]
    fn durations_have_two_units_at_most() {
        let check = |secs, expected: &str| {
            assert_eq!(duration(texts(Language::English), secs), expected);
        };
        check(-5, "0 s");
        check(59, "59 s");
        check(60, "1 min");
        check(3_599, "59 min 59 s");
        check(7_260, "2 h 1 min");
        check(86_400, "1 day");
        check(200_000, "2 days 7 h");
    }

    #[test]
    fn names_from_machines_bring_no_control_characters() {
        assert_eq!(
            clean("ws-14\r\nBcc: all@example.org"),
            "ws-14  Bcc: all@example.org"
        );
        assert_eq!(clean("\u{1b}[31mred\u{7}"), "[31mred");
        assert_eq!(clean("a\u{202e}txt.exe\u{2028}"), "a txt.exe");
        assert_eq!(clean("Büro & Küche <1>"), "Büro & Küche <1>");
        assert_eq!(clean(&"é".repeat(200)).chars().count(), NAME);
    }
}
