//! Retained messages on disk: read at the start, written behind. Nobody waits for it; what
//! cannot be written now is written later, and meanwhile memory has it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock;
use netmonitor_store::{RetainedChange, RetainedDb, StoreError, StoredMessage};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::changes::{Change, Pace};
use crate::counters::Counter;
use crate::edge::Edge;
use crate::exchange::{BROKER, Exchange};
use crate::message::Envelope;
use crate::packet::QoS;

/// How long a change of [`Pace::Soon`] may wait for others that go to disk with it.
const SOON: Duration = Duration::from_secs(2);
/// The same for [`Pace::Later`].
const LATER: Duration = Duration::from_mins(10);
/// The wait after a write that failed.
const AGAIN: Duration = Duration::from_secs(10);

/// Commits of [`Pace::Soon`] that may follow each other without a pause, beyond which there is one
/// in every [`PAUSE`]: whoever changes its state all day long does not wear out the card. Each
/// writes some 12 kB, so that is 35 MB in a day at most.
const COMMITS_IN_A_ROW: u32 = 200;
const PAUSE: Duration = Duration::from_secs(30);

/// The file, and what is known of its health.
pub(crate) struct Journal {
    path: PathBuf,
    /// None: it could not be opened, and is tried again.
    db: Option<RetainedDb>,
    is_failing: bool,
}

impl Journal {
    /// Opens the file and puts what it has into the exchange. A damaged file is put aside, and
    /// what could be read of it is kept; one that cannot be used now is tried again later. One of
    /// a newer version, or that another process has, is a fault.
    pub(crate) fn open(path: &Path, exchange: &Exchange) -> Result<Self, StoreError> {
        exchange.note_changes();
        let mut journal = Self {
            path: path.to_owned(),
            db: None,
            is_failing: false,
        };
        let loaded = RetainedDb::open(path).and_then(|db| {
            let times = Times::now(exchange);
            let loaded = db.load(|message| times.restore(exchange, message));
            loaded.map(|()| db)
        });
        match loaded {
            Ok(db) => journal.db = Some(db),
            Err(error) if error.is_damage() => journal.start_anew(exchange, &error)?,
            Err(error) if error.may_pass() => journal.failed(error),
            Err(error) => return Err(error),
        }
        Ok(journal)
    }

    /// Writes what changes until `stop`, and then all that is left.
    pub(crate) async fn run(mut self, edge: Arc<Edge>, stop: CancellationToken) {
        let mut tick = interval(SOON);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut all_due = Instant::now() + LATER;
        let mut not_before = Instant::now();
        let mut budget = Budget::new(not_before);
        while stop.run_until_cancelled(tick.tick()).await.is_some() {
            let now = Instant::now();
            if now < not_before {
                continue;
            }
            let is_all = now >= all_due;
            if !is_all && !budget.has_one(now) {
                continue;
            }
            let slowest = if is_all { Pace::Later } else { Pace::Soon };
            let Some(commits) = self.write(&edge, slowest).await else {
                not_before = now + AGAIN;
                continue;
            };
            budget.spend(commits);
            if is_all {
                all_due = now + LATER;
            }
        }
        self.write(&edge, Pace::Later).await;
        // What it leaves behind is put in order on a thread that may wait for the disk.
        drop(tokio::task::spawn_blocking(move || drop(self.db)).await);
    }

    /// Writes batch after batch, and returns how many there were. None: that failed, and what is
    /// left will be written later.
    async fn write(&mut self, edge: &Edge, slowest: Pace) -> Option<u32> {
        let mut commits = 0;
        loop {
            let batch = edge.exchange.take_changes(slowest);
            if batch.is_empty() {
                return Some(commits);
            }
            let topics: Vec<Arc<str>> = batch.iter().map(|c| c.topic.clone()).collect();
            let times = Times::now(&edge.exchange);
            let (db, path) = (self.db.take(), self.path.clone());
            let written = tokio::task::spawn_blocking(move || {
                let changes: Vec<_> = batch.iter().map(|c| times.to_disk(c)).collect();
                let mut db = match db.map_or_else(|| RetainedDb::open(&path), Ok) {
                    Ok(db) => db,
                    Err(error) => return (None, Err(error)),
                };
                let written = db.apply(&changes);
                (Some(db), written)
            });
            let (db, written) = match written.await {
                Ok(written) => written,
                // It has panicked: the next one opens the file again.
                Err(_) => (None, Err(StoreError::Damaged { what: "a message" })),
            };
            self.db = db;
            let Err(error) = written else {
                let count = u64::try_from(topics.len()).unwrap_or(u64::MAX);
                edge.counters.add(Counter::RetainedWritten, count);
                if std::mem::take(&mut self.is_failing) {
                    tracing::info!("retained messages are written to disk again");
                }
                commits += 1;
                continue;
            };
            edge.counters.one(Counter::RetainedWriteErrors);
            edge.exchange.put_back(topics);
            if error.is_damage() {
                self.db = None;
                if let Err(error) = self.start_anew(&edge.exchange, &error) {
                    self.failed(error);
                }
            } else {
                self.failed(error);
            }
            return None;
        }
    }

