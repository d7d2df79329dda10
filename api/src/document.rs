//! The OpenAPI document: what poem-openapi makes of the routes, and what it cannot say by itself.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::routes;

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
    let mut document: Value = serde_json::from_str(made).expect("poem-openapi writes JSON");
    close_requests(&mut document);
    walk(&mut document, &mut |node| {
        bound(node);
        tell_last_page(node);
    });
    serde_json::to_string_pretty(&document).expect("it was read from JSON")
}

/// A field that no request has is refused: `deny_unknown_fields`, which every type of a request has.
/// One that may be absent may as well be null.
fn close_requests(document: &mut Value) {
    let mut names = BTreeSet::new();
    for operation in operations(document) {
        mentioned(document, &operation["requestBody"], &mut names);
    }
    for name in names {
        let schema = &mut document["components"]["schemas"][&name];
        if schema["type"] == "object" && schema.get("properties").is_some() {
            schema["additionalProperties"] = json!(false);
            let required = schema["required"].as_array().cloned().unwrap_or_default();
            let properties = schema["properties"].as_object_mut().into_iter().flatten();
            for (name, property) in properties {
                let may_be_absent = !required.iter().any(|it| it == name);
                if may_be_absent && property.get("type").is_some() {
                    property["nullable"] = json!(true);
                }
            }
        }
    }
}

fn operations(document: &Value) -> impl Iterator<Item = &Value> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(_, path)| path.as_object().into_iter().flatten().map(|it| it.1))
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

fn walk(part: &mut Value, change: &mut impl FnMut(&mut Map<String, Value>)) {
    match part {
        Value::Object(fields) => {
            change(fields);
            fields.values_mut().for_each(|it| walk(it, change));
        }
        Value::Array(values) => values.iter_mut().for_each(|it| walk(it, change)),
        _ => {}
    }
}

/// OpenAPI knows no `uint32`: what it means is said beside it.
fn bound(schema: &mut Map<String, Value>) {
    let Some(format) = schema.get("format").and_then(Value::as_str) else {
        return;
    };
    let most = match format {
        "uint8" => Some(u64::from(u8::MAX)),
        "uint16" => Some(u64::from(u16::MAX)),
        "uint32" => Some(u64::from(u32::MAX)),
        "uint64" => None,
        _ => return,
    };
    schema.entry("minimum").or_insert(json!(0));
    if let Some(most) = most {
        schema.entry("maximum").or_insert(json!(most));
    }
}

/// `next` is null on the last page, and always there.
fn tell_last_page(schema: &mut Map<String, Value>) {
    let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
    let Some(properties) = properties.filter(|it| it.contains_key("items")) else {
        return;
    };
    if let Some(next) = properties.get_mut("next").and_then(Value::as_object_mut) {
        next.insert("nullable".to_owned(), json!(true));
    }
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
