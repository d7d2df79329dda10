//! Who may ask what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::site::{PASSWORD, Site};
use netmonitor_testkit::http::Client;

/// Who is let in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Least {
    /// Also who has no credential yet.
    Nobody,
    Viewer,
    Operator,
    Admin,
    /// Everybody with an account, but no API token.
    Person,
}

use Least::{Admin, Nobody, Operator, Person, Viewer};

/// The least role for each operation. A new route says so here, and in docs/ref/api.md.
const TABLE: &[(&str, &str, Least)] = &[
    ("get", "/setup", Nobody),
    ("post", "/setup", Nobody),
    ("post", "/login", Nobody),
    ("post", "/logout", Viewer),
    ("get", "/account", Viewer),
    ("post", "/account/password", Person),
    ("post", "/account/logout-everywhere", Person),
    ("get", "/users", Admin),
    ("post", "/users", Admin),
    ("patch", "/users/{name}", Admin),
    ("delete", "/users/{name}", Admin),
    ("put", "/users/{name}/password", Admin),
    ("get", "/tokens", Admin),
    ("post", "/tokens", Admin),
    ("delete", "/tokens/{name}", Admin),
    ("get", "/devices", Viewer),
    ("get", "/devices/{id}", Viewer),
    ("patch", "/devices/{id}", Admin),
    ("delete", "/devices/{id}", Admin),
    ("get", "/devices/{id}/services", Viewer),
    ("get", "/devices/{id}/settings", Viewer),
    ("patch", "/devices/{id}/settings", Admin),
    ("post", "/devices/{id}/watch", Viewer),
    ("get", "/devices/{id}/processes", Viewer),
    ("get", "/devices/{id}/history", Viewer),
    ("get", "/alerts", Viewer),
    ("post", "/alerts/{device}/{rule}/ack", Operator),
    ("post", "/alerts/{device}/{rule}/unack", Operator),
    ("post", "/alerts/{device}/{rule}/snooze", Operator),
    ("get", "/rules", Viewer),
    ("patch", "/rules", Admin),
    ("get", "/devices/{id}/rules", Viewer),
    ("patch", "/devices/{id}/rules", Admin),
    ("post", "/rules/preview", Operator),
    ("get", "/settings/alerting", Viewer),
    ("patch", "/settings/alerting", Admin),
    ("get", "/maintenance", Viewer),
    ("post", "/maintenance", Operator),
    ("patch", "/maintenance/{id}", Operator),
    ("delete", "/maintenance/{id}", Operator),
    ("get", "/channels", Viewer),
    ("post", "/channels", Admin),
    ("get", "/channels/heartbeat", Viewer),
    ("patch", "/channels/heartbeat", Admin),
    ("get", "/channels/{id}", Viewer),
    ("patch", "/channels/{id}", Admin),
    ("delete", "/channels/{id}", Admin),
    ("post", "/channels/{id}/test", Admin),
    ("post", "/channels/heartbeat/test", Admin),
    ("get", "/events", Viewer),
    ("delete", "/events", Admin),
    ("get", "/events.csv", Viewer),
    ("get", "/hub", Viewer),
    ("post", "/join-codes", Admin),
    ("get", "/agents", Viewer),
    ("get", "/agents/install.sh", Nobody),
    ("get", "/agents/{target}", Nobody),
    ("get", "/mqtt-users", Admin),
    ("post", "/mqtt-users", Admin),
    ("delete", "/mqtt-users/{name}", Admin),
    ("get", "/settings", Viewer),
    ("patch", "/settings", Admin),
    ("get", "/stream", Viewer),
];

/// A body that can be read, so that nothing but the role is wrong; that it changes little.
fn body(method: &str, path: &str) -> Value {
    match (method, path) {
        ("post", "/account/password") => json!({ "old": PASSWORD, "new": PASSWORD }),
        // Too short: refused, but not for its form.
        ("post", "/users") => json!({ "name": "x", "role": "viewer", "password": "short" }),
        ("put", "/users/{name}/password") => json!({ "password": "short" }),
        ("patch", "/users/{name}") => json!({ "role": "viewer" }),
        ("post", "/tokens") => {
            json!({ "name": "x", "role": "viewer", "expires": "2001-01-01T00:00:00Z" })
        }
        ("post", "/alerts/{device}/{rule}/snooze") => json!({ "for_secs": 60 }),
        ("patch", "/rules" | "/devices/{id}/rules") => json!({ "rules": {} }),
        ("post", "/rules/preview") => json!({ "rule": "cpu" }),
        ("post", "/mqtt-users") => json!({ "name": "x" }),
        _ => json!({}),
    }
}

/// Asks for something that is not there, wherever something is named.
fn status(client: &Client, (method, path): (&str, &str), has_body: bool) -> u16 {
    let query = if (method, path) == ("delete", "/events") {
        "?before=1990-01-01T00:00:00Z"
    } else {
        ""
    };
    let levels: Vec<_> = path
        .split('/')
        .map(|level| {
            if level.starts_with('{') {
                "none"
            } else {
                level
            }
        })
        .collect();
    let address = format!("{}{query}", levels.join("/"));
    let body = has_body.then(|| body(method, path));
    let answer = client.ask(&method.to_uppercase(), &address, body.as_ref());
    if answer.status >= 400 {
        answer.problem(answer.status);
    }
    answer.status
}

#[test]
fn every_route_of_the_document_takes_the_least_role_of_the_table_and_no_less() {
    // Nobody hears what is said: there is no broker.
    let site = Site::start(1);
    let anybody = site.anybody();
    let document: Value = serde_json::from_str(&netmonitor_api::openapi_json()).unwrap();
    let mut of_document = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            of_document.insert((method.as_str(), path.as_str()));
        }
    }
    let of_table: BTreeSet<_> = TABLE
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .collect();
    assert_eq!(of_document, of_table, "document and table");

    let roles = [("viewer", Viewer), ("operator", Operator), ("admin", Admin)];
    let programs = roles.map(|(role, least)| (site.program(role, role), least));
    for &(method, path, least) in TABLE {
        let operation = (method, path);
        let has_body = document["paths"][path][method]["requestBody"].is_object();
        let stranger = status(&anybody, operation, has_body);
        assert_eq!(
            stranger == 401,
            least != Nobody,
            "{method} {path}: {stranger}"
        );
        for (program, role) in &programs {
            let answer = status(program, operation, has_body);
            if *role >= least {
                let is_let_in = least == Nobody || !matches!(answer, 401 | 403);
                assert!(is_let_in, "{method} {path} as {role:?}: {answer}");
            } else {
                assert_eq!(answer, 403, "{method} {path} as {role:?}");
            }
        }
    }
    // What is for people takes every one of them.
    for (role, _) in roles {
        let person = site.person(&format!("a {role}"), role);
        for &(method, path, _) in TABLE.iter().filter(|it| it.2 == Person) {
            let has_body = document["paths"][path][method]["requestBody"].is_object();
            let answer = status(&person, (method, path), has_body);
            assert_eq!(answer, 204, "{method} {path} as {role}");
        }
    }
}
