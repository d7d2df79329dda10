//! Whole machines: `/proc` and `/sys` of several boards, and what the agent makes of them.
//!
//! What a board is stands at the head of its file in `tests/fixtures/boards`. The golden files
//! beside them are written anew by `UPDATE_EXPECT=1`.

use std::path::{Path, PathBuf};

use netmonitor_testkit::golden;
use serde_json::Value;

use super::*;
use crate::inventory::Inventory;

const BOARDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/boards");

/// Unpacks a board: files, links and folders, in this order, so that links may lead anywhere.
fn unpack(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let text = std::fs::read_to_string(format!("{BOARDS}/{name}.board")).unwrap();
    let place = |path: &str| -> PathBuf { folder.path().join(path) };
    let parent = |path: &Path| std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut links = Vec::new();
    let entries = format!("\n{text}");
    for entry in entries.split("\n=== ").skip(1) {
        let (head, content) = entry.split_once('\n').unwrap_or((entry, ""));
        if let Some((path, target)) = head.split_once(" -> ") {
            links.push((place(path), target));
        } else if let Some(path) = head.strip_suffix('/') {
            std::fs::create_dir_all(place(path)).unwrap();
        } else {
            parent(&place(head));
            let is_last = text.ends_with(entry);
            let end = if is_last { "" } else { "\n" };
            std::fs::write(place(head), format!("{content}{end}")).unwrap();
        }
    }
    for (path, target) in links {
        parent(&path);
        std::os::unix::fs::symlink(target, path).unwrap();
    }
    let mounts = std::fs::read_to_string(place("proc/self/mountinfo")).unwrap();
    for line in mounts.lines() {
        let point = line.split(' ').nth(4).unwrap().replace("\\040", " ");
        // What is mounted over a file of the board stays that.
        let _is_there = std::fs::create_dir_all(place(point.trim_start_matches('/')));
    }
    folder
}

/// Everything that this test machine has put into it is taken out.
fn is_of_the_board(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match key.as_str() {
                    "session" | "time" | "monotonic_ms" | "agent_version" | "architecture" => {
                        *value = "-".into();
                    }
                    "disks" => {
                        for disk in value.as_array_mut().unwrap() {
                            let disk = disk.as_object_mut().unwrap();
                            disk.retain(|key, _| !key.ends_with("_bytes") && key != "inodes");
                        }
                    }
                    "addresses" => *value = Value::Array(Vec::new()),
                    _ => is_of_the_board(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(is_of_the_board),
        _ => {}
    }
}

async fn check(name: &str) {
    let folder = unpack(name);
    let root = Root::new(folder.path());
    let switches: Switches = toml::from_str("[users]\nenabled = true\n").unwrap();
    let now = Instant::now();
    let mut sampler = Sampler::new(&root, &switches, SessionId(7), now);
    let sample = take(&mut sampler).await.unwrap();
    let mut inventory = Inventory::new(&root, None, None);
    let interval = Duration::from_secs(3);
    let info = inventory.read(&sampler.facts(), interval, now, clock::now());
    let mut found = serde_json::json!({ "sample": sample, "info": info });
    is_of_the_board(&mut found);
    let text = serde_json::to_string_pretty(&found).unwrap() + "\n";
    golden(format!("{BOARDS}/{name}.json"), &text);
}

#[tokio::test]
async fn a_raspberry_pi_3_is_read_as_it_is() {
    check("raspberry-pi-3").await;
}

#[tokio::test]
async fn an_office_pc_is_read_as_it_is() {
    check("office-pc").await;
}

#[tokio::test]
async fn a_laptop_is_read_as_it_is() {
    check("laptop").await;
}

#[tokio::test]
async fn an_old_server_is_read_as_it_is() {
    check("old-server").await;
}
