//! Containers of Docker or Podman: which there are, over their socket; what they use, from their
//! control groups, which costs those two nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Container, ContainerState};
use serde::Deserialize;

use super::super::{Collector, Part, percent};
use super::sysfs;
use crate::root::Root;
use socket::{SocketError, get};

mod socket;

/// Where the sockets are: the first one that is there counts.
const SOCKETS: [&str; 3] = [
    "run/docker.sock",
    "run/podman/podman.sock",
    "var/run/docker.sock",
];

/// So many containers are told; a machine with more has other tools.
const MOST: usize = 200;

/// Names are no longer, in characters.
const LONGEST_NAME: usize = 128;

struct Containers {
    root: Root,
    /// Control groups of containers that run, by their id. None where it was not found.
    groups: HashMap<String, Option<Group>>,
    before: Option<(Instant, HashMap<String, u64>)>,
    cores: f64,
}

/// Where the numbers of one container are.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Group {
    /// Control groups of version 2.
    Unified(PathBuf),
    /// Version 1: of the processor and of the memory.
    Split(PathBuf, PathBuf),
}

/// What one container uses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Use {
    /// Time on the processor since its start, in microseconds.
    cpu_usec: Option<u64>,
    memory_bytes: Option<u64>,
}

/// A container in a list of all (Docker Engine API, `GET /containers/json`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default)]
    image: String,
    #[serde(default)]
    state: String,
    /// For people: `Up 3 hours (healthy)`.
    #[serde(default)]
    status: String,
}

/// What is needed of one (`GET /containers/{id}/json`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    state: InspectedState,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedState {
    pid: u32,
}

pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let stat = root.text("proc/stat")?;
    let cores = stat.lines().filter(|line| line.starts_with("cpu")).count();
    Ok(Box::new(Containers {
        root: root.clone(),
        groups: HashMap::new(),
        before: None,
        cores: cores.saturating_sub(1).max(1) as f64,
    }))
}

impl Collector for Containers {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        let Some(path) = self.socket() else {
            return Ok(Part::Nothing);
        };
        let mut listed: Vec<Listed> = get(&path, "/containers/json?all=1")?;
        listed.sort_by(|a, b| a.names.cmp(&b.names));
        listed.truncate(MOST);
        let is_there = |id: &String| listed.iter().any(|it| it.id == *id);
        self.groups.retain(|id, _| is_there(id));
        let before = self.before.take();
        let mut used = HashMap::new();
        let mut containers = Vec::with_capacity(listed.len());
        for it in listed {
            let state = state(&it.state);
            let now_used = if state == ContainerState::Running {
                self.used(&path, &it.id)?
            } else {
                Use::default()
            };
            let cpu_percent = before.as_ref().and_then(|(then, before)| {
                let more = now_used.cpu_usec?.checked_sub(*before.get(&it.id)?)? as f64;
                let elapsed = now.saturating_duration_since(*then).as_micros() as f64;
                percent(more, elapsed * self.cores)
            });
            if let Some(usec) = now_used.cpu_usec {
                used.insert(it.id.clone(), usec);
            }
            containers.push(Container {
                name: name(&it),
                image: clean(&it.image),
                state,
                cpu_percent,
                memory_bytes: now_used.memory_bytes,
                healthy: healthy(&it.status),
            });
        }
        self.before = Some((now, used));
        Ok(Part::Containers(containers))
    }
}

impl Containers {
    fn socket(&self) -> Option<PathBuf> {
        let mut paths = SOCKETS.iter().map(|file| self.root.path(file));
        paths.find(|path| path.exists())
    }

