//! The OpenAPI document: what poem-openapi makes of the routes, and what it cannot say by itself.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::routes;

/// A part of the document. Unlike [`Value`], it keeps the order in which types name their fields.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Node {
    Object(Fields),
    Array(Vec<Node>),
    Other(Value),
}

type Fields = IndexMap<String, Node>;

/// The document, as it is served and as `api/openapi.json` holds it.
pub fn openapi_json() -> String {
    let mut text = amended(&routes::service().spec());
    text.push('\n');
    text
}

/// The page that shows it, which has it inside.
pub(crate) fn reader() -> String {
    let service = routes::service();
    let made = service.spec();
    service.swagger_ui_html().replace(&made, &amended(&made))
}

fn amended(made: &str) -> String {
    let mut document: Node = serde_json::from_str(made).expect("poem-openapi writes JSON");
    let as_value = serde_json::from_str(made).expect("poem-openapi writes JSON");
    for name in of_requests(&as_value) {
        let schemas = document.at("components").and_then(|it| it.at("schemas"));
        if let Some(Node::Object(schema)) = schemas.and_then(|it| it.at(&name)) {
            close(schema);
        }
    }
    document.walk(&mut |fields| {
        bound(fields);
        tell_last_page(fields);
    });
    serde_json::to_string_pretty(&document).expect("it was read from JSON")
}

impl Node {
    fn at(&mut self, name: &str) -> Option<&mut Self> {
        match self {
            Self::Object(fields) => fields.get_mut(name),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Other(value) => value.as_str(),
            _ => None,
        }
    }

    fn walk(&mut self, change: &mut impl FnMut(&mut Fields)) {
        match self {
            Self::Object(fields) => {
                change(fields);
                fields.values_mut().for_each(|it| it.walk(change));
            }
            Self::Array(nodes) => nodes.iter_mut().for_each(|it| it.walk(change)),
            Self::Other(_) => {}
        }
    }
}

/// The schemas of which requests are made.
fn of_requests(document: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations = paths.flat_map(|(_, path)| path.as_object().into_iter().flatten());
    for (_, operation) in operations {
        mentioned(document, &operation["requestBody"], &mut names);
    }
    names
}

/// The schemas that stand in this part of the document, or in one of those.
fn mentioned(document: &Value, part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|it| it.strip_prefix("#/components/schemas/"));
            if let Some(name) = name
                && names.insert(name.to_owned())
            {
                mentioned(document, &document["components"]["schemas"][name], names);
            }
            for value in fields.values() {
                mentioned(document, value, names);
            }
        }
        Value::Array(values) => values.iter().for_each(|it| mentioned(document, it, names)),
        _ => {}
    }
}

/// A field that no request has is refused: `deny_unknown_fields`, which every type of a request has.
/// One that may be absent may as well be null.
fn close(schema: &mut Fields) {
    let required: Vec<String> = match schema.get("required") {
        Some(Node::Array(names)) => names
            .iter()
            .filter_map(Node::text)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    let Some(Node::Object(properties)) = schema.get_mut("properties") else {
        return;
    };
    for (name, property) in properties {
        if let Node::Object(property) = property
            && property.contains_key("type")
            && !required.contains(name)
        {
            set(property, "nullable", json!(true));
        }
    }
    set(schema, "additionalProperties", json!(false));
}

/// OpenAPI knows no `uint32`: what it means is said beside it.
fn bound(schema: &mut Fields) {
    let most = match schema.get("format").and_then(Node::text) {
        Some("uint8") => Some(u64::from(u8::MAX)),
        Some("uint16") => Some(u64::from(u16::MAX)),
        Some("uint32") => Some(u64::from(u32::MAX)),
        Some("uint64") => None,
        _ => return,
    };
    if !schema.contains_key("minimum") {
        set(schema, "minimum", json!(0));
    }
    if let Some(most) = most.filter(|_| !schema.contains_key("maximum")) {
        set(schema, "maximum", json!(most));
    }
}

/// `next` is null on the last page, and always there.
fn tell_last_page(schema: &mut Fields) {
    if let Some(Node::Object(properties)) = schema.get_mut("properties")
        && properties.contains_key("items")
        && let Some(Node::Object(next)) = properties.get_mut("next")
    {
        set(next, "nullable", json!(true));
    }
}

fn set(fields: &mut Fields, name: &str, value: Value) {
    fields.insert(name.to_owned(), Node::Other(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        serde_json::from_str(&openapi_json()).unwrap()
    }

    #[test]
    fn it_says_what_is_refused_and_what_may_be_null() {
        let schemas = &document()["components"]["schemas"];
        let channel = &schemas["ChannelChange"];
        assert_eq!(channel["additionalProperties"], false);
        assert_eq!(channel["properties"]["port"]["maximum"], 65535);
        assert_eq!(channel["properties"]["user"]["nullable"], true);
        assert_eq!(schemas["Device"].get("additionalProperties"), None);
        assert_eq!(schemas["AlertPage"]["properties"]["next"]["nullable"], true);
    }

    #[test]
    fn the_page_shows_the_same_document() {
        assert!(reader().contains(&amended(&routes::service().spec())));
    }
}
