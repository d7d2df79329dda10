//! Accounts of people.

use netmonitor_protocol::payload::EventKind;
use serde_json::json;

use super::log::Heard;
use crate::site::PASSWORD;

#[test]
fn an_admin_makes_changes_and_removes_accounts_and_the_log_says_so() {
    let mut heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let new = json!({ "name": "Bob", "role": "viewer", "password": PASSWORD });
    let made = ada.post("/users", &new).ok();
    assert_eq!(
        (&made["name"], &made["role"]),
        (&json!("Bob"), &json!("viewer"))
    );
    assert!(
        made["created"].is_string() && made["last_login"].is_null(),
        "{made}"
    );
    heard.says(
        &EventKind::UserAdded,
        "Ada",
        &[("name", "Bob"), ("role", "viewer")],
    );

    let bob = heard.site.logged_in("bob", PASSWORD);
    let listed = ada.get("/users").ok();
    let names = listed["items"].as_array().unwrap().iter();
    let names = names.map(|user| user["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), ["Ada", "Bob"]);
    assert!(listed["items"][1]["last_login"].is_string(), "{listed}");
    assert!(!listed.to_string().contains("argon2"), "{listed}");

    // A role counts at once, for a browser that is logged in as well.
    bob.get("/users").problem(403);
    let patch = |name: &str, role: &str| {
        ada.ask(
            "PATCH",
            &format!("/users/{name}"),
            Some(&json!({ "role": role })),
        )
    };
    assert_eq!(patch("bob", "admin").ok()["role"], "admin");
    let change = [("name", "Bob"), ("role", "admin"), ("was", "viewer")];
    heard.says(&EventKind::UserChanged, "Ada", &change);
    assert_eq!(bob.get("/users").status, 200);
    assert_eq!(patch("bob", "operator").ok()["role"], "operator");
    patch("nobody", "viewer").problem(404);
    patch("bob", "king").problem(400);

    ada.delete("/users/bob").done();
    heard.says(&EventKind::UserRemoved, "Ada", &[("name", "Bob")]);
    bob.get("/account").problem(401);
    heard.site.log_in("Bob", PASSWORD).problem(401);
    ada.delete("/users/bob").problem(404);
}

#[test]
fn what_would_leave_the_hub_without_an_admin_is_a_conflict() {
    let heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let program = heard.site.program("setup", "admin");
    let demote = Some(json!({ "role": "viewer" }));
    let detail = ada.ask("PATCH", "/users/ADA", demote.as_ref()).problem(409);
    assert!(detail.contains("only admin"), "{detail}");
    let detail = program.delete("/users/ada").problem(409);
    assert!(detail.contains("make another one first"), "{detail}");
    // Not oneself, although there is another one; that one can.
    let eve = heard.site.person("Eve", "admin");
    let detail = ada.delete("/users/ADA").problem(409);
    assert!(detail.contains("another admin"), "{detail}");
    eve.delete("/users/Ada").done();
    assert_eq!(eve.get("/account").ok()["role"], "admin");
}

#[test]
fn an_account_that_cannot_be_is_refused_with_what_is_wrong() {
    let heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let add = |name: &str, role: &str, password: &str| {
        let new = json!({ "name": name, "role": role, "password": password });
        ada.post("/users", &new)
    };
    let detail = add("ADA", "viewer", PASSWORD).problem(409);
    assert!(detail.contains("choose another name"), "{detail}");
    let detail = add("Bob", "viewer", "short").problem(400);
    assert!(detail.contains("10 characters"), "{detail}");
    add("a:b", "viewer", PASSWORD).problem(400);
    add("Bob", "king", PASSWORD).problem(400);
    assert_eq!(ada.get("/users").ok()["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_password_that_an_admin_sets_logs_that_person_out() {
    let mut heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let bob = heard.site.person("Bob", "viewer");
    let put = |name: &str, password: &str| {
        let body = json!({ "password": password });
        ada.ask("PUT", &format!("/users/{name}/password"), Some(&body))
    };
    put("bob", "short").problem(400);
    put("nobody", "a battery, a horse").problem(404);
    assert_eq!(bob.get("/account").status, 200);
    put("bob", "a battery, a horse").done();
    heard.says(&EventKind::PasswordChanged, "Ada", &[("name", "Bob")]);
    bob.get("/account").problem(401);
    assert_eq!(ada.get("/account").status, 200);
    heard.site.log_in("Bob", PASSWORD).problem(401);
    heard.site.logged_in("Bob", "a battery, a horse");
}

#[test]
fn an_account_is_reached_whatever_stands_in_its_name() {
    let heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    heard.site.person("Zo\u{eb} / IT 100%", "viewer");
    let path = "/users/Zo%C3%AB%20%2F%20it%20100%25";
    let change = json!({ "role": "operator" });
    let changed = ada.ask("PATCH", path, Some(&change)).ok();
    assert_eq!(changed["name"], "Zo\u{eb} / IT 100%");
    ada.delete(path).done();
}
