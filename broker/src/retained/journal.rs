//! Retained messages on disk: read at the start, written behind. Nobody waits for it; what
//! cannot be written now is written later, and meanwhile memory has it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock;
use netmonitor_store::{RetainedChange, RetainedDb, StoreError, StoredMessage};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::counters::Counter;
use crate::edge::Edge;
use crate::exchange::Exchange;
use crate::message::Envelope;
use crate::origin::BROKER;
use crate::packet::QoS;
use crate::retained::changes::{Change, Pace};
use crate::retained::wear::{Wear, pages};

/// How long a change of [`Pace::Soon`] waits for others that go to disk with it: what a machine
/// says at its birth comes within this time.
const TOGETHER: Duration = Duration::from_millis(50);
/// The same for [`Pace::Later`].
const LATER: Duration = Duration::from_mins(10);
/// The pause after a pass of all that waits, for each page that it has written: 350 MB in a day at
/// most. A thousand devices write so much in a pass that it follows the last after [`LATER`].
const LATER_PER_PAGE: Duration = Duration::from_secs(1);
/// The wait after a write that failed.
const AGAIN: Duration = Duration::from_secs(10);

/// The file, and what is known of its health.
pub(crate) struct Journal {
    path: PathBuf,
    /// None: it could not be opened, and is tried again.
    db: Option<RetainedDb>,
    /// What the file had at the start is in memory.
    is_loaded: bool,
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
            is_loaded: false,
            is_failing: false,
        };
        match load(path, exchange) {
            Ok(db) => {
                journal.db = Some(db);
                journal.is_loaded = true;
            }
            Err(error) if error.is_damage() => {
                journal.start_anew(exchange, &error)?;
                journal.is_loaded = true;
            }
            Err(error) if error.may_pass() => journal.failed(error),
            Err(error) => return Err(error),
        }
        if journal.is_loaded {
            exchange.loaded();
        }
        Ok(journal)
    }

    /// Writes what changes until `stop`, and then all that is left.
    pub(crate) async fn run(mut self, edge: Arc<Edge>, stop: CancellationToken) {
        let mut all_due = Instant::now() + LATER;
        let mut wear = Wear::new(Instant::now());
        let mut has_failed = false;
        loop {
            let is_loaded = self.is_loaded;
            let pause = async {
                if has_failed {
                    sleep(AGAIN).await;
                } else if is_loaded {
                    drop(timeout_at(all_due, soon(&edge, &mut wear)).await);
                }
            };
            if stop.run_until_cancelled(pause).await.is_none() {
                break;
            }
            if !self.catch_up(&edge).await {
                has_failed = true;
                continue;
            }
            let now = Instant::now();
            let is_all = now >= all_due;
            let slowest = if is_all { Pace::Later } else { Pace::Soon };
            // What is due now and then is written once, whatever the budget says.
            let left = if is_all { i64::MAX } else { wear.left(now) };
            let written = self.write(&edge, slowest, left).await;
            has_failed = written.has_failed;
            if !is_all {
                wear.spend(now, written.pages);
            } else if !has_failed {
                all_due = now + pause_after(written.pages);
            }
        }
        if self.catch_up(&edge).await {
            self.write(&edge, Pace::Later, i64::MAX).await;
        }
        // What it leaves behind is put in order on a thread that may wait for the disk.
        drop(tokio::task::spawn_blocking(move || drop(self.db)).await);
    }

    /// Puts what the file has into memory, if that could not be done before: what was set or
    /// cleared since is newer. False: still not.
    async fn catch_up(&mut self, edge: &Arc<Edge>) -> bool {
        if self.is_loaded {
            return true;
        }
        let (path, shared) = (self.path.clone(), edge.clone());
        let loaded = tokio::task::spawn_blocking(move || load(&path, &shared.exchange)).await;
        let loaded = match loaded {
            Ok(Ok(db)) => {
                tracing::info!("retained messages are read from disk, later than they should be");
                self.db = Some(db);
                Ok(())
            }
            Ok(Err(error)) if error.is_damage() => self.start_anew(&edge.exchange, &error),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(StoreError::Damaged { what: "a message" }),
        };
        self.is_loaded = loaded.is_ok();
        if self.is_loaded {
            edge.exchange.loaded();
        }
        if let Err(error) = loaded {
            edge.counters.one(Counter::RetainedWriteErrors);
            self.failed(error);
        }
        self.is_loaded
    }

    /// Writes what has changed so far, batch after batch, while there are pages left.
    async fn write(&mut self, edge: &Edge, slowest: Pace, left: i64) -> Written {
        edge.exchange.begin_pass(slowest);
        let mut written = Written::default();
        while written.pages < left {
            let batch = edge.exchange.take_changes();
            if batch.is_empty() {
                break;
            }
            written.pages += pages(&batch);
            if !self.write_batch(edge, batch).await {
                written.has_failed = true;
                break;
            }
        }
        written
    }

    /// One transaction. False: that failed, and it will be written later.
    async fn write_batch(&mut self, edge: &Edge, batch: Vec<Change>) -> bool {
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
            return true;
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
        false
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

/// Opens the file and puts what it has into memory, where there is nothing newer.
fn load(path: &Path, exchange: &Exchange) -> Result<RetainedDb, StoreError> {
    let db = RetainedDb::open(path)?;
    let times = Times::now(exchange);
    db.load(|message| times.restore(exchange, message))?;
    Ok(db)
}

/// Resolves when something is to be written at [`Pace::Soon`], and may be.
async fn soon(edge: &Edge, wear: &mut Wear) {
    edge.exchange.has_changed_soon().await;
    sleep(TOGETHER.max(wear.pause(Instant::now()))).await;
}

/// What a pass has written.
#[derive(Debug, Default)]
struct Written {
    pages: i64,
    /// The rest will be written later.
    has_failed: bool,
}

/// When all that waits is written again.
fn pause_after(pages: i64) -> Duration {
    LATER.max(LATER_PER_PAGE * u32::try_from(pages).unwrap_or(u32::MAX))
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
mod tests;
