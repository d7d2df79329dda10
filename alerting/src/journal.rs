//! What alerting must not forget, on a thread of its own: nothing waits for the disk but messages on
//! their way to people, which are sent when it is known that they were made.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use netmonitor_protocol::payload::{AlertingSettings, Channels};
use netmonitor_protocol::{Rule, Subject};
use netmonitor_rules::alert::{Life, Notice};
use netmonitor_service::{Counters, DataDir, clock};
use netmonitor_store::{AlertingChange, AlertingDb, StoreError, StoredAlert, StoredDelivery};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc as tokio_mpsc;

use crate::parcel::Parcel;

/// What may wait to be written. When there is more, the newest is not remembered, and counted: hearing
/// never waits for the disk.
const WAITING: usize = 100_000;

/// What could not be written is tried again after this.
const AGAIN: Duration = Duration::from_secs(10);

/// So much that could not be written is kept; what is older is forgotten first.
const KEPT: usize = 20_000;

/// Somebody has begun to write.
const BEGUN: &str = "begun";

/// What an admin had set when it was heard last.
const SETTINGS: &str = "settings";

/// The same of channels.
const CHANNELS: &str = "channels";

/// What an earlier run has left.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// With whether the machine was not started since.
    pub(crate) lives: Vec<(Subject, Rule, Life, bool)>,
    /// There was a journal, and it could be read: what is not in it was not so.
    pub(crate) is_whole: bool,
    pub(crate) settings: Option<AlertingSettings>,
    pub(crate) channels: Option<Channels>,
    pub(crate) parcels: Vec<Parcel>,
}

/// Something to be written.
#[derive(Debug)]
pub(crate) enum Entry {
    /// What is to be remembered of an alert; none: nothing any more.
    Alert(Subject, Rule, Option<Box<Life>>),
    /// A message to a channel. It is handed on when this is written, or cannot be.
    Parcel(Parcel),
    /// That message is there, or never will be.
    Settled {
        channel: String,
        notice: String,
    },
    Settings(Box<AlertingSettings>),
    Channels(Channels),
}

/// The way to the journal.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    entries: mpsc::Sender<Vec<Entry>>,
    /// How many entries wait.
    waiting: Arc<AtomicUsize>,
    counters: Counters,
}

/// The thread, until it has written everything.
#[derive(Debug)]
pub(crate) struct Writing(Option<thread::JoinHandle<()>>);

impl Writing {
    /// Waits until everything is written. Every [`Journal`] must be gone.
    pub(crate) fn join(mut self) {
        if let Some(thread) = self.0.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that writes the journal panicked");
        }
    }
}

impl Journal {
    /// Reads what is left, and begins to write. Messages whose making is written go to `parcels`.
    ///
    /// A file that is damaged is put aside; one that cannot be opened now is tried again later, and
    /// alerting goes on without. An error only if somebody else writes it.
    pub(crate) fn open(
        data_dir: &DataDir,
        parcels: tokio_mpsc::Sender<Parcel>,
        counters: Counters,
    ) -> anyhow::Result<(Self, Writing, Left)> {
        let path = data_dir.alerting_db();
        let (db, left) = match read(&path) {
            Ok((db, left)) => (Some(db), left),
            Err(error @ StoreError::Locked { .. }) => return Err(error.into()),
            Err(error) if error.is_damage() => {
                let aside = AlertingDb::put_aside(&path)?;
                tracing::error!(%error, aside = %aside.display(), "alerting.db is damaged, and was put aside");
                (AlertingDb::open(&path).ok(), Left::default())
            }
            Err(error) => {
                tracing::error!(%error, "alerting goes on without remembering: its file cannot be opened");
                (None, Left::default())
            }
        };
        let (entries, received) = mpsc::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let writer = Writer {
            waiting: waiting.clone(),
            path,
            db,
            unwritten: Unwritten::default(),
            parcels,
            counters: counters.clone(),
            is_failing: false,
        };
        let thread = thread::Builder::new()
            .name("alerting-journal".to_owned())
            .spawn(move || writer.run(&received))
            .context("cannot start the thread that writes the journal")?;
        let journal = Self {
            entries,
            waiting,
            counters,
        };
        Ok((journal, Writing(Some(thread)), left))
    }

    /// Has this written, in one transaction.
    pub(crate) fn write(&self, entries: Vec<Entry>) {
        if entries.is_empty() {
            return;
        }
        if self.waiting.load(Ordering::Relaxed) > WAITING {
            let lost = u64::try_from(entries.len()).unwrap_or(u64::MAX);
            return self.counters.add("journal_forgotten", lost);
        }
        self.waiting.fetch_add(entries.len(), Ordering::Relaxed);
        // The thread ends when nobody can send any more.
        let _sent = self.entries.send(entries);
    }
}

