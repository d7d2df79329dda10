//! What a drive with a write cache holds, and what is left of it when the power fails.
//!
//! What was synced is safe, and nothing else is:
//!
//! - `fsync` and `fdatasync` of a file make its data and length safe, of that file alone;
//! - `fsync` of any directory makes all names safe, in the order in which they changed, as the
//!   journal of a file system does.
//!
//! That is stricter than ext4, whose journal makes names safe with the `fsync` of any file as well
//! (kernel documentation, "ext4: data mode"). Modes and owners are safe at once: nothing here
//! depends on them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

/// Number of the root directory.
pub(super) const ROOT: u64 = 1;

/// Number of a file or directory, for its whole life.
pub(super) type Number = u64;

/// Which name in which directory is what.
type Names = BTreeMap<(Number, OsString), Number>;

/// A change of names: all of it is safe, or nothing.
type Change = Vec<((Number, OsString), Option<Number>)>;

/// What is not a file of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Socket,
}

/// What a power cut leaves.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cut {
    /// What was synced, and nothing else.
    Synced,
    /// What was synced, and by chance some of the rest: of names, those up to a point; of data, any
    /// sectors of 512 bytes or 4 KiB, in any order. The same seed leaves the same.
    Torn {
        /// Where chance begins.
        seed: u64,
    },
}

/// A file or directory.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) mode: u16,
    pub(super) owner: (u32, u32),
    /// What those see who read it.
    pub(super) data: Vec<u8>,
    /// What is safe.
    safe: Vec<u8>,
    /// What has happened since, in order.
    unsafe_yet: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    Write { at: usize, bytes: Vec<u8> },
    Resize { to: usize },
}

/// The drive.
#[derive(Debug, Clone)]
pub(crate) struct Disk {
    nodes: BTreeMap<Number, Node>,
    next: Number,
    names: Names,
    safe_names: Names,
    /// Changes of names that are not safe, in order.
    journal: Vec<Change>,
}

impl Disk {
    /// An empty one.
    pub(crate) fn new() -> Self {
        let mut disk = Self {
            nodes: BTreeMap::new(),
            next: ROOT,
            names: Names::new(),
            safe_names: Names::new(),
            journal: Vec::new(),
        };
        disk.add(Kind::Directory, 0o700, (0, 0));
        disk
    }

    fn add(&mut self, kind: Kind, mode: u16, owner: (u32, u32)) -> Number {
        let number = self.next;
        self.next += 1;
        let node = Node {
            kind,
            mode,
            owner,
            data: Vec::new(),
            safe: Vec::new(),
            unsafe_yet: Vec::new(),
        };
        self.nodes.insert(number, node);
        number
    }

    pub(super) fn node(&self, number: Number) -> &Node {
        &self.nodes[&number]
    }

    pub(super) fn node_mut(&mut self, number: Number) -> &mut Node {
        self.nodes
            .get_mut(&number)
            .expect("the kernel knows what it was told")
    }

    pub(super) fn find(&self, directory: Number, name: &OsStr) -> Option<Number> {
        let key = (directory, name.to_owned());
        self.names.get(&key).copied()
    }

    /// What is in a directory, by name.
    pub(super) fn list(&self, directory: Number) -> impl Iterator<Item = (&OsStr, Number)> {
        let all = self.names.range((directory, OsString::new())..);
        all.take_while(move |((in_directory, _), _)| *in_directory == directory)
            .map(|((_, name), number)| (name.as_os_str(), *number))
    }

    /// How many names something has.
    pub(super) fn links(&self, number: Number) -> u32 {
        let names = self.names.values().filter(|named| **named == number);
        u32::try_from(names.count()).unwrap_or(u32::MAX)
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.journal.push(change);
    }

    pub(super) fn create(
        &mut self,
        directory: Number,
        name: &OsStr,
        kind: Kind,
        mode: u16,
        owner: (u32, u32),
    ) -> Number {
        let number = self.add(kind, mode, owner);
        self.link(directory, name, number);
        number
    }

    pub(super) fn link(&mut self, directory: Number, name: &OsStr, number: Number) {
        self.change(vec![((directory, name.to_owned()), Some(number))]);
    }

