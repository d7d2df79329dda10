//! What the log says of a change: each name that is different, with what it was and what it is.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Longer texts are cut, in characters.
const MAX_TEXT: usize = 100;

/// So many names at most: the audit trail has all of them.
const MAX_NAMES: usize = 40;

/// What stands where there is nothing.
const NOTHING: &str = "none";

/// What has no place in the log: it counts changes, and is no setting.
const REVISION: &str = "revision";

/// Counts the changes of what nobody may see.
const SECRET_REVISION: &str = "secret_revision";

/// Parameters of the line of the log: `section`, and each name with `OLD → NEW`.
pub(super) fn differences(
    section: &str,
    before: &Value,
    after: &Value,
) -> BTreeMap<String, String> {
    let (before, after) = (flat(before), flat(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let mut told = BTreeMap::from([("section".to_owned(), section.to_owned())]);
    let mut left_out = 0;
    for name in names {
        let (old, new) = (before.get(name), after.get(name));
        if old == new {
            continue;
        }
        if told.len() > MAX_NAMES {
            left_out += 1;
            continue;
        }
        if let Some(stem) = name.strip_suffix(SECRET_REVISION) {
            told.insert(format!("{stem}secret"), "changed".to_owned());
            continue;
        }
        let shown = |text: Option<&String>| text.map_or(NOTHING, String::as_str).to_owned();
        told.insert(name.clone(), format!("{} → {}", shown(old), shown(new)));
    }
    if left_out > 0 {
        told.insert("more".to_owned(), left_out.to_string());
    }
    told
}

/// Every value by its name: `rules.cpu.limit`. What is in a list with ids, by those.
fn flat(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    add("", value, &mut found);
    found
}

fn add(name: &str, value: &Value, found: &mut BTreeMap<String, String>) {
    let below = |key: &str| {
        if name.is_empty() {
            key.to_owned()
        } else {
            format!("{name}.{key}")
        }
    };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields.iter().filter(|(key, _)| *key != REVISION) {
                add(&below(key), value, found);
            }
        }
        Value::Array(items) => {
            let with_ids = items
                .iter()
                .map(|item| Some((item.get("id")?.as_str()?, item)));
            if let Some(with_ids) = with_ids.collect::<Option<Vec<_>>>() {
                for (id, item) in with_ids {
                    add(&below(id), item, found);
                }
            } else {
                let texts: Vec<String> = items.iter().filter_map(text).collect();
                found.insert(name.to_owned(), cut(&texts.join(", ")));
            }
        }
        value => found.extend(text(value).map(|text| (name.to_owned(), cut(&text)))),
    }
}

/// None for what is not there.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        // 90.0 is 90.
        Value::Number(number) => Some(
            number
                .as_f64()
                .map_or(number.to_string(), |it| it.to_string()),
        ),
        value => Some(value.to_string()),
    }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_TEXT {
        return text.to_owned();
    }
    text.chars().take(MAX_TEXT).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(before: &Value, after: &Value, expected: &[(&str, &str)]) {
        let mut told = differences("x", before, after);
        assert_eq!(told.remove("section").as_deref(), Some("x"));
        let expected = expected
            .iter()
            .map(|(key, value)| (key.to_string(), value.to_string()));
        assert_eq!(told, expected.collect());
    }

    #[test]
    fn what_is_different_is_named_with_what_it_was_and_is() {
        check(
            &json!({"revision": 1, "rules": {"cpu": {"limit": 90.0}}, "repeat_hours": 24}),
            &json!({"revision": 2, "rules": {"cpu": {"limit": 80.5}}, "repeat_hours": 24,
                    "language": "fr"}),
            &[("rules.cpu.limit", "90 → 80.5"), ("language", "none → fr")],
        );
        check(
            &json!({"groups": ["a", "b"], "list": [{"id": "m1", "name": "x"}]}),
            &json!({"groups": ["a"], "list": []}),
            &[
                ("groups", "a, b → a"),
                ("list.m1.id", "m1 → none"),
                ("list.m1.name", "x → none"),
            ],
        );
    }

    #[test]
    fn of_a_secret_only_that_it_has_changed() {
        check(
            &json!({"channels": [{"id": "mail", "secret_revision": 1}]}),
            &json!({"channels": [{"id": "mail", "secret_revision": 2}]}),
            &[("channels.mail.secret", "changed")],
        );
    }

    #[test]
    fn what_is_long_or_much_is_cut() {
        let long = "x".repeat(500);
        let told = differences("x", &json!({}), &json!({ "template": long }));
        assert!(told["template"].chars().count() < 120);
        let many: BTreeMap<String, u32> = (0..100).map(|it| (format!("n{it:02}"), it)).collect();
        let told = differences("x", &json!({}), &json!(many));
        assert_eq!(told["more"], "60");
    }
}
