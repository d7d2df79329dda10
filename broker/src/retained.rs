//! The last retained message of each topic, in memory: what is true. Every change goes through
//! [`Retained::set`], which also notes it for the [file](crate::retained::journal) that follows.

pub(crate) mod changes;
pub(crate) mod journal;
pub(crate) mod snapshot;
pub(crate) mod wear;

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::config::Config;
use crate::message::{Envelope, is_same_content};
use crate::origin::{Origin, Standing};
use crate::retained::changes::{Change, Changes, Pace};
use crate::retained::snapshot::Walk;

/// A retained message as it is handed to a subscriber. The bytes are shared with the store.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) topic: Arc<str>,
    /// A packed [`Envelope`].
    pub(crate) packed: Bytes,
}

/// A message that replaces another is kept up to this size, also when the store is full. It
/// cannot grow by it more than once per topic.
const SMALL_BYTES: usize = 256;

/// Topics that are looked at in one go, while everybody else waits: about a tenth of a
/// millisecond.
const PAGE_LOOKS: usize = 1_000;
/// Messages that are taken in one go, and their bytes, beyond which the last one may reach: what
/// is replaced or cleared meanwhile is kept in memory by the page alone.
const PAGE_MESSAGES: usize = 128;
const PAGE_BYTES: usize = 64 * 1024;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) messages: usize,
    pub(crate) bytes: usize,
    /// Messages of one user.
    pub(crate) per_user: usize,
}

impl Limits {
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            messages: config.retained_max_messages,
            bytes: config.retained_max_bytes,
            per_user: config.retained_per_user_max,
        }
    }
}

/// All retained messages, bounded in number and in bytes. When full, a message on a new topic
/// is delivered but not kept.
#[derive(Debug)]
pub(crate) struct Retained {
    topics: BTreeMap<Arc<str>, Entry>,
    bytes: usize,
    /// How many are the broker's own, which count for no limit.
    own: usize,
    /// How many each user has published; who has none is not in it.
    owners: HashMap<Arc<str>, usize>,
    limits: Limits,
    /// None: nothing is written to disk.
    changes: Option<Changes>,
    /// What the file has is not in memory yet: it may have a message of any topic.
    is_loading: bool,
}

#[derive(Debug)]
struct Entry {
    packed: Bytes,
    /// The user who published it.
    owner: Arc<str>,
    pace: Pace,
    /// The file has, or is about to have, a message of this topic.
    on_disk: bool,
}