fn read(path: &Path) -> Result<(AlertingDb, Left), StoreError> {
    let db = AlertingDb::open(path)?;
    let boot = clock::boot_id();
    let alerts = db.alerts()?;
    let lives = alerts.iter().filter_map(|it| life(it, boot.as_deref()));
    let left = Left {
        lives: lives.collect(),
        is_whole: db.note(BEGUN)?.is_some(),
        settings: db.note(SETTINGS)?.as_deref().and_then(understood),
        channels: db.note(CHANNELS)?.as_deref().and_then(understood),
        parcels: db.deliveries()?.into_iter().filter_map(parcel).collect(),
    };
    Ok((db, left))
}

fn life(stored: &StoredAlert, boot: Option<&str>) -> Option<(Subject, Rule, Life, bool)> {
    let Remembered { boot: of, life } = understood(&stored.life)?;
    let is_same_boot = of.is_some() && of.as_deref() == boot;
    let (subject, rule) = (stored.subject.parse().ok()?, stored.rule.parse().ok()?);
    Some((subject, rule, life, is_same_boot))
}

/// An alert, and during which start of the machine it was written: its durations are of that one.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    boot: Option<String>,
    life: Life,
}

fn parcel(stored: StoredDelivery) -> Option<Parcel> {
    Some(Parcel {
        channel: stored.channel,
        notice: understood::<Notice>(&stored.notice)?,
        made_at: stored.made_at,
    })
}

/// What another version has written may not be understood: it is passed over.
fn understood<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json)
        .inspect_err(|error| tracing::warn!(%error, "a part of alerting.db is not understood"))
        .ok()
}

/// What is to be written, the newest of each alert.
#[derive(Debug, Default)]
struct Unwritten {
    alerts: BTreeMap<(String, String), AlertingChange>,
    others: Vec<AlertingChange>,
}

impl Unwritten {
    fn add(&mut self, change: AlertingChange) {
        match &change {
            AlertingChange::Alert(StoredAlert { subject, rule, .. })
            | AlertingChange::NoAlert { subject, rule } => {
                self.alerts.insert((subject.clone(), rule.clone()), change);
            }
            _ => self.others.push(change),
        }
    }

    fn all(&self) -> Vec<AlertingChange> {
        let alerts = self.alerts.values().cloned();
        alerts.chain(self.others.iter().cloned()).collect()
    }

    /// Forgets something if there is too much; how much.
    fn cut(&mut self) -> usize {
        let too_many = self.others.len().saturating_sub(KEPT);
        self.others.drain(..too_many);
        let alerts = self.alerts.len().saturating_sub(KEPT);
        for _ in 0..alerts {
            self.alerts.pop_first();
        }
        too_many + alerts
    }
}

struct Writer {
    waiting: Arc<AtomicUsize>,
    path: PathBuf,
    db: Option<AlertingDb>,
    unwritten: Unwritten,
    parcels: tokio_mpsc::Sender<Parcel>,
    counters: Counters,
    is_failing: bool,
}

