//! What a join code is good for, and what it is not.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use netmonitor_protocol::join_code::JoinCode;
use netmonitor_testkit::{eventually, eventually_some};
use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};

#[test]
fn a_join_code_lets_in_as_many_machines_as_it_says_and_no_stranger() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let code = hub.home.told(&["join-code"]);
    let (_first, first) = Agent::joined(&code);
    let refused = Agent::new().join(&code);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("used up"), "{}", refused.stderr);
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);

    // The same from a page of the dashboard, for two.
    let admin = hub.client("admin");
    let made = admin.post(
        "/api/v1/join-codes",
        &json!({ "uses": 2, "expires_secs": 600 }),
    );
    assert_eq!(made.status, 200, "{}", made.body);
    let made = made.json();
    let code = made["code"].as_str().unwrap();
    assert_eq!(made["command"], format!("netmonitor-agent join {code}"));
    let (_second, second) = Agent::joined(code);
    let (_third, third) = Agent::joined(code);
    assert!(first != second && first != third && second != third);
    assert_eq!(Agent::new().join(code).code, Some(1));

    // Who has joined does not do so again by accident.
    let (twice, _) = Agent::joined(&hub.home.told(&["join-code"]));
    let refused = twice.join(&hub.home.told(&["join-code"]));
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("--force"), "{}", refused.stderr);

    let devices = admin.read("/api/v1/devices");
    assert_eq!(devices["items"].as_array().unwrap().len(), 4);
}

/// A code that is good for so short a time that the command line would not make it.
fn code_for(hub: &Hub, seconds: u32) -> String {
    let mut socket = UnixStream::connect(hub.home.path().join("control.sock")).unwrap();
    let ask = json!({ "command": "join_code_add", "uses": 9, "expires_secs": seconds });
    writeln!(socket, "{ask}").unwrap();
    let mut answer = String::new();
    BufReader::new(socket).read_line(&mut answer).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    answer["done"].as_str().unwrap().to_owned()
}

#[test]
fn a_code_that_has_expired_lets_nobody_in() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let code = code_for(&hub, 1);
    let made = Instant::now();
    eventually("the code expires", DEADLINE, || {
        made.elapsed() > Duration::from_secs(1)
    });
    let late = Agent::new().join(&code);
    assert_eq!((late.code, late.stdout.as_str()), (Some(1), ""));
    assert!(late.stderr.contains("has expired"), "{}", late.stderr);
    let devices = hub.client("viewer").read("/api/v1/devices");
    assert_eq!(devices["items"], json!([]));
    // Another one is good.
    Agent::joined(&hub.home.told(&["join-code"]));
}

#[test]
fn a_code_names_the_network_first_and_then_what_the_admin_has_named() {
    let home = Home::quick();
    let public = "monitor.example.org:8883";
    let set = |address: &str| {
        let text = format!("[hub]\npublic_addresses = [\"{address}\"]\n");
        home.write("netmonitor.toml", &text);
    };
    set("https://monitor.example.org");
    let refused = home.admin(&["config"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("hub.public_addresses"),
        "{}",
        refused.stderr
    );

    set(public);
    let mut hub = Hub::start_in(&home, &["--no-agent"]);
    let expected = [hub.address("mqtts").to_owned(), public.to_owned()];
    let addresses = |code: &str| code.parse::<JoinCode>().unwrap().addresses;
    assert_eq!(addresses(&home.told(&["join-code"])), expected);
    let made = hub.client("admin").post("/api/v1/join-codes", &json!({}));
    assert_eq!(addresses(made.json()["code"].as_str().unwrap()), expected);
    assert_eq!(hub.process.terminate().code(), Some(0));
    assert_eq!(addresses(&home.told(&["join-code"])), expected);

    // Everywhere on this machine: the addresses of its networks, but none that nobody can dial.
    let port = expected[0].rsplit_once(':').unwrap().1.to_owned();
    let anywhere = ["--no-agent", "--mqtts", &format!("[::]:{port}")];
    let hub = Hub::start_in(&home, &anywhere);
    let found = addresses(&home.told(&["join-code"]));
    let (last, network) = found.split_last().unwrap();
    assert_eq!(last, public);
    assert!(!network.is_empty());
    for address in network {
        assert!(address.ends_with(&format!(":{port}")), "{address}");
        assert!(!address.contains("[::]"), "{address}");
    }
    drop(hub);
}

#[test]
fn many_wrong_codes_are_reported_and_a_good_one_still_works() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let code = hub.home.told(&["join-code"]);
    // Four at a time: they have a minute.
    std::thread::scope(|scope| {
        for first in 0..4 {
            let mut wrong: JoinCode = code.parse().unwrap();
            scope.spawn(move || {
                for number in 0..12 {
                    wrong.token = format!("{:064}", first * 100 + number);
                    let refused = Agent::new().join(&wrong.to_string());
                    assert_eq!(refused.code, Some(1));
                }
            });
        }
    });
    let log = hub.process.stderr.clone();
    eventually_some("the log says so", DEADLINE, || {
        let lines = log.all();
        let reports = lines
            .iter()
            .filter(|line| line.contains("wrong join codes"));
        (reports.count() >= 1).then_some(())
    });
    Agent::joined(&code);
}

