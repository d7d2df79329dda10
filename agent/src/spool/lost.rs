//! How many samples were given up because there was no room for them, or because a file was
//! damaged or gone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use netmonitor_protocol::SessionId;
use netmonitor_service::private_file;
use serde::{Deserialize, Serialize};

/// So many sessions are told apart; the rest is one number.
const SESSIONS: usize = 64;

/// The counters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lost {
    /// Of these sessions.
    #[serde(default)]
    sessions: BTreeMap<String, u64>,
    /// Of sessions that are not told apart any more.
    #[serde(default)]
    others: u64,
    /// Blocks that were damaged so much that nobody knows how many samples were in them.
    #[serde(default)]
    blocks: u64,
}

impl Lost {
    /// Counts some more.
    pub(super) fn add(&mut self, session: SessionId, samples: u64) {
        let name = session.to_string();
        if !self.sessions.contains_key(&name)
            && self.sessions.len() >= SESSIONS
            && let Some((_, before)) = self.sessions.pop_first()
        {
            self.others += before;
        }
        *self.sessions.entry(name).or_default() += samples;
    }

    /// Counts a block that nothing can be read of.
    pub(super) fn damaged_block(&mut self) {
        self.blocks += 1;
    }

    /// Blocks that nothing could be read of.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Samples, all together.
    pub fn total(&self) -> u64 {
        self.sessions.values().sum::<u64>() + self.others
    }

    /// Of one session.
    pub fn of(&self, session: SessionId) -> u64 {
        let name = session.to_string();
        self.sessions.get(&name).copied().unwrap_or_default()
    }

    /// What the files in these folders say. Counters only grow: of two files the larger number
    /// is the newer one.
    pub(super) fn read<'a>(folders: impl Iterator<Item = &'a Path>) -> Self {
        let mut known = Self::default();
        for folder in folders {
            let Ok(json) = std::fs::read(path(folder)) else {
                continue;
            };
            let Ok(read) = serde_json::from_slice::<Self>(&json) else {
                continue;
            };
            known.blocks = known.blocks.max(read.blocks);
            known.others = known.others.max(read.others);
            for (session, samples) in read.sessions {
                let entry = known.sessions.entry(session).or_default();
                *entry = samples.max(*entry);
            }
        }
        known
    }

    /// Keeps them in a folder.
    pub(super) fn write(&self, folder: &Path) -> std::io::Result<()> {
        let json = serde_json::to_vec(self)?;
        private_file::write(&path(folder), &json)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("lost.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_survive_and_the_larger_one_counts() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut lost = Lost::default();
        lost.add(SessionId(1), 5);
        lost.write(one.path()).unwrap();
        lost.add(SessionId(1), 2);
        lost.add(SessionId(2), 1);
        lost.write(other.path()).unwrap();
        let read = Lost::read([one.path(), other.path()].into_iter());
        assert_eq!((read.of(SessionId(1)), read.total()), (7, 8));
        assert_eq!(read, lost);
    }

    #[test]
    fn however_many_sessions_there_were_the_sum_is_right() {
        let mut lost = Lost::default();
        for session in 0..1000 {
            lost.add(SessionId(session), 3);
        }
        assert_eq!(lost.total(), 3000);
        assert_eq!(lost.sessions.len(), SESSIONS);
    }
}
