//! What can be checked of the house without running it: who may depend on whom, where topics are
//! written, how long files are. The reasons stand in ARCHITECTURE.md.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::{Table, Value};

/// Which of our crates each crate may use. A new crate says so here.
const EDGES: &[(&str, &[&str])] = &[
    ("netmonitor-protocol", &[]),
    ("netmonitor-rules", &["protocol"]),
    ("netmonitor-service", &["protocol"]),
    ("netmonitor-store", &["protocol"]),
    ("netmonitor-testkit", &[]),
    ("netmonitor-dashboard", &[]),
    // Services: they meet on topics, none uses another.
    ("netmonitor-agent", &["protocol", "service"]),
    ("netmonitor-broker", &["protocol", "service", "store"]),
    ("netmonitor-ingest", &["protocol", "service", "store"]),
    (
        "netmonitor-alerting",
        &["protocol", "rules", "service", "store"],
    ),
    (
        "netmonitor-api",
        &["dashboard", "protocol", "rules", "service", "store"],
    ),
    // Nothing uses the hub.
    (
        "netmonitor-hub",
        &[
            "agent", "alerting", "api", "broker", "ingest", "protocol", "service", "store",
        ],
    ),
    // Measures the programs from outside, and simulates agents with the agent's own words.
    (
        "netmonitor-benches",
        &["agent", "protocol", "rules", "service", "store", "testkit"],
    ),
    ("netmonitor-tests", &[]),
];

/// Crates of others that one crate of ours keeps to itself, or some do.
const KEPT: &[(&str, &[&str])] = &[
    ("rumqttc", &["netmonitor-service"]),
    ("rumqttd", &["netmonitor-broker"]),
    // Plain tables beside our history.
    ("rusqlite", &["netmonitor-store", "netmonitor-benches"]),
    ("poem", &["netmonitor-api"]),
];

/// What a crate must not bring along, by whatever way.
const NEVER: &[(&str, &[&str])] = &[
    // The contract: no input and output, no clock of its own.
    (
        "netmonitor-protocol",
        &["tokio", "rumqttc", "rumqttd", "rusqlite", "poem", "hyper"],
    ),
    (
        "netmonitor-rules",
        &["tokio", "rumqttc", "rumqttd", "rusqlite", "poem", "hyper"],
    ),
    // It knows neither MQTT nor HTTP.
    (
        "netmonitor-store",
        &["rumqttc", "rumqttd", "poem", "hyper", "tokio"],
    ),
    // Small on every machine: no database, no server.
    (
        "netmonitor-agent",
        &["rusqlite", "netmonitor-store", "poem", "hyper", "rumqttd"],
    ),
];

/// So long may a file be, in lines.
const MAX_LINES: usize = 500;

/// Longer ones, each with its reason.
const LONGER: &[(&str, usize, &str)] = &[];

/// What nobody writes by hand.
const GENERATED: &[&str] = &["dashboard/web/src/api/__generated__/"];

/// Roots of topics: only the contract spells them.
const TOPIC_ROOTS: [&str; 2] = ["netmonitor/v1", "netmonitor-private"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file that is in the repository or about to be, but not what git ignores.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output()
        .expect("git is installed");
    assert!(listed.status.success(), "this is no git repository");
    let text = String::from_utf8(listed.stdout).unwrap();
    let is_there = |path: &&str| root().join(path).is_file();
    text.lines().filter(is_there).map(str::to_owned).collect()
}

fn has_ending(path: &str, endings: &[&str]) -> bool {
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| endings.contains(&ending))
}

