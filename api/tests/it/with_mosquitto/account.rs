//! One's own account.

use netmonitor_protocol::payload::EventKind;
use serde_json::json;

use super::log::Heard;
use crate::site::PASSWORD;
use netmonitor_testkit::http::{Answer, Client};

const OTHER: &str = "a battery, a horse";

fn change(client: &Client, old: &str, new: &str) -> Answer {
    client.post("/account/password", &json!({ "old": old, "new": new }))
}

#[test]
fn a_new_password_of_ones_own_ends_all_sessions_but_this_one() {
    let mut heard = Heard::start();
    let here = heard.site.person("Ada", "viewer");
    let there = heard.site.logged_in("Ada", PASSWORD);
    let other = heard.site.person("Bob", "viewer");
    let detail = change(&here, PASSWORD, "short").problem(400);
    assert!(detail.contains("10 characters"), "{detail}");
    assert_eq!(there.get("/account").status, 200);
    change(&here, PASSWORD, OTHER).done();
    heard.says(&EventKind::PasswordChanged, "Ada", &[("name", "Ada")]);
    assert_eq!(here.get("/account").status, 200);
    there.get("/account").problem(401);
    assert_eq!(other.get("/account").status, 200);
    heard.site.log_in("Ada", PASSWORD).problem(401);
    heard.site.logged_in("Ada", OTHER);
}

#[test]
fn whoever_guesses_the_old_password_has_to_wait_and_stands_in_the_log() {
    let mut heard = Heard::start();
    let ada = heard.site.person("Ada", "admin");
    let detail = change(&ada, "a guess, a guess", OTHER).problem(403);
    assert!(detail.contains("nothing was changed"), "{detail}");
    let tried = [("address", "127.0.0.1"), ("name", "Ada")];
    heard.says(&EventKind::LoginFailed, "Ada", &tried);
    let refused = (0..40)
        .map(|guess| change(&ada, &format!("guess {guess}"), OTHER))
        .find(|answer| answer.status != 403)
        .expect("there is a limit");
    refused.problem(429);
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    // The same limit as that of the login: knowing the password does not help now.
    change(&ada, PASSWORD, OTHER).problem(429);
    heard.site.log_in("ada", PASSWORD).problem(429);
}

#[test]
fn a_person_logs_out_everywhere_and_nobody_else_with_it() {
    let mut heard = Heard::start();
    let here = heard.site.person("Ada", "viewer");
    let there = heard.site.logged_in("ada", PASSWORD);
    let other = heard.site.person("Bob", "viewer");
    let answer = here.ask("POST", "/account/logout-everywhere", None);
    answer.done();
    assert_eq!(answer.cookie(), "netmonitor_session=");
    heard.says(&EventKind::LoggedOut, "Ada", &[("everywhere", "yes")]);
    here.get("/account").problem(401);
    there.get("/account").problem(401);
    assert_eq!(other.get("/account").status, 200);
    heard.site.logged_in("Ada", PASSWORD);
}

#[test]
fn a_token_has_no_password_and_no_sessions_and_is_told_so() {
    let heard = Heard::start();
    // Of the same name as a person, whom it must not become.
    let person = heard.site.person("Ada", "admin");
    let program = heard.site.program("Ada", "admin");
    let detail = change(&program, PASSWORD, OTHER).problem(403);
    assert!(detail.contains("API token"), "{detail}");
    let answer = program.ask("POST", "/account/logout-everywhere", None);
    let detail = answer.problem(403);
    assert!(detail.contains("API token"), "{detail}");
    assert_eq!(person.get("/account").status, 200);
    heard.site.logged_in("Ada", PASSWORD);
}
