//! The commands on the hub's own console: they work while it runs and while it does not.

use serde_json::json;

use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::process::Ended;

/// What is told, and that nothing else is: a script takes standard output as it is.
fn secret(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    let secret = ended.stdout.strip_suffix('\n').unwrap();
    let is_bare = !secret.is_empty() && secret.chars().all(|c| c.is_ascii_graphic());
    assert!(is_bare, "{secret:?} is more than a secret");
    secret.to_owned()
}

fn assert_refused(ended: &Ended, part: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(part), "{part:?}: {}", ended.stderr);
}

fn add_user(home: &Home, name: &str, role: &str) -> Ended {
    let add = ["user", "add", name, "--role", role, "--password-stdin"];
    home.admin_with(&add, "a horse, a staple\n")
}

#[test]
fn commands_work_while_no_hub_runs_and_hold_when_it_does() {
    let home = Home::quick();
    assert_refused(&home.admin(&["join-code"]), "start it once");
    assert_refused(&home.admin(&["setup-link"]), "start it once");
    let done = add_user(&home, "Ada", "operator");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
    let viewer = secret(&home.admin(&["token", "add", "graphs", "--role", "viewer"]));
    secret(&home.admin(&["mqtt-user", "add", "ha", "--role", "reader"]));
    let passwd = ["user", "passwd", "ada", "--password-stdin"];
    let done = home.admin_with(&passwd, "a battery, a horse");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));

    let mut hub = Hub::start_in(&home, &["--no-agent"]);
    let login = json!({ "name": "Ada", "password": "a battery, a horse" });
    let answer = hub.anybody().post("/api/v1/login", &login);
    assert_eq!(answer.json(), json!({ "name": "Ada", "role": "operator" }));
    let program = hub.anybody().with_token(&viewer);
    let account = program.read("/api/v1/account");
    assert_eq!(account, json!({ "name": "graphs", "role": "viewer" }));
    // A hub that has run knows where it listened.
    assert_eq!(hub.process.terminate().code(), Some(0));
    let code = secret(&home.admin(&["join-code", "--uses", "2", "--expires", "1h"]));
    hub.start_again();
    let (_agent, id) = Agent::joined(&code);
    assert_eq!(
        program.read(&format!("/api/v1/devices/{id}"))["id"],
        id.as_str()
    );
}

