//! Packages of Debian and its relatives that could be updated: what is installed, and what the
//! lists have that apt has fetched last. Preferences of an admin (`apt_preferences(5)`) are not
//! known here: releases that are not used by themselves, such as backports, do not count.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context as _;
use netmonitor_protocol::payload::Updates;

use super::super::sysfs;
use super::version::compare;
use crate::root::Root;

/// What is installed.
const STATUS: &str = "var/lib/dpkg/status";

/// The lists.
const LISTS: &str = "var/lib/apt/lists";

/// Counts anew when something has changed: the lists of Debian have 50 MB.
pub(super) struct Apt {
    root: Root,
    counted: Option<(Seen, Option<Updates>)>,
}

/// What was there when they were counted: files with the times of their last change.
type Seen = Vec<(PathBuf, Option<SystemTime>)>;

impl Apt {
    pub(super) fn new(root: &Root) -> Self {
        Self {
            root: root.clone(),
            counted: None,
        }
    }

    /// None where there is no apt, or where its lists are compressed.
    pub(super) fn updates(&mut self) -> anyhow::Result<Option<Updates>> {
        let lists: Vec<PathBuf> = sysfs::entries(&self.root.path(LISTS))
            .into_iter()
            .filter(|(name, _)| name.ends_with("_Packages"))
            .map(|(_, path)| path)
            .collect();
        if lists.is_empty() {
            return Ok(None);
        }
        let status = self.root.path(STATUS);
        let changed = |path: &Path| path.metadata().and_then(|it| it.modified()).ok();
        let seen: Seen = std::iter::once(&status)
            .chain(&lists)
            .map(|path| (path.clone(), changed(path)))
            .collect();
        if let Some((before, updates)) = &self.counted
            && *before == seen
        {
            return Ok(*updates);
        }
        let updates = count(&status, &lists)?;
        self.counted = Some((seen, Some(updates)));
        Ok(Some(updates))
    }
}

fn count(status: &Path, lists: &[PathBuf]) -> anyhow::Result<Updates> {
    let mut installed: HashMap<(String, String), String> = HashMap::new();
    stanzas(status, |it| {
        if it.status == "install ok installed" {
            let key = (it.package.clone(), it.architecture.clone());
            installed.insert(key, it.version.clone());
        }
    })?;
    // Whether the newest one comes with a security release.
    let mut newer: HashMap<(String, String), (String, bool)> = HashMap::new();
    // Without such a release, nobody here can say what is one for security.
    let mut has_security = false;
    for list in lists.iter().filter(|list| is_used_by_itself(list)) {
        let name = list.file_name().unwrap_or_default().to_string_lossy();
        let is_security = name.contains("security");
        has_security |= is_security;
        stanzas(list, |it| {
            let key = (it.package.clone(), it.architecture.clone());
            let Some(has) = installed.get(&key) else {
                return;
            };
            let known = newer.get(&key);
            let best = known.map_or(has, |(version, _)| version);
            match compare(&it.version, best) {
                Ordering::Greater => {
                    newer.insert(key, (it.version.clone(), is_security));
                }
                // The security release has what another one has as well.
                Ordering::Equal if known.is_some() && is_security => {
                    newer.insert(key, (it.version.clone(), true));
                }
                _ => {}
            }
        })?;
    }
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let security = number(newer.values().filter(|(_, is)| *is).count());
    Ok(Updates {
        pending: number(newer.len()),
        security: has_security.then_some(security),
    })
}

/// Whether apt takes from this release without being told to (`NotAutomatic` in its file).
fn is_used_by_itself(list: &Path) -> bool {
    let name = list.file_name().unwrap_or_default().to_string_lossy();
    let Some(at) = name.find("_dists_") else {
        return true;
    };
    // The name of the release's folder ends before its component: `..._dists_bookworm_main_...`.
    let suite_end = name[at + 7..]
        .find('_')
        .map_or(name.len(), |end| at + 7 + end);
    let release = &name[..suite_end];
    ["InRelease", "Release"].iter().all(|file| {
        let Ok(file) = File::open(list.with_file_name(format!("{release}_{file}"))) else {
            return true;
        };
        // It stands in the head, before thousands of checksums.
        let mut head = BufReader::new(file).lines().map_while(Result::ok).take(40);
        !head.any(|line| line.trim_end() == "NotAutomatic: yes")
    })
}

/// What is needed of the description of one package (`deb-control(5)`).
#[derive(Debug, Default)]
struct Stanza {
    package: String,
    version: String,
    architecture: String,
    status: String,
}

/// Calls `found` for each package in a file.
fn stanzas(path: &Path, mut found: impl FnMut(&Stanza)) -> anyhow::Result<()> {
    let context = || format!("cannot read {}", path.display());
    let mut file = BufReader::new(File::open(path).with_context(context)?);
    let (mut line, mut stanza) = (Vec::new(), Stanza::default());
    loop {
        line.clear();
        let read = file.read_until(b'\n', &mut line).with_context(context)?;
        let text = line.trim_ascii_end();
        if text.is_empty() {
            if !stanza.package.is_empty() {
                found(&stanza);
            }
            stanza = Stanza::default();
            if read == 0 {
                return Ok(());
            }
            continue;
        }
        for (key, place) in [
            (&b"Package: "[..], &mut stanza.package),
            (b"Version: ", &mut stanza.version),
            (b"Architecture: ", &mut stanza.architecture),
            (b"Status: ", &mut stanza.status),
        ] {
            if let Some(value) = text.strip_prefix(key) {
                place.push_str(&String::from_utf8_lossy(value));
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_count_of_which_a_used_release_has_a_newer_version() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        let write = |file: &str, text: &str| {
            let path = root.path(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let package = |name: &str, version: &str| {
            format!(
                "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n\
                     Version: {version}\nDescription: x\n  Version: 99\n\n"
            )
        };
        let mut apt = Apt::new(&root);
        assert_eq!(apt.updates().unwrap(), None);
        let held = package("held", "1").replace("install ok", "hold ok");
        let installed = ["curl", "bash", "new", "tar"].map(|name| package(name, "1.0-1"));
        write(STATUS, &(installed.concat() + &held));
        let base = "var/lib/apt/lists/mirror.example.org_debian_dists_bookworm";
        let main = package("curl", "1.0-2") + &package("bash", "1.0-1") + &package("held", "2");
        write(&format!("{base}_main_binary-amd64_Packages"), &main);
        write(
            &format!("{base}-backports_InRelease"),
            "-----\nNotAutomatic: yes\n",
        );
        let backports = package("new", "9.0-1");
        write(
            &format!("{base}-backports_main_binary-amd64_Packages"),
            &backports,
        );
        let security = "var/lib/apt/lists/security.debian.org_dists_bookworm-security";
        let list = package("tar", "1.0-1+deb12u1") + &package("other", "5");
        write(&format!("{security}_main_binary-amd64_Packages"), &list);
        let expected = Updates {
            pending: 2,
            security: Some(1),
        };
        assert_eq!(apt.updates().unwrap(), Some(expected));
        // Nothing has changed: it is not counted anew.
        assert_eq!(apt.counted.as_ref().unwrap().0.len(), 4);
        assert_eq!(apt.updates().unwrap(), Some(expected));
        std::fs::remove_file(root.path(format!("{security}_main_binary-amd64_Packages"))).unwrap();
        let expected = Updates {
            pending: 1,
            security: None,
        };
        assert_eq!(apt.updates().unwrap(), Some(expected));
    }
}
