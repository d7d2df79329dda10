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
    amended(&routes::service().spec())
}

/// The page that shows the document, which has it inside.
pub(crate) fn reader(document: &str) -> String {
    let service = routes::service();
    let made = service.spec();
    service.swagger_ui_html().replace(&made, document)
}

fn amended(made: &str) -> String {
    let mut document: Node = serde_json::from_str(made).expect("poem-openapi writes JSON");
    for name in of_requests(&document) {
        if let Some(Node::Object(schema)) = document.at_mut(&["components", "schemas", &name]) {
            close(schema);
        }
    }
    document.walk(&mut |fields| {
        bound(fields);
        tell_last_page(fields);
    });
    let text = serde_json::to_string_pretty(&document).expect("it was read from JSON");
    format!("{text}\n")
}

impl Node {
    fn at(&self, names: &[&str]) -> Option<&Self> {
        names.iter().try_fold(self, |node, name| match node {
            Self::Object(fields) => fields.get(*name),
            _ => None,
        })
    }

    fn at_mut(&mut self, names: &[&str]) -> Option<&mut Self> {
        names.iter().try_fold(self, |node, name| match node {
            Self::Object(fields) => fields.get_mut(*name),
            _ => None,
        })
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Other(value) => value.as_str(),
            _ => None,
        }
    }

    /// What is directly in it.
    fn parts(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::Object(fields) => Box::new(fields.values()),
            Self::Array(nodes) => Box::new(nodes.iter()),
            Self::Other(_) => Box::new(std::iter::empty()),
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
fn of_requests(document: &Node) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let paths = document.at(&["paths"]).into_iter().flat_map(Node::parts);
    for body in paths
        .flat_map(Node::parts)
        .filter_map(|it| it.at(&["requestBody"]))
    {
        mentioned(document, body, &mut names);
    }
    names
}

/// The schemas that stand in this part of the document, or in one of those.
fn mentioned(document: &Node, part: &Node, names: &mut BTreeSet<String>) {
    let name = part.at(&["$ref"]).and_then(Node::text);
    let name = name.and_then(|it| it.strip_prefix("#/components/schemas/"));
    if let Some(name) = name
        && names.insert(name.to_owned())
        && let Some(schema) = document.at(&["components", "schemas", name])
    {
        mentioned(document, schema, names);
    }
    part.parts().for_each(|it| mentioned(document, it, names));
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
        let document = openapi_json();
        assert!(reader(&document).contains(&document));
    }
}