/// Folder and manifest of each of our crates.
fn crates() -> Vec<(String, Table)> {
    let workspace: Table = read("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap();
    let manifest = |folder: &Value| {
        let folder = folder.as_str().unwrap().to_owned();
        let table = read(&format!("{folder}/Cargo.toml")).parse().unwrap();
        (folder, table)
    };
    members.iter().map(manifest).collect()
}

fn name(manifest: &Table) -> &str {
    manifest["package"]["name"].as_str().unwrap()
}

/// The names in every table of this kind, those for one platform included.
fn dependencies(manifest: &Table, kind: &str) -> BTreeSet<String> {
    let everywhere = manifest.get(kind);
    let platforms = manifest.get("target").and_then(Value::as_table);
    platforms
        .into_iter()
        .flat_map(Table::values)
        .map(|platform| platform.get(kind))
        .chain([everywhere])
        .flatten()
        .filter_map(Value::as_table)
        .flat_map(Table::keys)
        .cloned()
        .collect()
}

#[test]
fn crates_use_each_other_only_as_the_house_says() {
    let edges: BTreeMap<_, _> = EDGES.iter().copied().collect();
    for (folder, manifest) in crates() {
        let name = name(&manifest);
        let allowed = edges
            .get(name)
            .unwrap_or_else(|| panic!("{name} is new: say in EDGES what it may use"));
        let may_use = |other: &str| {
            other
                .strip_prefix("netmonitor-")
                .is_none_or(|short| allowed.contains(&short))
        };
        for kind in ["dependencies", "build-dependencies"] {
            for other in dependencies(&manifest, kind) {
                assert!(may_use(&other), "{folder} must not use {other}");
                for (kept, owners) in KEPT {
                    let is_theirs = other == *kept && !owners.contains(&name);
                    assert!(!is_theirs, "{folder} uses {kept}: only {owners:?} may");
                }
            }
        }
        for other in dependencies(&manifest, "dev-dependencies") {
            let is_for_tests = other == "netmonitor-testkit" || name == "netmonitor-tests";
            assert!(
                is_for_tests || may_use(&other),
                "the tests of {folder} must not use {other}"
            );
        }
    }
}

#[test]
fn no_crate_brings_along_what_it_must_never_have() {
    let lock: Table = read("Cargo.lock").parse().unwrap();
    let mut uses: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in lock["package"].as_array().unwrap() {
        // Where there are two versions of one crate, its name is followed by the version.
        let found = package.get("dependencies").and_then(Value::as_array);
        let names = found.into_iter().flatten().filter_map(|dependency| {
            let text = dependency.as_str()?;
            text.split(' ').next()
        });
        let package = package["name"].as_str().unwrap();
        uses.entry(package).or_default().extend(names);
    }
    for (package, never) in NEVER {
        let mut reached = BTreeSet::new();
        let mut open = vec![*package];
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(&uses[next]);
            }
        }
        for other in *never {
            assert!(!reached.contains(other), "{package} brings {other} along");
        }
    }
}

#[test]
fn every_crate_keeps_the_lints_of_the_house() {
    for (folder, manifest) in crates() {
        let lints = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"));
        let keeps = lints.and_then(Value::as_bool) == Some(true);
        assert!(keeps, "{folder}/Cargo.toml: [lints] workspace = true");
    }
}

#[test]
fn every_crate_has_its_place_in_the_architecture() {
    let text = read("ARCHITECTURE.md");
    for (folder, _) in crates() {
        assert!(
            text.contains(&format!("{folder}/")) || text.contains(&format!("`{folder}`")),
            "ARCHITECTURE.md does not say what {folder} is"
        );
    }
}

#[test]
fn topics_are_spelled_in_the_contract_alone() {
    for path in files() {
        let is_code = has_ending(&path, &["rs"]) && !path.starts_with("crates/protocol/");
        let is_test =
            path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("/tests.rs");
        if !is_code || is_test {
            continue;
        }
        let text = read(&path);
        // Unit tests stand at the foot of a file, and may spell what they expect.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in (1..).zip(code.lines()) {
            let is_comment = line.trim_start().starts_with("//");
            let spells = TOPIC_ROOTS.iter().any(|root| line.contains(root));
            assert!(is_comment || !spells, "{path}:{number} spells a topic");
        }
    }
}

#[test]
fn source_files_are_short() {
    let is_source = |path: &&String| {
        has_ending(path, &["rs", "ts", "svelte", "mjs", "css"])
            && !GENERATED.iter().any(|folder| path.starts_with(folder))
    };
    let too_long: Vec<_> = files()
        .iter()
        .filter(is_source)
        .map(|path| (path.clone(), read(path).lines().count()))
        .filter(|(path, lines)| {
            let longer = LONGER.iter().find(|(longer, ..)| longer == path);
            *lines > longer.map_or(MAX_LINES, |(_, most, _)| *most)
        })
        .collect();
    assert!(
        too_long.is_empty(),
        "one concept per file, at most {MAX_LINES} lines: {too_long:?}"
    );
}

#[test]
fn nothing_in_the_repository_depends_on_where_it_was_written() {
    let lock: Table = read("Cargo.lock").parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let source = package.get("source").and_then(Value::as_str);
        let is_public = source
            .is_none_or(|source| source == "registry+https://github.com/rust-lang/crates.io-index");
        assert!(is_public, "Cargo.lock: {} from {source:?}", package["name"]);
    }
    // npm is told to leave addresses out: each machine has its own way to the registry.
    for lock in [
        "dashboard/web/package-lock.json",
        "tests/clients/package-lock.json",
    ] {
        let names_addresses = read(lock).contains("\"resolved\"");
        assert!(!names_addresses, "{lock} names addresses");
    }
    // In two parts, or this file would not pass.
    let places = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    for path in files() {
        let Ok(text) = fs::read_to_string(root().join(&path)) else {
            // A picture.
            continue;
        };
        for (number, line) in (1..).zip(text.lines()) {
            let begins = |place: &&&str| {
                line.match_indices(**place).any(|(at, _)| {
                    let before = line[..at].chars().next_back();
                    !before.is_some_and(|c| c.is_alphanumeric() || "._-/".contains(c))
                })
            };
            let place = places.iter().find(begins);
            assert!(place.is_none(), "{path}:{number} names {place:?}");
        }
    }
}
