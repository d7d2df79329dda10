//! The card of the hub dies, or somebody asks whether it will: verify, backup, restore.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::SignedDuration;
use netmonitor_service::clock::now;
use netmonitor_store::HistoryReader;
use netmonitor_store::history::Query;
use netmonitor_testkit::eventually_some;
use serde_json::{Value, json};

use crate::support::DEADLINE;
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};
use crate::support::process::Ended;
use netmonitor_testkit::http::Client;

const PASSWORD: &str = "a horse, a staple";

fn assert_refused(ended: &Ended, part: &str) {
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains(part), "{part:?}: {}", ended.stderr);
}

/// Times of the samples that are in the database, once there are some. The api knows more.
fn on_disk(home: &Home, device: &str) -> Vec<i64> {
    let reader = HistoryReader::new(&home.path().join("monitor.db"));
    let hour = SignedDuration::from_hours(1);
    let query = Query {
        device: device.parse().unwrap(),
        series: vec!["cpu".to_owned()],
        from: now() - hour,
        to: now() + hour,
        points: 5000,
    };
    eventually_some("samples on the disk", DEADLINE, || {
        let times = reader.columns(&query, &[]).unwrap().times;
        (times.len() >= 3).then_some(times)
    })
}

/// Times of the samples that the hub tells, once there are enough.
fn stored(client: &Client, device: &str, at_least: usize) -> Vec<i64> {
    let path = format!("/api/v1/devices/{device}/history?metrics=cpu&points=5000");
    client.until("enough stored samples", &path, |history| {
        let times = history["times"].as_array()?;
        let times: Vec<_> = times.iter().filter_map(Value::as_i64).collect();
        (times.len() >= at_least).then_some(times)
    })
}

/// Ids of all devices.
fn devices(client: &Client) -> Vec<String> {
    let devices = client.read("/api/v1/devices");
    let items = devices["items"].as_array().unwrap();
    let id = |device: &Value| device["id"].as_str().unwrap().to_owned();
    items.iter().map(id).collect()
}

/// What lies in a folder, hidden or not.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_hub_comes_back_from_a_backup_that_was_made_while_it_ran() {
    let mut hub = Hub::start(&[]);
    let client = hub.client("viewer");
    let this = devices(&client)[0].clone();
    let (mut agent, other) = Agent::joined(&hub.home.told(&["join-code"]));
    agent.run();
    let add = ["user", "add", "Ada", "--role", "admin", "--password-stdin"];
    assert_eq!(hub.home.admin_with(&add, PASSWORD).code, Some(0));
    let before = [&this, &other].map(|device| on_disk(&hub.home, device));

    let sound = hub.home.told(&["verify"]);
    assert!(sound.starts_with("everything is sound: "), "{sound}");
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("hub.backup");
    let backup = ["backup", file.to_str().unwrap()];
    // The second takes the place of the first.
    for _ in 0..2 {
        let done = hub.home.admin(&backup);
        assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""));
        assert!(done.stderr.contains("It is a secret"), "{}", done.stderr);
    }
    assert_eq!(names(elsewhere.path()), ["hub.backup"]);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let restore = ["restore", file.to_str().unwrap()];
    assert_refused(&hub.home.admin(&restore), "stop the hub first");

    // The old card is gone for good. The new one has what a fresh installation has: nothing.
    hub.process.kill();
    hub.home = Home::empty();
    let done = hub.home.admin(&restore);
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.stderr.contains("restored the hub of"), "{done:?}");
    let sound = hub.home.told(&["verify"]);
    // What it holds is counted, too.
    let counted: Vec<_> = sound.rsplit(", ").take(2).collect();
    assert!(
        counted[1].ends_with(" samples") && counted[0].ends_with(" chunks"),
        "{sound}"
    );
    assert!(
        sound.starts_with("everything is sound: 4 databases, "),
        "{sound}"
    );
    hub.start_again();

    let login = json!({ "name": "Ada", "password": PASSWORD });
    assert_eq!(hub.anybody().post("/api/v1/login", &login).status, 200);
    // The token is good, nobody has joined anew, and what was stored is there.
    let mut both = [this.clone(), other.clone()];
    both.sort();
    assert_eq!(devices(&client), both);
    for (device, times) in [&this, &other].into_iter().zip(before) {
        let after = stored(&client, device, times.len() + 2);
        let lost = times.iter().filter(|time| !after.contains(time)).count();
        assert_eq!(lost, 0, "of {} samples of {device}", times.len());
        client.until("it is online", &format!("/api/v1/devices/{device}"), |it| {
            (it["status"] == "online").then_some(())
        });
    }
}