#[test]
fn commands_reach_the_hub_that_runs_and_take_effect_at_once() {
    let hub = Hub::start(&["--no-agent"]);
    let home = &hub.home;
    assert!(secret(&home.admin(&["setup-link"])).contains("/setup?token="));
    assert_eq!(add_user(home, "Ada", "admin").code, Some(0));
    assert_refused(&home.admin(&["setup-link"]), "user passwd");
    assert_refused(&add_user(home, "ADA", "viewer"), "exists already");
    assert_refused(&add_user(home, "Bob", "king"), "king");
    let short = ["user", "add", "Bob", "--role", "viewer", "--password-stdin"];
    assert_refused(&home.admin_with(&short, "short\n"), "10 characters");
    assert_refused(&home.admin_with(&short, ""), "standard input");
    let nobody = ["user", "passwd", "Nobody", "--password-stdin"];
    assert_refused(&home.admin_with(&nobody, "a horse, a staple"), "Nobody");

    let token = secret(&home.admin(&["token", "add", "graphs", "--role", "viewer"]));
    let program = hub.anybody().with_token(&token);
    assert_eq!(program.get("/api/v1/devices").status, 200);
    secret(&home.admin(&["join-code"]));

    let own = "--publish zigbee/+/set --subscribe zigbee/# --subscribe frigate/events";
    let own: Vec<_> = ["mqtt-user", "add", "zigbee"]
        .into_iter()
        .chain(own.split(' '))
        .collect();
    secret(&home.admin(&own));
    assert_refused(&home.admin(&["mqtt-user", "add", "idle"]), "--role");
    for filter in [
        "#",
        "+/x",
        "netmonitor/v1/#",
        "netmonitor-private/v1/#",
        "a/#/b",
        "",
    ] {
        let add = ["mqtt-user", "add", "greedy", "--subscribe", filter];
        assert_refused(&home.admin(&add), "cannot be given");
    }
    let sys = ["mqtt-user", "add", "greedy", "--publish", "$SYS/#"];
    assert_refused(&home.admin(&sys), "cannot be given");
    let wild = ["mqtt-user", "add", "#", "--role", "reader"];
    assert_refused(&home.admin(&wild), "choose one without");
    // Who there is, without secrets; and whoever is removed is nobody at once.
    let lists = ["user", "token", "mqtt-user", "device"].map(|what| home.admin(&[what, "list"]));
    let text: String = lists.iter().map(|list| list.stdout.as_str()).collect();
    assert!(!text.contains(&token), "{text}");
    for line in ["Ada ", "graphs  viewer ", "zigbee  none "] {
        let is_there = text.lines().any(|it| it.starts_with(line));
        assert!(is_there, "{line:?}: {text}");
    }
    assert!(
        text.contains("zigbee/+/set  zigbee/# frigate/events"),
        "{text}"
    );
    assert_refused(&home.admin(&["user", "remove", "ada"]), "only admin");
    for (what, name) in [("user", "Bea"), ("token", "spare"), ("mqtt-user", "spare")] {
        let remove = [what, "remove", name];
        assert_refused(&home.admin(&remove), &format!("netmonitor {what} list"));
    }
    assert_eq!(add_user(home, "Bea", "viewer").code, Some(0));
    let login = json!({ "name": "Bea", "password": "a horse, a staple" });
    let cookie = hub.anybody().post("/api/v1/login", &login).cookie();
    let bea = hub.anybody().with_cookie(&cookie);
    assert_eq!(bea.get("/api/v1/account").status, 200);
    let done = home.admin(&["user", "remove", "BEA"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (Some(0), ""),
        "{}",
        done.stderr
    );
    bea.get("/api/v1/account").problem(401);
    hub.anybody().post("/api/v1/login", &login).problem(401);
    let add = ["token", "add", "spare", "--role", "viewer", "--expires"];
    let spare = secret(&home.admin(&[&add[..], &["90d"]].concat()));
    let list = home.admin(&["token", "list"]).stdout;
    let has_end = |line: &str| line.starts_with("spare ") && line.ends_with('Z');
    assert!(list.lines().any(has_end), "{list}");
    let never = home.admin(&[&add[..], &["never"]].concat());
    assert_eq!((never.code, never.stdout.as_str()), (Some(2), ""));
    assert_eq!(home.admin(&["token", "remove", "spare"]).code, Some(0));
    hub.anybody()
        .with_token(&spare)
        .get("/api/v1/devices")
        .problem(401);
    assert_eq!(home.admin(&["mqtt-user", "remove", "zigbee"]).code, Some(0));

    // Nothing secret stands in the log.
    program.until("the commands in the log", "/api/v1/events", |events| {
        let log = events.to_string();
        assert!(!log.contains(&token));
        let all = [
            "user_added",
            "token_added",
            "mqtt_user_added",
            "join_code_added",
            "user_removed",
            "token_removed",
            "mqtt_user_removed",
        ];
        all.iter().all(|kind| log.contains(kind)).then_some(())
    });
}

#[test]
fn a_command_in_the_wrong_directory_says_so_and_makes_no_hub_there() {
    let home = Home::empty();
    for arguments in [
        &["user", "list"][..],
        &["user", "remove", "ada"],
        &["user", "passwd", "ada", "--password-stdin"],
        &["token", "list"],
        &["mqtt-user", "remove", "ha"],
        &["device", "list"],
        &["device", "remove", "ws-14"],
        &["join-code"],
        &["setup-link"],
        &["export-mosquitto", "files", "--join-code"],
    ] {
        let refused = home.admin_with(arguments, "a horse, a staple");
        assert_refused(&refused, "there is no hub in");
    }
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}
