//! People: the first admin, logging in and out, and those who guess.

use serde_json::{Value, json};

use crate::support::hub::{Home, Hub};
use netmonitor_testkit::http::Client;

const PASSWORD: &str = "a horse, a staple";

fn log_in(client: &Client, name: &str, password: &str) -> netmonitor_testkit::http::Answer {
    client.post(
        "/api/v1/login",
        &json!({ "name": name, "password": password }),
    )
}

#[test]
fn the_setup_link_makes_the_first_admin_once() {
    let mut hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let link = hub.process.line("set up this hub at ");
    assert_eq!(hub.home.told(&["setup-link"]), link);
    let token = link.split_once("/setup?token=").unwrap().1;
    let anybody = hub.anybody();
    assert_eq!(anybody.read("/api/v1/setup"), json!({ "needed": true }));
    let status = anybody.read(&format!("/api/v1/setup?token={token}"));
    assert_eq!(status, json!({ "needed": true, "token_valid": true }));
    assert_eq!(anybody.read("/api/v1/setup?token=no")["token_valid"], false);

    let set_up = |token: &str, password: &str| {
        let body = json!({ "token": token, "name": "Ada", "password": password });
        anybody.post("/api/v1/setup", &body)
    };
    set_up("no", PASSWORD).problem(403);
    let detail = set_up(token, "short").problem(400);
    assert!(detail.contains("10 characters"), "{detail}");
    let made = set_up(token, PASSWORD);
    assert_eq!(made.status, 200, "{}", made.body);
    assert_eq!(made.json(), json!({ "name": "Ada", "role": "admin" }));
    let browser = anybody.with_cookie(&made.cookie());
    assert_eq!(browser.read("/api/v1/account")["role"], "admin");

    // The link died with it.
    set_up(token, PASSWORD).problem(403);
    assert_eq!(anybody.read("/api/v1/setup"), json!({ "needed": false }));
    let again = hub.home.admin(&["setup-link"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(1), ""));
    assert!(again.stderr.contains("user passwd"), "{}", again.stderr);
    assert_eq!(log_in(&anybody, "Ada", PASSWORD).status, 200);
}

#[test]
fn a_session_is_good_until_logout_or_a_new_password() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let add = ["user", "add", "Ada", "--role", "admin", "--password-stdin"];
    assert_eq!(hub.home.admin_with(&add, PASSWORD).code, Some(0));
    let anybody = hub.anybody();
    let detail = log_in(&anybody, "Ada", "not this one").problem(401);
    assert_eq!(detail, log_in(&anybody, "Nobody", PASSWORD).problem(401));

    let answer = log_in(&anybody, "ada", PASSWORD);
    assert_eq!(answer.json(), json!({ "name": "Ada", "role": "admin" }));
    let cookie = answer.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
    }
    let browser = anybody.with_cookie(&answer.cookie());
    assert_eq!(browser.get("/api/v1/devices").status, 200);

    // A form on another site sends the cookie along, but no header of its own.
    let foreign = anybody.with_header("cookie", &answer.cookie());
    assert_eq!(foreign.get("/api/v1/devices").status, 200);
    foreign.post("/api/v1/join-codes", &json!({})).problem(401);
    foreign.ask("POST", "/api/v1/logout", None).problem(401);
    assert_eq!(browser.post("/api/v1/join-codes", &json!({})).status, 200);

    let second = anybody.with_cookie(&log_in(&anybody, "Ada", PASSWORD).cookie());
    assert_eq!(browser.ask("POST", "/api/v1/logout", None).status, 204);
    browser.get("/api/v1/account").problem(401);
    assert_eq!(second.get("/api/v1/account").status, 200);

    let third = anybody.with_cookie(&log_in(&anybody, "Ada", PASSWORD).cookie());
    let passwd = ["user", "passwd", "Ada", "--password-stdin"];
    let changed = hub.home.admin_with(&passwd, "another horse\n");
    assert_eq!((changed.code, changed.stdout.as_str()), (Some(0), ""));
    second.get("/api/v1/account").problem(401);
    third.get("/api/v1/account").problem(401);
    log_in(&anybody, "Ada", PASSWORD).problem(401);
    assert_eq!(log_in(&anybody, "Ada", "another horse").status, 200);
}

#[test]
fn whoever_guesses_passwords_has_to_wait_and_stands_in_the_log() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let add = ["user", "add", "Ada", "--role", "viewer", "--password-stdin"];
    assert_eq!(hub.home.admin_with(&add, PASSWORD).code, Some(0));
    let anybody = hub.anybody();
    let refused = (0..40)
        .map(|guess| log_in(&anybody, "Ada", &format!("guess {guess}")))
        .find(|answer| answer.status != 401)
        .expect("there is a limit");
    refused.problem(429);
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=600).contains(&wait), "{wait}");
    // Knowing the password does not help the guesser, and another account is not locked.
    log_in(&anybody, "ADA", PASSWORD).problem(429);
    log_in(&anybody, "Bob", PASSWORD).problem(401);

    let client = hub.client("viewer");
    client.until(
        "the failed attempts in the log",
        "/api/v1/events",
        |events| {
            let lines = events["items"].as_array()?;
            let is_attempt = |line: &&Value| {
                line["kind"] == "login_failed"
                    && line["parameters"]["name"] == "Ada"
                    && line["parameters"]["address"] == "127.0.0.1"
            };
            lines.iter().any(|line| is_attempt(&line)).then_some(())
        },
    );
    let log = client.get("/api/v1/events").body;
    assert!(!log.contains("guess"), "a password stands in the log");
}