    /// A new file in place of a damaged one; everything is written to it.
    fn start_anew(&mut self, exchange: &Exchange, error: &StoreError) -> Result<(), StoreError> {
        let aside = RetainedDb::put_aside(&self.path)?;
        tracing::error!(
            error = %error,
            file = %self.path.display(),
            aside = %aside.display(),
            kept = exchange.retained_size().0,
            "retained messages on disk are damaged: the file is put aside, and a new one made \
             from what could be read; machines publish the rest when they connect again"
        );
        exchange.put_back_all();
        self.db = Some(RetainedDb::open(&self.path)?);
        Ok(())
    }

    fn failed(&mut self, error: StoreError) {
        if std::mem::replace(&mut self.is_failing, true) {
            return;
        }
        let error = format!("{:#}", anyhow::Error::new(error));
        tracing::error!(
            error,
            "retained messages cannot be written to disk; they are kept in memory, and written \
             as soon as that is possible"
        );
    }
}

/// How many commits may be made at once: a bucket that fills up with time.
#[derive(Debug)]
struct Budget {
    commits: u32,
    at: Instant,
}

impl Budget {
    fn new(now: Instant) -> Self {
        Self {
            commits: COMMITS_IN_A_ROW,
            at: now,
        }
    }

    fn has_one(&mut self, now: Instant) -> bool {
        while self.at + PAUSE <= now && self.commits < COMMITS_IN_A_ROW {
            self.at += PAUSE;
            self.commits += 1;
        }
        if self.commits == COMMITS_IN_A_ROW {
            self.at = now;
        }
        self.commits > 0
    }

    fn spend(&mut self, commits: u32) {
        self.commits = self.commits.saturating_sub(commits);
    }
}

/// One moment by both clocks: expiry is counted from the start of the broker in memory, and by
/// the wall clock on disk.
#[derive(Debug, Clone, Copy)]
struct Times {
    running: Duration,
    wall: Timestamp,
}

impl Times {
    fn now(exchange: &Exchange) -> Self {
        Self {
            running: exchange.now(),
            wall: clock::now(),
        }
    }

    fn to_disk(self, change: &Change) -> RetainedChange {
        let topic = change.topic.to_string();
        let unpack = |packed: &Bytes| Envelope::unpack(packed.clone());
        let Some((envelope, owner)) = change
            .message
            .as_ref()
            .and_then(|(packed, owner)| Some((unpack(packed)?, owner)))
        else {
            return RetainedChange::Cleared { topic };
        };
        RetainedChange::Set(StoredMessage {
            topic,
            owner: owner.to_string(),
            qos: envelope.qos.bits(),
            expires_at: envelope.expires_at.map(|at| self.by_the_wall(at)),
            properties: envelope.properties.to_vec(),
            payload: envelope.payload.to_vec(),
        })
    }

    fn by_the_wall(self, at: Duration) -> Timestamp {
        let left = at.saturating_sub(self.running);
        SignedDuration::try_from(left)
            .ok()
            .and_then(|left| self.wall.checked_add(left).ok())
            .unwrap_or(Timestamp::MAX)
    }

    fn restore(self, exchange: &Exchange, message: StoredMessage) {
        let left = message.expires_at.map(|at| at.duration_since(self.wall));
        // What has expired meanwhile is put in as such, and purged with others.
        let left = left.map(|left| Duration::try_from(left).unwrap_or_default());
        let envelope = Envelope {
            // Before everything that will be published.
            sequence: 0,
            publisher: BROKER,
            qos: QoS::from_bits(message.qos).unwrap_or(QoS::AtLeastOnce),
            retain: true,
            stored: true,
            expires_at: left.map(|left| self.running + left),
            properties: Bytes::from(message.properties),
            payload: Bytes::from(message.payload),
        };
        exchange.restore(&message.topic, &message.owner, envelope.pack());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_that_changes_all_day_is_written_twice_in_a_minute() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut commits = 0;
        let day = 24 * 60 * 60;
        for secs in (0..day).step_by(2) {
            if budget.has_one(start + Duration::from_secs(secs)) {
                budget.spend(1);
                commits += 1;
            }
        }
        let most = u64::from(COMMITS_IN_A_ROW) + day / PAUSE.as_secs();
        assert!((most - 10..=most).contains(&commits), "{commits}");
        let next_day = start + Duration::from_secs(2 * day);
        for _ in 0..COMMITS_IN_A_ROW {
            assert!(budget.has_one(next_day));
            budget.spend(1);
        }
        assert!(!budget.has_one(next_day));
    }
}
