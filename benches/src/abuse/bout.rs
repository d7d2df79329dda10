//! One piece of abuse: what is done in it, and how long at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::abuser::Abuser;
use super::{flood, garbage, names, slow, storm};
use crate::raw::Stream;

/// Longer than a connection may take to say who it is (10 s): what is silent is closed by the
/// broker, not by us.
const LASTS: Duration = Duration::from_secs(12);

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Broken conversations, and noise.
    Garbage,
    /// Sockets that say nothing, or stop in the middle.
    Silence,
    /// Messages as fast as they are taken, too large ones, and nobody who reads the answers.
    Flood,
    /// Subscribers of everything that hardly read.
    SlowReaders,
    /// Connections one after another, with wrong passwords and the same id as well.
    Storm,
    /// Topics that nobody had before, and many that are retained.
    ManyTopics,
    /// Filters that nobody had before.
    ManyFilters,
    /// Sessions that are left behind, with messages that wait for them.
    Sessions,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Garbage,
        Self::Silence,
        Self::Flood,
        Self::SlowReaders,
        Self::Storm,
        Self::ManyTopics,
        Self::ManyFilters,
        Self::Sessions,
    ];

    /// For the report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Garbage => "garbage",
            Self::Silence => "silence",
            Self::Flood => "floods",
            Self::SlowReaders => "slow readers",
            Self::Storm => "connection storms",
            Self::ManyTopics => "many topics",
            Self::ManyFilters => "many filters",
            Self::Sessions => "sessions left behind",
        }
    }

    /// Does it once. That the broker ends a connection is what this is about, and no error.
    pub(super) async fn play(self, abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
        let playing = async {
            match self {
                Self::Garbage => garbage::broken(abuser, random, tally).await,
                Self::Silence => garbage::silent(abuser, random, tally).await,
                Self::Flood => flood::flood(abuser, random, tally).await,
                Self::SlowReaders => slow::readers(abuser, random, tally).await,
                Self::Storm => storm::storm(abuser, random, tally).await,
                Self::ManyTopics => names::topics(abuser, random, tally).await,
                Self::ManyFilters => names::filters(abuser, random, tally).await,
                Self::Sessions => slow::sessions(abuser, random, tally).await,
            }
        };
        // What is not done by then is broken off, with its sockets.
        let _over = timeout(LASTS, playing).await;
        tally.bouts[self as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// What was done so far.
#[derive(Debug, Default)]
pub struct Tally {
    bouts: [AtomicU64; Kind::ALL.len()],
    connections: AtomicU64,
    messages: AtomicU64,
}

impl Tally {
    pub(super) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, messages: u64) {
        self.messages.fetch_add(messages, Ordering::Relaxed);
    }

    /// How often each kind was done.
    pub fn bouts(&self) -> impl Iterator<Item = (Kind, u64)> {
        let number = |kind: Kind| self.bouts[kind as usize].load(Ordering::Relaxed);
        Kind::ALL.into_iter().map(move |kind| (kind, number(kind)))
    }

    /// Connections that were opened.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Messages that were written.
    pub fn messages(&self) -> u64 {
        self.messages.load(Ordering::Relaxed)
    }
}

/// Tasks of which so many run at the same time; the others wait for their turn.
pub(super) struct AtOnce {
    most: usize,
    tasks: JoinSet<()>,
}

impl AtOnce {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            tasks: JoinSet::new(),
        }
    }

    pub(super) async fn start(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        if self.tasks.len() >= self.most {
            self.tasks.join_next().await;
        }
        self.tasks.spawn(task);
    }

    pub(super) async fn all(mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Says this, and reads what comes until the broker has closed the connection, or for so long.
pub(super) async fn say(stream: &mut dyn Stream, said: &[u8], listen: Duration) {
    // The broker may hang up at any byte.
    if stream.write_all(said).await.is_ok() && stream.flush().await.is_ok() {
        let _over = timeout(listen, drain(stream)).await;
    }
}

/// Reads until the end.
pub(super) async fn drain(stream: &mut (dyn Stream + '_)) {
    let mut read = [0; 4096];
    while stream.read(&mut read).await.is_ok_and(|read| read > 0) {}
}