impl Writer {
    fn run(mut self, received: &mpsc::Receiver<Vec<Entry>>) {
        let boot = clock::boot_id();
        self.unwritten.add(AlertingChange::Note {
            name: BEGUN,
            text: String::new(),
        });
        self.write(false);
        loop {
            let entries = if self.is_failing {
                match received.recv_timeout(AGAIN) {
                    Ok(entries) => entries,
                    Err(mpsc::RecvTimeoutError::Timeout) => Vec::new(),
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
            } else {
                match received.recv() {
                    Ok(entries) => entries,
                    Err(mpsc::RecvError) => break,
                }
            };
            let mut parcels = Vec::new();
            let mut to_disk = false;
            // What has come meanwhile is written with it.
            for entry in entries.into_iter().chain(received.try_iter().flatten()) {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                let (change, parcel) = change(entry, boot.as_deref(), clock::now());
                to_disk |= parcel.is_some();
                self.unwritten.add(change);
                parcels.extend(parcel);
            }
            self.write(to_disk);
            for parcel in parcels {
                // At the end nobody takes them any more: the next run does.
                let _taken = self.parcels.blocking_send(parcel);
            }
        }
        self.write(true);
    }

    fn write(&mut self, to_disk: bool) {
        let changes = self.unwritten.all();
        if changes.is_empty() {
            return;
        }
        let written = self.open().and_then(|db| db.apply(&changes, to_disk));
        let was_failing = std::mem::replace(&mut self.is_failing, written.is_err());
        match written {
            Ok(()) => {
                self.unwritten = Unwritten::default();
                if was_failing {
                    tracing::info!("alerting remembers again");
                }
            }
            Err(error) => {
                self.counters.count("journal_failures");
                if !was_failing {
                    tracing::error!(%error, "alerting cannot write what it must remember: alerts go on, \
                                             and are told anew if it is killed now");
                }
                let forgotten = self.unwritten.cut();
                self.counters.add(
                    "journal_forgotten",
                    u64::try_from(forgotten).unwrap_or(u64::MAX),
                );
            }
        }
    }

    fn open(&mut self) -> Result<&mut AlertingDb, StoreError> {
        if self.db.is_none() {
            self.db = Some(AlertingDb::open(&self.path)?);
        }
        Ok(self.db.as_mut().expect("it was opened above"))
    }
}

fn change(entry: Entry, boot: Option<&str>, now: Timestamp) -> (AlertingChange, Option<Parcel>) {
    let change = match entry {
        Entry::Alert(subject, rule, Some(life)) => AlertingChange::Alert(StoredAlert {
            subject: subject.to_string(),
            rule: rule.to_string(),
            life: json(&Remembered {
                boot: boot.map(str::to_owned),
                life: *life,
            }),
        }),
        Entry::Alert(subject, rule, None) => AlertingChange::NoAlert {
            subject: subject.to_string(),
            rule: rule.to_string(),
        },
        Entry::Parcel(parcel) => {
            let change = AlertingChange::Owe(StoredDelivery {
                channel: parcel.channel.clone(),
                message: parcel.notice.id.clone(),
                notice: json(&parcel.notice),
                made_at: now,
            });
            return (change, Some(parcel));
        }
        Entry::Settled { channel, notice } => AlertingChange::Settle {
            channel,
            message: notice,
        },
        Entry::Settings(settings) => AlertingChange::Note {
            name: SETTINGS,
            text: json(&settings),
        },
        Entry::Channels(channels) => AlertingChange::Note {
            name: CHANNELS,
            text: json(&channels),
        },
    };
    (change, None)
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("these types have string keys and cannot fail to serialise")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_dir() -> (tempfile::TempDir, DataDir) {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::from(directory.path().to_owned());
        (directory, data_dir)
    }

    fn parcel(message: &str) -> Parcel {
        Parcel {
            channel: "mail".to_owned(),
            notice: Notice {
                id: message.to_owned(),
                ..Notice::test(clock::now())
            },
            made_at: clock::now(),
        }
    }

    fn open(data_dir: &DataDir) -> (Journal, Writing, Left, tokio_mpsc::Receiver<Parcel>) {
        let (sender, parcels) = tokio_mpsc::channel(100);
        let (journal, writing, left) =
            Journal::open(data_dir, sender, Counters::default()).unwrap();
        (journal, writing, left, parcels)
    }

    #[test]
    fn a_message_is_handed_on_when_it_is_written_and_known_until_it_is_settled() {
        let (_directory, data_dir) = data_dir();
        let (journal, writing, left, mut parcels) = open(&data_dir);
        assert!(left.parcels.is_empty() && !left.is_whole);
        for message in ["a", "b"] {
            journal.write(vec![Entry::Parcel(parcel(message))]);
            assert_eq!(parcels.blocking_recv().unwrap().notice.id, message);
        }
        journal.write(vec![Entry::Settled {
            channel: "mail".to_owned(),
            notice: "a".to_owned(),
        }]);
        drop(journal);
        writing.join();
        let (_journal, _writing, left, _parcels) = open(&data_dir);
        let ids: Vec<&str> = left
            .parcels
            .iter()
            .map(|it| it.notice.id.as_str())
            .collect();
        assert_eq!(ids, ["b"]);
        assert!(left.is_whole);
    }

    #[test]
    fn a_damaged_file_is_put_aside_and_keeps_nobody_from_starting() {
        let (_directory, data_dir) = data_dir();
        std::fs::write(
            data_dir.alerting_db(),
            "a letter to a friend, long enough for a header",
        )
        .unwrap();
        let (journal, writing, left, mut parcels) = open(&data_dir);
        assert!(left.lives.is_empty());
        journal.write(vec![Entry::Parcel(parcel("a"))]);
        assert!(parcels.blocking_recv().is_some());
        drop(journal);
        writing.join();
        assert!(data_dir.path().join("alerting.db.damaged").exists());
        assert_eq!(open(&data_dir).2.parcels.len(), 1);
    }

    #[test]
    fn without_a_place_to_write_messages_are_handed_on_all_the_same() {
        let (directory, data_dir) = data_dir();
        let nowhere = DataDir::from(data_dir.path().join("nowhere"));
        let (journal, writing, _left, mut parcels) = open(&nowhere);
        journal.write(vec![Entry::Parcel(parcel("a"))]);
        assert_eq!(parcels.blocking_recv().unwrap().notice.id, "a");
        std::fs::create_dir(directory.path().join("nowhere")).unwrap();
        journal.write(vec![Entry::Parcel(parcel("b"))]);
        drop(journal);
        writing.join();
        assert_eq!(open(&nowhere).2.parcels.len(), 2);
    }
}