#[test]
fn a_code_that_does_not_fit_is_refused_with_the_reason() {
    let hub = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let code: JoinCode = hub.home.told(&["join-code"]).parse().unwrap();
    let assert_refused = |code: &JoinCode, reason: &str| {
        let refused = Agent::new().join(&code.to_string());
        assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        assert!(refused.stderr.contains(reason), "{}", refused.stderr);
        assert!(!refused.stderr.contains(&code.token), "{}", refused.stderr);
    };

    let mut unknown = code.clone();
    unknown.token = "0".repeat(64);
    assert_refused(&unknown, "does not accept this code");

    // Whoever answers in the place of the hub has another certificate, and learns no token.
    let other = Hub::start_in(&Home::quick(), &["--no-agent"]);
    let mut foreign: JoinCode = other.home.told(&["join-code"]).parse().unwrap();
    let address = foreign.addresses.clone();
    foreign.addresses.clone_from(&code.addresses);
    assert_refused(&foreign, "its certificate is not the one in the code");

    drop(other);
    foreign.addresses = address;
    assert_refused(&foreign, "cannot reach the hub");

    let devices = hub.client("viewer").read("/api/v1/devices");
    assert_eq!(devices["items"], json!([]));
}

#[test]
fn a_machine_that_asks_before_the_api_is_there_joins_as_soon_as_it_is() {
    let home = Home::quick();
    let mut api = Hub::service(&home, "api");
    let _broker = Hub::service(&home, "broker");
    let code = home.told(&["join-code"]);
    api.process.kill();

    let joining = Agent::new();
    let mut waiting = joining.start_to_join(&code);
    let log = waiting.stderr.clone();
    eventually("it says that it waits", DEADLINE, || {
        log.all().iter().any(|line| line.contains("not answer yet"))
    });
    api.start_again();
    assert_eq!(waiting.ended().code(), Some(0), "{:?}", log.all());
    let client = api.client("viewer");
    let devices = client.read("/api/v1/devices");
    assert_eq!(devices["items"].as_array().unwrap().len(), 1);

    // The code was used up once.
    let refused = Agent::new().join(&code);
    assert!(refused.stderr.contains("used up"), "{}", refused.stderr);
}

#[test]
fn a_machine_that_nobody_hears_says_so_and_its_code_is_still_good() {
    let home = Home::quick();
    let mut api = Hub::service(&home, "api");
    let _broker = Hub::service(&home, "broker");
    let code = home.told(&["join-code"]);
    api.process.kill();
    let alone = Agent::new();
    let unheard = alone.join(&code);
    assert_eq!((unheard.code, unheard.stdout.as_str()), (Some(1), ""));
    assert!(unheard.stderr.contains("start it"), "{}", unheard.stderr);
    api.start_again();
    assert_eq!(alone.join(&code).code, Some(0));
}
