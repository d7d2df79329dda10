//! Tokens of programs.

use netmonitor_protocol::payload::EventKind;
use serde_json::json;

use super::log::Heard;

#[test]
fn a_token_is_told_once_and_is_worth_nothing_once_it_is_removed() {
    let mut heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let made = ada
        .post("/tokens", &json!({ "name": "graphs", "role": "viewer" }))
        .ok();
    heard.says(
        &EventKind::TokenAdded,
        "Ada",
        &[("name", "graphs"), ("role", "viewer")],
    );
    let secret = made["token"].as_str().unwrap();
    assert!(made["expires"].is_null(), "{made}");
    let program = heard.site.anybody().with_token(secret);
    let account = program.get("/account").ok();
    assert_eq!(account, json!({ "name": "graphs", "role": "viewer" }));

    let listed = ada.get("/tokens").ok();
    assert!(!listed.to_string().contains(secret), "{listed}");
    let entry = &listed["items"][0];
    assert_eq!(
        (&entry["name"], &entry["role"]),
        (&json!("graphs"), &json!("viewer"))
    );
    assert!(entry["created"].is_string() && entry["expires"].is_null());
    let again = json!({ "name": "Graphs", "role": "admin" });
    ada.post("/tokens", &again).problem(409);

    ada.delete("/tokens/GRAPHS").done();
    heard.says(&EventKind::TokenRemoved, "Ada", &[("name", "graphs")]);
    program.get("/account").problem(401);
    ada.delete("/tokens/graphs").problem(404);
}

#[test]
fn a_token_is_good_until_its_end_and_then_says_why_it_is_not() {
    let heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let add = |name: &str, expires: &str| {
        let new = json!({ "name": name, "role": "viewer", "expires": expires });
        ada.post("/tokens", &new)
    };
    let detail = add("late", "2001-02-03T04:05:06Z").problem(400);
    assert!(detail.contains("a time to come"), "{detail}");
    add("late", "soon").problem(400);
    let made = add("graphs", "2999-01-01T00:00:00Z").ok();
    assert_eq!(made["expires"], "2999-01-01T00:00:00Z");
    assert_eq!(
        ada.get("/tokens").ok()["items"][0]["expires"],
        made["expires"]
    );
    let program = heard
        .site
        .anybody()
        .with_token(made["token"].as_str().unwrap());
    assert_eq!(program.get("/devices").status, 200);

    let (made, end) = ("2001-01-01T00:00:00Z", "2001-02-03T04:05:06Z");
    let (made, end) = (made.parse().unwrap(), end.parse().unwrap());
    let old = heard.site.program_until("old", "admin", Some(end), made);
    for path in ["/devices", "/users", "/stream"] {
        let detail = old.get(path).problem(401);
        assert!(
            detail.contains("good until 2001-02-03T04:05:06Z"),
            "{detail}"
        );
        assert!(detail.contains("netmonitor token add"), "{detail}");
    }
    // Its name is still taken, until it is removed.
    add("old", "2999-01-01T00:00:00Z").problem(409);
    ada.delete("/tokens/old").done();
    let detail = old.get("/devices").problem(401);
    assert!(!detail.contains("2001"), "{detail}");
}