#[test]
fn a_backup_goes_through_a_pipe_and_never_over_what_is_none() {
    let hub = Hub::start(&["--no-agent"]);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let script = "\"$1\" --data-dir \"$2\" backup - | \"$1\" --data-dir \"$3\" restore -";
    let mut shell = std::process::Command::new("bash");
    shell.args(["-o", "pipefail", "-c", script, "-"]);
    shell.arg(crate::support::programs::program("netmonitor"));
    shell.arg(hub.home.path()).arg(path("new"));
    let done = crate::support::process::output(&mut shell, "");
    assert_eq!((done.code, done.stdout.as_str()), (Some(0), ""), "{done:?}");
    let ca = |folder: &Path| fs::read(folder.join("tls/ca.pem")).unwrap();
    assert_eq!(ca(&path("new")), ca(hub.home.path()));
    // Copies of the databases do not stay behind.
    assert!(
        !names(hub.home.path())
            .iter()
            .any(|name| name.starts_with('.'))
    );

    fs::write(path("letter"), "to a friend").unwrap();
    let to = path("letter");
    let refused = hub.home.admin(&["backup", to.to_str().unwrap()]);
    assert_refused(&refused, "is no backup");
    assert_eq!(fs::read_to_string(to).unwrap(), "to a friend");
    let refused = hub.home.admin(&["backup", folder.path().to_str().unwrap()]);
    assert_refused(&refused, "is a directory");
    let refused = hub.home.admin(&["backup", "/nonexistent/hub.backup"]);
    assert_refused(&refused, "cannot write to /nonexistent");
    // A device that is always full.
    let script = "exec \"$1\" --data-dir \"$2\" backup - >/dev/full";
    let mut shell = std::process::Command::new("bash");
    shell.args(["-c", script, "-"]);
    shell.arg(crate::support::programs::program("netmonitor"));
    shell.arg(hub.home.path());
    assert_refused(
        &crate::support::process::output(&mut shell, ""),
        "No space left",
    );
    assert_refused(&Home::empty().admin(&["backup", "x"]), "there is no hub in");
}

#[test]
fn damage_is_named_with_what_to_do_and_is_no_backup() {
    let mut hub = Hub::start(&["--no-agent"]);
    hub.client("viewer");
    assert_eq!(hub.process.terminate().code(), Some(0));
    let home = &hub.home;
    assert!(home.told(&["verify"]).starts_with("everything is sound: "));
    let path = home.path().join("hub.db");
    let good = fs::read(&path).unwrap();
    // All but the first page, which has the list of tables.
    let mut bad = good.clone();
    bad[4096..].fill(0xA5);
    fs::write(&path, bad).unwrap();
    let found = home.admin(&["verify"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    for line in found.stdout.lines() {
        assert!(line.contains("hub.db: "), "{line}");
        assert!(line.contains("netmonitor restore FILE --force"), "{line}");
    }
    assert!(!found.stdout.is_empty());
    assert!(found.stderr.contains("1 of 4 databases"), "{found:?}");
    let to = home.path().join("hub.backup");
    let refused = home.admin(&["backup", to.to_str().unwrap()]);
    assert_refused(&refused, "is damaged");
    assert!(!to.exists());
    fs::write(&path, good).unwrap();
    assert!(home.told(&["verify"]).starts_with("everything is sound: "));
    assert_refused(&Home::empty().admin(&["verify"]), "there is no hub in");
}
