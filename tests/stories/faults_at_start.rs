//! What keeps a hub from starting: one clear message, exit code 1, and nothing was changed.

use std::collections::BTreeMap;
use std::fs::{self, FileType};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::support::hub::{Home, Hub};
use crate::support::process::{Ended, command, output};

/// Every file with what is in it, but for what SQLite keeps beside a database while it is read.
fn contents(folder: &Path) -> BTreeMap<PathBuf, (FileType, Vec<u8>)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(contents(&entry.path()));
        }
        let bytes = if kind.is_file() {
            fs::read(entry.path()).unwrap()
        } else {
            Vec::new()
        };
        // Whoever reads a database leaves these beside it; there is nothing in them.
        let name = entry.file_name();
        let name = name.to_str().unwrap();
        let is_empty_log = name.ends_with(".db-wal") && bytes.is_empty();
        if !name.ends_with(".db-shm") && !is_empty_log {
            found.insert(entry.path(), (kind, bytes));
        }
    }
    found
}

/// Fails unless the hub says one line with all of this and exits with 1.
fn assert_refused(ended: &Ended, parts: &[&str]) {
    let Ended {
        code,
        stdout,
        stderr,
    } = ended;
    assert_eq!(*code, Some(1), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "not one line: {stderr}");
    assert!(stderr.starts_with("netmonitor: "), "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "{part:?} is missing in: {stderr}");
    }
    assert!(!stdout.contains("ready"), "{stdout}");
}

/// A hub on free ports, but for these flags.
fn run(home: &Home, flags: &[&str]) -> Ended {
    let mut command = command("netmonitor");
    command.arg("run").arg("--data-dir").arg(home.path());
    for flag in ["--http", "--https", "--mqtt", "--mqtts"] {
        if !flags.contains(&flag) {
            command.args([flag, "127.0.0.1:0"]);
        }
    }
    output(command.args(flags), "")
}

/// Fails unless the hub refuses to start and leaves everything as it was.
fn assert_refused_unchanged(home: &Home, flags: &[&str], parts: &[&str]) {
    let before = contents(home.path());
    assert_refused(&run(home, flags), parts);
    let after = contents(home.path());
    let changed = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let differences: Vec<_> = before.keys().chain(after.keys()).filter(changed).collect();
    assert!(differences.is_empty(), "{flags:?} changed {differences:?}");
}

/// A hub that has run before, with a history.
fn used() -> Home {
    let mut hub = Hub::start(&[]);
    assert_eq!(hub.process.terminate().code(), Some(0));
    // What SQLite keeps beside a database goes into it when it is next opened.
    hub.home.told(&["setup-link"]);
    hub.home.clone()
}

#[test]
fn each_fault_at_start_is_named_and_changes_nothing() {
    let home = used();

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for flag in ["--http", "--https", "--mqtt", "--mqtts"] {
        let parts = ["cannot listen on", &address, flag, "in use"];
        assert_refused_unchanged(&home, &[flag, &address], &parts);
        let parts = ["\"nonsense\" is not an address", flag];
        assert_refused_unchanged(&home, &[flag, "nonsense"], &parts);
    }
    assert_refused_unchanged(
        &home,
        &["--mqtt-url", "http://broker:1883"],
        &["http://broker:1883", "mqtt://host:port"],
    );
    assert_refused_unchanged(
        &home,
        &["--config", "/nonexistent/file.toml"],
        &["/nonexistent/file.toml"],
    );

    let file = home.path().join("netmonitor.toml");
    let name = file.to_str().unwrap();
    for (text, parts) in [
        (
            "# ours\n[ingest]\ncommit_interval = 2.0\n",
            &["line 3", "commit_interval", "commit_interval_secs"][..],
        ),
        (
            "[api]\nsession_days = \"many\"\n",
            &["line 2", "session_days", "many"],
        ),
        ("[mqqt]\n", &["line 1", "mqqt", "mqtt"]),
        ("[api\n", &["line 1"]),
    ] {
        fs::write(&file, text).unwrap();
        assert_refused_unchanged(&home, &[], &[&[name], parts].concat());
    }
    fs::remove_file(&file).unwrap();

    for database in ["hub.db", "monitor.db"] {
        let path = home.path().join(database);
        let version = set_version(&path, 9_999);
        let parts = [
            path.to_str().unwrap(),
            "version 9999",
            "nothing was changed",
        ];
        assert_refused_unchanged(&home, &[], &parts);
        set_version(&path, version);
    }

    // And with all of that gone, it starts.
    Hub::start_in(&home, &[]);
}

/// Replaces the version in the header of an SQLite file (at byte 60, big-endian), and returns
/// the one that was there.
fn set_version(path: &Path, version: u32) -> u32 {
    let mut file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut found = [0; 4];
    file.seek(SeekFrom::Start(60)).unwrap();
    file.read_exact(&mut found).unwrap();
    file.seek(SeekFrom::Start(60)).unwrap();
    file.write_all(&version.to_be_bytes()).unwrap();
    u32::from_be_bytes(found)
}

#[test]
fn a_data_directory_that_cannot_be_written_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a-file");
    fs::write(&file, "not ours").unwrap();
    // Permissions would not keep root out, a file in its place keeps everybody out.
    for place in [file.clone(), file.join("below")] {
        let mut command = command("netmonitor");
        command.args(["--no-agent", "--data-dir"]).arg(&place);
        for flag in ["--http", "--https", "--mqtt", "--mqtts"] {
            command.args([flag, "127.0.0.1:0"]);
        }
        let ended = output(&mut command, "");
        assert_refused(&ended, &[place.to_str().unwrap(), "--data-dir"]);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "not ours");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_second_hub_in_the_same_directory_ends_and_the_first_goes_on() {
    let mut hub = Hub::start(&["--no-agent"]);
    let path = hub.home.path().to_str().unwrap().to_owned();
    let addresses = fs::read(hub.home.path().join("addresses.json")).unwrap();
    let refused = run(&hub.home, &[]);
    assert_refused(&refused, &[&path, "another hub runs"]);
    let after = fs::read(hub.home.path().join("addresses.json")).unwrap();
    assert_eq!(addresses, after);
    for service in ["api", "ingest"] {
        let mut second = command("netmonitor");
        second.arg(service).arg("--data-dir").arg(&path);
        second.args(["--http", "127.0.0.1:0", "--https", "127.0.0.1:0"]);
        assert_refused(&output(&mut second, ""), &[&path, "another hub runs"]);
    }
    // Commands still reach the first one, and it works.
    let client = hub.client("viewer");
    let health = client.read("/api/v1/hub");
    for service in health["services"].as_array().unwrap() {
        assert_eq!(service["state"], "running", "{health}");
    }
    assert_eq!(hub.process.terminate().code(), Some(0));
}
