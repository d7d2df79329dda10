//! A text of the admin's own, with places for what a message says.

use netmonitor_rules::alert::{Notice, NoticeKind};
use serde_json::Value;

use super::SendError;
use crate::words::Words;

/// The filled template, and whether it is JSON.
pub(super) struct Filled {
    pub(super) body: String,
    pub(super) is_json: bool,
}

/// Puts what a message says in the place of `{title}` and so on. In a template that is JSON it stays
/// JSON: a place within a string is filled with text, another one with a value.
pub(super) fn fill(template: &str, notice: &Notice, words: &Words) -> Result<Filled, SendError> {
    let pieces = split(template);
    let mut values = Vec::new();
    for piece in &pieces {
        values.push(match piece {
            Piece::Text(_) => Value::Null,
            Piece::Place(name) => value(name, notice, words)?,
        });
    }
    let is_json = is_json(&pieces);
    let mut body = String::with_capacity(template.len());
    let mut is_in_string = false;
    for (piece, value) in pieces.iter().zip(values) {
        match piece {
            Piece::Text(text) => {
                is_in_string = ends_in_string(text, is_in_string);
                body += text;
            }
            Piece::Place(_) if !is_json => body += &text(&value),
            Piece::Place(_) if is_in_string => {
                let quoted = Value::from(text(&value)).to_string();
                // Without its own quotes.
                body += &quoted[1..quoted.len() - 1];
            }
            Piece::Place(_) => body += &value.to_string(),
        }
    }
    Ok(Filled { body, is_json })
}

enum Piece<'a> {
    Text(&'a str),
    /// Lower-case letters in braces. Other braces are text: JSON is full of them.
    Place(&'a str),
}

fn split(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut begin, mut from) = (0, 0);
    while let Some(at) = template[from..].find('{').map(|at| from + at) {
        let inside = &template[at + 1..];
        let end = inside.find(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        match end {
            Some(end) if end > 0 && inside[end..].starts_with('}') => {
                pieces.push(Piece::Text(&template[begin..at]));
                pieces.push(Piece::Place(&inside[..end]));
                begin = at + 1 + end + 1;
                from = begin;
            }
            _ => from = at + 1,
        }
    }
    pieces.push(Piece::Text(&template[begin..]));
    pieces
}

/// Whether it would be JSON with a number in each place.
fn is_json(pieces: &[Piece<'_>]) -> bool {
    let with_numbers: String = pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Place(_) => "0",
        })
        .collect();
    let parsed = serde_json::from_str::<Value>(&with_numbers);
    // A lone number is the template `{value}`: that is a text.
    parsed.is_ok_and(|it| it.is_object() || it.is_array())
}

fn ends_in_string(text: &str, begins_in_string: bool) -> bool {
    let (mut is_in_string, mut is_escaped) = (begins_in_string, false);
    for c in text.chars() {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' if is_in_string => is_escaped = true,
            '"' => is_in_string = !is_in_string,
            _ => {}
        }
    }
    is_in_string
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn value(name: &str, notice: &Notice, words: &Words) -> Result<Value, SendError> {
    let first = notice.alerts.first();
    Ok(match name {
        "title" => words.title.as_str().into(),
        "text" => words.text.as_str().into(),
        "severity" => notice.severity.as_str().into(),
        "kind" => kind(notice.kind).into(),
        "device" => each(notice, |told| told.subject.to_string()).into(),
        "rule" => each(notice, |told| told.rule.to_string()).into(),
        "value" => first.and_then(|told| told.value).into(),
        "limit" => first.and_then(|told| told.limit).into(),
        "link" => words.link.as_deref().into(),
        "id" => notice.id.as_str().into(),
        _ => {
            return Err(SendError::permanent(format!(
                "the template has {{{name}}}, which there is not: there are {{title}}, {{text}}, \
                 {{severity}}, {{kind}}, {{device}}, {{rule}}, {{value}}, {{limit}}, {{link}} and \
                 {{id}}"
            )));
        }
    })
}

/// The word of a kind, as in the JSON of a message.
fn kind(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Firing => "firing",
        NoticeKind::Reminder => "reminder",
        NoticeKind::Resolved => "resolved",
        NoticeKind::Test => "test",
    }
}

/// One word of each alert, each once.
fn each(notice: &Notice, word: impl Fn(&netmonitor_rules::alert::Told) -> String) -> String {
    let mut words: Vec<String> = Vec::new();
    for told in &notice.alerts {
        let word = word(told);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notice, told};
    use super::*;

    fn filled(template: &str) -> Filled {
        let words = Words {
            title: "say \"96 %\"".to_owned(),
            text: "a\\b\nc".to_owned(),
            link: None,
        };
        let notice = notice(NoticeKind::Firing, vec![told("ws-14"), told("nas")]);
        fill(template, &notice, &words).unwrap()
    }

    #[test]
    fn a_text_is_filled_as_it_is() {
        let filled =
            filled("{severity} {kind} on {device}: {title} ({rule}, {value}/{limit}) {link}.");
        assert!(!filled.is_json);
        assert_eq!(
            filled.body,
            "critical firing on ws-14, nas: say \"96 %\" (cpu, 96.5/90.0) ."
        );
    }

    #[test]
    fn json_stays_json() {
        let template =
            r#"{"msg": "\"{title}\" {text}", "value": {value}, "link": {link}, "n": {}}"#;
        let filled = filled(template);
        assert!(filled.is_json);
        let value: Value = serde_json::from_str(&filled.body).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "msg": "\"say \"96 %\"\" a\\b\nc", "value": 96.5, "link": null, "n": {}
            })
        );
    }

    #[test]
    fn json_stays_json_where_a_text_begins_or_ends_with_a_quote() {
        let words = Words {
            title: "\"\"x\"".to_owned(),
            text: String::new(),
            link: None,
        };
        let notice = notice(NoticeKind::Firing, Vec::new());
        let filled = fill(r#"["{title}", {title}]"#, &notice, &words).unwrap();
        let value: Value = serde_json::from_str(&filled.body).unwrap();
        assert_eq!(value, serde_json::json!(["\"\"x\"", "\"\"x\""]));
    }

    #[test]
    fn a_place_that_there_is_not_is_named() {
        let notice = notice(NoticeKind::Firing, Vec::new());
        let words = super::super::tests::words();
        let error = fill("{titel}", &notice, &words).err().unwrap();
        assert!(error.is_permanent && error.text.contains("{titel}"));
        for text in ["{}", "{ title }", "{Title}", "{", "a{b", "{title"] {
            assert_eq!(fill(text, &notice, &words).unwrap().body, text);
        }
    }
}