    /// What a container uses that runs; nothing if nobody knows where to look.
    fn used(&mut self, socket: &Path, id: &str) -> Result<Use, SocketError> {
        let is_id = id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !self.groups.contains_key(id) && is_id {
            // One that has just ended has none.
            let found = get::<Inspected>(socket, &format!("/containers/{id}/json"));
            let group = match found {
                Ok(it) => group(&self.root, it.state.pid),
                Err(SocketError::Status(_)) => return Ok(Use::default()),
                Err(error) => return Err(error),
            };
            self.groups.insert(id.to_owned(), group);
        }
        let group = self.groups.get(id).and_then(Option::as_ref);
        let used = group.map(Group::used).unwrap_or_default();
        if used.cpu_usec.is_none() {
            // It is looked for anew: it may have been started in another place.
            self.groups.remove(id);
        }
        Ok(used)
    }
}

/// The control group of a process (`cgroups(7)`, `/proc/PID/cgroup`).
fn group(root: &Root, pid: u32) -> Option<Group> {
    let text = root.read(format!("proc/{pid}/cgroup")).ok()?;
    let folder = root.path("sys/fs/cgroup");
    let of = |controller: &str| {
        text.lines().find_map(|line| {
            let mut parts = line.splitn(3, ':').skip(1);
            let controllers = parts.next()?;
            let path = parts.next()?.trim_start_matches('/');
            controllers
                .split(',')
                .any(|it| it == controller)
                .then_some(path)
        })
    };
    if let (Some(cpu), Some(memory)) = (of("cpuacct"), of("memory")) {
        let (cpu, memory) = (
            folder.join("cpuacct").join(cpu),
            folder.join("memory").join(memory),
        );
        return Some(Group::Split(cpu, memory));
    }
    of("").map(|path| Group::Unified(folder.join(path)))
}

impl Group {
    fn used(&self) -> Use {
        let field = |path: PathBuf, key: &str| -> Option<u64> {
            let text = sysfs::text(&path)?;
            let mut lines = text.lines().filter_map(|line| line.split_once(' '));
            lines.find(|(name, _)| *name == key)?.1.parse().ok()
        };
        // Caches of files that were not used lately can be dropped: Docker counts the same.
        let without = |all: Option<u64>, caches: Option<u64>| {
            all.map(|all| all.saturating_sub(caches.unwrap_or_default()))
        };
        match self {
            Self::Unified(folder) => Use {
                cpu_usec: field(folder.join("cpu.stat"), "usage_usec"),
                memory_bytes: without(
                    sysfs::value(&folder.join("memory.current")),
                    field(folder.join("memory.stat"), "inactive_file"),
                ),
            },
            Self::Split(cpu, memory) => Use {
                cpu_usec: sysfs::value::<u64>(&cpu.join("cpuacct.usage")).map(|ns| ns / 1000),
                memory_bytes: without(
                    sysfs::value(&memory.join("memory.usage_in_bytes")),
                    field(memory.join("memory.stat"), "total_inactive_file"),
                ),
            },
        }
    }
}

fn name(listed: &Listed) -> String {
    let name = listed
        .names
        .first()
        .map(|name| name.trim_start_matches('/'));
    let name = clean(name.unwrap_or_default());
    if name.is_empty() {
        return clean(listed.id.get(..12).unwrap_or(&listed.id));
    }
    name
}

/// Without what could confuse whoever shows it, and not endless: an image can be named at will.
fn clean(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().map(shown).take(LONGEST_NAME).collect()
}

fn state(word: &str) -> ContainerState {
    match word {
        "created" => ContainerState::Created,
        "running" => ContainerState::Running,
        "paused" => ContainerState::Paused,
        "restarting" => ContainerState::Restarting,
        "removing" => ContainerState::Removing,
        "exited" | "stopped" => ContainerState::Exited,
        "dead" => ContainerState::Dead,
        _ => ContainerState::Unknown,
    }
}

fn healthy(status: &str) -> Option<bool> {
    if status.ends_with("(healthy)") {
        Some(true)
    } else if status.ends_with("(unhealthy)") {
        Some(false)
    } else {
        None
    }
}

/// How long the socket may take: it is asked beside the agent's own thread.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

#[cfg(test)]
mod tests;