impl Retained {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            topics: BTreeMap::new(),
            bytes: 0,
            own: 0,
            owners: HashMap::new(),
            limits,
            changes: None,
            is_loading: false,
        }
    }

    /// From now on, changes are noted for the file. What it has is [restored](Self::restore) next.
    pub(crate) fn note_changes(&mut self) {
        self.changes.get_or_insert_default();
        self.is_loading = true;
    }

    /// What the file had is in memory.
    pub(crate) fn loaded(&mut self) {
        self.is_loading = false;
    }

    /// Keeps the message, or with an empty payload forgets the topic's. False: no room; then
    /// what was kept of the topic is forgotten as well, since it is not true any more.
    pub(crate) fn set(
        &mut self,
        topic: &str,
        from: Origin<'_>,
        envelope: &Envelope,
        packed: &Bytes,
    ) -> bool {
        if envelope.payload.is_empty() {
            self.forget(topic);
            return true;
        }
        let old = self.topics.get(topic);
        let is_own = old.is_some_and(|old| *old.owner == *from.user);
        let old_size = old.map_or(0, |old| size(topic, &old.packed));
        let bytes = self.bytes - old_size + size(topic, packed);
        // A state of a few bytes (`offline` for `online`) always finds room.
        let is_small_change = old_size > 0 && packed.len() <= SMALL_BYTES;
        let has_room = bytes <= from.standing.part_of(self.limits.bytes)
            && (old_size > 0 || self.len() < from.standing.part_of(self.limits.messages))
            && (is_own || self.may_own_one_more(from));
        if !has_room && !is_small_change {
            self.forget(topic);
            return false;
        }
        self.bytes = bytes;
        let Some((topic, entry)) = self.topics.get_key_value(topic) else {
            self.insert(topic.into(), from.user, packed.clone());
            return true;
        };
        let is_news = !is_same_content(&entry.packed, packed);
        let (topic, pace) = (topic.clone(), entry.pace);
        let owner = (!is_own).then(|| self.change_owner(&topic, from.user));
        if let Some(entry) = self.topics.get_mut(&topic) {
            entry.packed = packed.clone();
            entry.owner = owner.unwrap_or_else(|| entry.owner.clone());
        }
        if is_news && let Some(changes) = &mut self.changes {
            changes.set(topic, pace);
        }
        true
    }

    fn may_own_one_more(&self, from: Origin<'_>) -> bool {
        let owned = self.owners.get(from.user).copied().unwrap_or(0);
        from.standing == Standing::Reserved || owned < self.limits.per_user
    }

    /// Counts one more of the user, and returns its name as all its messages share it.
    fn own(&mut self, user: &str) -> Arc<str> {
        if let Some(count) = self.owners.get_mut(user) {
            *count += 1;
        } else {
            self.owners.insert(user.into(), 1);
        }
        let owner = self.owners.get_key_value(user);
        owner.map_or_else(|| user.into(), |(owner, _)| owner.clone())
    }

    fn disown(&mut self, owner: &str) {
        if let Some(count) = self.owners.get_mut(owner) {
            *count -= 1;
            if *count == 0 {
                self.owners.remove(owner);
            }
        }
    }

    fn change_owner(&mut self, topic: &str, user: &str) -> Arc<str> {
        if let Some(entry) = self.topics.get(topic) {
            let before = entry.owner.clone();
            self.disown(&before);
        }
        self.own(user)
    }

    fn insert(&mut self, topic: Arc<str>, user: &str, packed: Bytes) {
        let pace = Pace::of(&topic);
        self.own += usize::from(pace == Pace::Never);
        // A topic that was cleared a moment ago is still there.
        let mut on_disk = false;
        if let Some(changes) = &mut self.changes {
            on_disk = changes.is_cleared(&topic);
            changes.set(topic.clone(), pace);
        }
        let entry = Entry {
            packed,
            owner: self.own(user),
            pace,
            on_disk,
        };
        self.topics.insert(topic, entry);
    }

    fn forget(&mut self, topic: &str) {
        let Some((topic, entry)) = self.topics.remove_entry(topic) else {
            if self.is_loading
                && let Some(changes) = &mut self.changes
            {
                changes.forget_unseen(topic, self.limits.messages);
            }
            return;
        };
        self.bytes -= size(&topic, &entry.packed);
        self.own -= usize::from(entry.pace == Pace::Never);
        self.disown(&entry.owner);
        if let Some(changes) = &mut self.changes {
            changes.forget(topic, entry.on_disk || self.is_loading);
        }
    }

    /// Puts in what the file has, unless there is something newer. False: no room, or a topic that
    /// is not on disk any more, and the file is to forget it, too.
    pub(crate) fn restore(&mut self, topic: &str, owner: &str, packed: Bytes) -> bool {
        let is_full = self.len() >= self.limits.messages
            || self.bytes + size(topic, &packed) > self.limits.bytes;
        let changes = self.changes.as_ref();
        let is_cleared = changes.is_some_and(|changes| changes.is_cleared(topic));
        if is_cleared {
            return false;
        }
        let pace = Pace::of(topic);
        let is_unwanted = is_full || pace == Pace::Never;
        let is_kept = !is_unwanted && !self.topics.contains_key(topic);
        let topic: Arc<str> = topic.into();
        if is_kept {
            self.bytes += size(&topic, &packed);
            let entry = Entry {
                packed,
                owner: self.own(owner),
                pace,
                on_disk: true,
            };
            self.topics.insert(topic, entry);
        } else if is_unwanted && let Some(changes) = &mut self.changes {
            changes.forget(topic, true);
        }
        is_kept
    }

    /// See [`Changes::is_due_soon`].
    pub(crate) fn has_changed_soon(&self) -> bool {
        self.changes.as_ref().is_some_and(Changes::is_due_soon)
    }

    /// See [`Changes::begin`].
    pub(crate) fn begin_pass(&mut self, slowest: Pace) {
        if let Some(changes) = &mut self.changes {
            changes.begin(slowest);
        }
    }

    /// A batch of the pass that is under way. Nothing: it is over.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        let Some(changes) = &mut self.changes else {
            return Vec::new();
        };
        let topics = &mut self.topics;
        changes.take(|topic| {
            let entry = topics.get_mut(topic)?;
            entry.on_disk = true;
            Some((entry.packed.clone(), entry.owner.clone()))
        })
    }

    /// What could not be written has to be written later.
    pub(crate) fn put_back(&mut self, topics: impl Iterator<Item = Arc<str>>) {
        let Some(changes) = &mut self.changes else {
            return;
        };
        for topic in topics {
            match self.topics.get(&topic) {
                Some(entry) => changes.set(topic, entry.pace),
                None => changes.forget(topic, true),
            }
        }
    }

    /// The file is new and empty: all has to be written, and soon.
    pub(crate) fn put_back_all(&mut self) {
        if let Some(changes) = &mut self.changes {
            changes.clear();
            let lasting = self
                .topics
                .iter()
                .filter(|(_, entry)| entry.pace != Pace::Never);
            for (topic, _) in lasting {
                changes.set(topic.clone(), Pace::Soon);
            }
        }
    }

    /// Takes the next messages of a walk, a bounded number of them.
    pub(crate) fn page(&self, walk: &mut Walk, now: Duration) {
        let Some(literal) = walk.literal_prefix() else {
            let found = self.topics.get_key_value(walk.filter());
            if let Some((topic, entry)) = found {
                walk.offer(topic, &entry.packed, now);
            }
            walk.finish();
            return;
        };
        let from = match walk.position() {
            Some(topic) => Bound::Excluded(topic),
            None => Bound::Included(&literal[..]),
        };
        let range = self.topics.range::<str, _>((from, Bound::Unbounded));
        let mut last = None;
        for (looks, (topic, entry)) in range.enumerate() {
            if !topic.starts_with(&literal) {
                break;
            }
            let is_full = walk.waiting() >= PAGE_MESSAGES || walk.waiting_bytes() >= PAGE_BYTES;
            if looks >= PAGE_LOOKS || is_full {
                if let Some(last) = last {
                    walk.pause_at(last);
                }
                return;
            }
            if walk.wants(topic) {
                walk.offer(topic, &entry.packed, now);
            }
            last = Some(topic);
        }
        walk.finish();
    }

    /// Forgets what has expired among the next topics, and returns where to go on.
    pub(crate) fn purge(&mut self, after: Option<&str>, now: Duration) -> Option<Arc<str>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page = self.topics.range::<str, _>((from, Bound::Unbounded));
        let mut last = None;
        let mut expired: Vec<Arc<str>> = Vec::new();
        for (topic, entry) in page.take(PAGE_LOOKS) {
            let envelope = Envelope::unpack(entry.packed.clone());
            if envelope.is_none_or(|envelope| envelope.has_expired(now)) {
                expired.push(topic.clone());
            }
            last = Some(topic.clone());
        }
        for topic in expired {
            self.forget(&topic);
        }
        last
    }

    /// How many there are, without the broker's own.
    pub(crate) fn len(&self) -> usize {
        self.topics.len() - self.own
    }

    /// Topics and messages, without what the map itself takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size(topic: &str, packed: &Bytes) -> usize {
    topic.len() + packed.len()
}

#[cfg(test)]
mod tests;