    pub(super) fn remove(&mut self, directory: Number, name: &OsStr) {
        self.change(vec![((directory, name.to_owned()), None)]);
    }

    pub(super) fn rename(&mut self, from: (Number, &OsStr), to: (Number, &OsStr)) {
        let number = self.find(from.0, from.1);
        self.change(vec![
            ((from.0, from.1.to_owned()), None),
            ((to.0, to.1.to_owned()), number),
        ]);
    }

    pub(super) fn write(&mut self, number: Number, at: usize, bytes: &[u8]) {
        let node = self.node_mut(number);
        put(&mut node.data, at, bytes);
        let bytes = bytes.to_vec();
        node.unsafe_yet.push(Step::Write { at, bytes });
    }

    pub(super) fn resize(&mut self, number: Number, to: usize) {
        let node = self.node_mut(number);
        node.data.resize(to, 0);
        node.unsafe_yet.push(Step::Resize { to });
    }

    /// `fsync` of a file.
    pub(super) fn sync(&mut self, number: Number) {
        let node = self.node_mut(number);
        node.unsafe_yet.clear();
        node.safe.clone_from(&node.data);
    }

    /// `fsync` of a directory.
    pub(super) fn sync_names(&mut self) {
        self.journal.clear();
        self.safe_names.clone_from(&self.names);
    }

    /// Everything, as after a minute without work.
    pub(super) fn sync_all(&mut self) {
        self.sync_names();
        let numbers: Vec<_> = self.nodes.keys().copied().collect();
        for number in numbers {
            self.sync(number);
        }
    }

    /// What is left after the power has failed; all of that is safe.
    pub(crate) fn cut(&self, how: Cut) -> Self {
        let mut chance = match how {
            Cut::Synced => None,
            Cut::Torn { seed } => Some(StdRng::seed_from_u64(seed)),
        };
        let mut names = self.safe_names.clone();
        if let Some(chance) = &mut chance {
            let kept = chance.random_range(0..=self.journal.len());
            for change in &self.journal[..kept] {
                apply(&mut names, change);
            }
        }
        let left: BTreeSet<_> = names.values().copied().chain([ROOT]).collect();
        let nodes = self
            .nodes
            .iter()
            .filter(|(number, _)| left.contains(number));
        let nodes = nodes.map(|(number, node)| {
            let data = match &mut chance {
                None => node.safe.clone(),
                Some(chance) => torn(node, chance),
            };
            let node = Node {
                safe: data.clone(),
                data,
                unsafe_yet: Vec::new(),
                ..node.clone()
            };
            (*number, node)
        });
        Self {
            nodes: nodes.collect(),
            next: self.next,
            safe_names: names.clone(),
            names,
            journal: Vec::new(),
        }
    }
}

fn apply(names: &mut Names, change: &Change) {
    for (name, number) in change {
        match number {
            Some(number) => names.insert(name.clone(), *number),
            None => names.remove(name),
        };
    }
}

fn put(data: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if data.len() < end {
        data.resize(end, 0);
    }
    data[at..end].copy_from_slice(bytes);
}

/// Lengths are in the journal, so those up to a point are kept. Sectors reach the medium as the
/// drive likes.
fn torn(node: &Node, chance: &mut StdRng) -> Vec<u8> {
    let mut data = node.safe.clone();
    let sector = if chance.random() { 512 } else { 4096 };
    let likely: f64 = chance.random();
    let journaled = chance.random_range(0..=node.unsafe_yet.len());
    for (i, step) in node.unsafe_yet.iter().enumerate() {
        match step {
            Step::Resize { to } if i < journaled => data.resize(*to, 0),
            Step::Resize { .. } => {}
            Step::Write { at, bytes } => {
                let end = at + bytes.len();
                // The new length may be there, and the data not.
                if i < journaled && data.len() < end {
                    data.resize(end, 0);
                }
                let mut begin = *at;
                while begin < end {
                    let next = ((begin / sector + 1) * sector).min(end);
                    if chance.random_bool(likely) {
                        put(&mut data, begin, &bytes[begin - at..next - at]);
                    }
                    begin = next;
                }
            }
        }
    }
    data
}
