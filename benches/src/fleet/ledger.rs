//! What was sent, acknowledged and seen, and which deaths were announced.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use netmonitor_agent::spool::numbers::Numbers;
use netmonitor_protocol::payload::{Ack, Presence, PresenceState, Session, Status};
use netmonitor_protocol::{DeviceId, SessionId};

use super::deliveries::Deliveries;
use crate::stats::percentile;

/// Shared by the agents, which write what they send, and the watcher, which writes what it sees.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Books>);

/// Words about one device that are kept, to explain what went wrong.
const REMEMBERED: usize = 16;

#[derive(Debug, Default)]
struct Books {
    started: Option<Instant>,
    samples: HashMap<(SessionId, u64), Sample>,
    deliveries: Deliveries,
    devices: HashMap<DeviceId, Known>,
    deaths: Vec<Death>,
    failed: usize,
    unexplained: usize,
    wrongly_concluded: Vec<String>,
    unknown: usize,
    timed_from: Option<Instant>,
}

#[derive(Debug)]
struct Sample {
    sent: u32,
    first: Instant,
    acknowledged: bool,
    seen: u32,
    took: Option<Duration>,
}

#[derive(Debug, Default)]
struct Known {
    status: Option<(Status, Option<SessionId>)>,
    presence: Option<Presence>,
    /// The last words about it, the newest last.
    said: VecDeque<String>,
}

/// How an agent went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It said goodbye.
    Stop,
    /// Its socket was closed without a word.
    Kill,
    /// It stands still, its socket open.
    Freeze,
    /// Nothing gets through to it.
    Cut,
    /// Its next session came at once: nobody has to notice.
    Replaced,
    /// Its next connection came at once, in the same session: nobody has to notice.
    TakenOver,
}

/// An end that the broker has to announce.
#[derive(Debug, Clone)]
pub struct Death {
    /// Of which device.
    pub device: DeviceId,
    /// Of which start of the agent.
    pub session: SessionId,
    /// How.
    pub how: How,
    /// When.
    pub at: Instant,
    /// After so long the watcher heard of it; none if it has not.
    pub announced: Option<Duration>,
    /// After so long the hub's conclusion said so as well (`presence`); none if it has not.
    pub concluded: Option<Duration>,
    /// It was over before anybody had to notice.
    pub excused: bool,
}

/// All samples of a fleet.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    /// Different samples that were handed to a connection.
    pub sent: usize,
    /// Those that the broker has acknowledged. It is not known of what a birth repeats.
    pub acknowledged: usize,
    /// Those that the watcher has received, at least once.
    pub seen: usize,
    /// Acknowledged and never seen: what must not be.
    pub lost: usize,
    /// Received more often than sent.
    pub duplicated: usize,
    /// Not sent, since there was no connection.
    pub failed: usize,
    /// Seen by the watcher and sent by nobody here: of other agents.
    pub foreign: usize,
    /// `offline` of a session that had not ended.
    pub unexplained_offline: usize,
    /// The hub's conclusion that a device was offline which had not ended.
    pub wrongly_concluded: usize,
    /// From publish to receipt, since [`Ledger::time_from_now`]: half of all within this.
    pub p50: Option<Duration>,
    /// 99 of 100 within this.
    pub p99: Option<Duration>,
    /// All within this.
    pub most: Option<Duration>,
}

impl Ledger {
    /// An agent has taken a sample, and sends it next.
    pub(super) fn measured(&self, device: &DeviceId, session: SessionId, seq: u64) {
        self.books().deliveries.measured(device, session, seq);
    }

    /// Ingest has told an agent that these are on disk.
    pub(super) fn stored(&self, device: &DeviceId, ack: &Ack) {
        self.books().deliveries.stored(device, ack);
    }

    /// How many samples were taken.
    pub fn measured_in_all(&self) -> u64 {
        self.books().deliveries.all_measured()
    }

    /// How many of them are on disk, as ingest has told the agents.
    pub fn stored_in_all(&self) -> u64 {
        self.books().deliveries.all_stored()
    }

    /// Each start of an agent: how many samples it took, and which ingest has acknowledged.
    pub fn sessions(&self, device: &DeviceId) -> Vec<(SessionId, u64, Numbers)> {
        self.books().deliveries.of_device(device)
    }

    pub(super) fn sent(&self, session: SessionId, seq: u64) {
        let mut books = self.books();
        let sample = books.samples.entry((session, seq)).or_insert(Sample {
            sent: 0,
            first: Instant::now(),
            acknowledged: false,
            seen: 0,
            took: None,
        });
        sample.sent += 1;
    }

    pub(super) fn acknowledged(&self, session: SessionId, seq: u64) {
        if let Some(sample) = self.books().samples.get_mut(&(session, seq)) {
            sample.acknowledged = true;
        }
    }

    /// There was no connection: it never left.
    pub(super) fn failed(&self, session: SessionId, seq: u64) {
        let mut books = self.books();
        books.failed += 1;
        if let Some(sample) = books.samples.get_mut(&(session, seq)) {
            sample.sent -= 1;
            if sample.sent == 0 {
                books.samples.remove(&(session, seq));
            }
        }
    }

    pub(super) fn seen(&self, session: SessionId, seq: u64) {
        let mut books = self.books();
        let Some(sample) = books.samples.get_mut(&(session, seq)) else {
            books.unknown += 1;
            return;
        };
        sample.seen += 1;
        if sample.took.is_none() {
            sample.took = Some(sample.first.elapsed());
        }
    }

    pub(super) fn status(&self, device: &DeviceId, status: Status, session: Option<SessionId>) {
        let mut books = self.books();
        if status == Status::Offline {
            let explained = books.announce(device, session);
            // What was retained from before is of no agent here; what is said twice is no news.
            let known = books.devices.get(device).and_then(|known| known.status);
            let was_online = known.is_some_and(|(status, _)| status == Status::Online);
            if was_online && !explained {
                books.unexplained += 1;
            }
        }
        let session_text = session.map_or_else(String::new, |session| session.to_string());
        books.note(device, &format!("status {status} {session_text}"));
        books.device(device).status = Some((status, session));
    }

    /// What the hub concludes, and whether that was retained: what a hub that was killed remembers
    /// may be a few seconds old, and is no conclusion of now.
    pub(super) fn presence(&self, device: &DeviceId, presence: Presence, is_retained: bool) {
        let mut books = self.books();
        let (state, cause) = (presence.state, presence.cause);
        if state == PresenceState::Offline && !is_retained {
            let explained = books.conclude(device);
            let known = books.devices.get(device);
            let last = known.and_then(|known| known.presence.as_ref());
            let was_online = last.is_some_and(|last| last.state == PresenceState::Online);
            if was_online && !explained {
                let line = books.wrong_line(device, &presence);
                books.wrongly_concluded.push(line);
            }
        }
        let whence = if is_retained {
            "retained presence"
        } else {
            "presence"
        };
        books.note(device, &format!("{whence} {state:?} {cause:?}"));
        books.device(device).presence = Some(presence);
    }

    /// A birth, or how it ended.
    pub(super) fn session(&self, device: &DeviceId, session: &Session) {
        let ended = session.ended.as_ref().map(|ended| ended.cause);
        let id = session.session;
        self.books()
            .note(device, &format!("session {id} {ended:?}"));
    }

    pub(super) fn death(&self, device: &DeviceId, session: SessionId, how: How) {
        self.books().deaths.push(Death {
            device: device.clone(),
            session,
            how,
            at: Instant::now(),
            announced: None,
            concluded: None,
            excused: matches!(how, How::Replaced | How::TakenOver),
        });
    }

    /// It came back before `patience` was over: nobody had to notice.
    pub(super) fn came_back(&self, device: &DeviceId, patience: Duration) {
        for death in &mut self.books().deaths {
            let is_silence = matches!(death.how, How::Freeze | How::Cut);
            if death.device == *device && is_silence && death.at.elapsed() < patience {
                death.excused = true;
            }
        }
    }

    /// What the broker said last of this device, and of which session.
    pub fn last_status(&self, device: &DeviceId) -> Option<(Status, Option<SessionId>)> {
        self.books().devices.get(device)?.status
    }

    /// What the hub concluded last.
    pub fn last_presence(&self, device: &DeviceId) -> Option<Presence> {
        self.books().devices.get(device)?.presence.clone()
    }

    /// Every end so far that had to be announced, or was.
    pub fn deaths(&self) -> Vec<Death> {
        let counts = |death: &&Death| !death.excused || death.announced.is_some();
        self.books().deaths.iter().filter(counts).cloned().collect()
    }

    /// Samples that were published until now do not count in how long they took: connecting is
    /// in it.
    pub fn time_from_now(&self) {
        self.books().timed_from = Some(Instant::now());
    }

    /// What the hub concluded wrongly, in words.
    pub fn wrongly_concluded(&self) -> Vec<String> {
        self.books().wrongly_concluded.clone()
    }

    /// All samples so far.
    pub fn totals(&self) -> Totals {
        let books = self.books();
        let samples = books.samples.values();
        let count = |matches: fn(&Sample) -> bool| samples.clone().filter(|it| matches(it)).count();
        let is_timed = |it: &&Sample| books.timed_from.is_none_or(|from| it.first >= from);
        let timed = samples.clone().filter(is_timed);
        let mut took: Vec<Duration> = timed.filter_map(|it| it.took).collect();
        took.sort_unstable();
        Totals {
            sent: books.samples.len(),
            acknowledged: count(|it| it.acknowledged),
            seen: count(|it| it.seen > 0),
            lost: count(|it| it.acknowledged && it.seen == 0),
            duplicated: count(|it| it.seen > it.sent),
            failed: books.failed,
            foreign: books.unknown,
            unexplained_offline: books.unexplained,
            wrongly_concluded: books.wrongly_concluded.len(),
            p50: percentile(&took, 50),
            p99: percentile(&took, 99),
            most: took.last().copied(),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Books {
    fn device(&mut self, device: &DeviceId) -> &mut Known {
        self.devices.entry(device.clone()).or_default()
    }

    /// Marks the ends that this word is about. False if there is none.
    fn announce(&mut self, device: &DeviceId, session: Option<SessionId>) -> bool {
        self.mark(|death| {
            let is_this = session.is_none_or(|session| session == death.session);
            (death.device == *device && is_this).then_some(&mut death.announced)
        })
    }

    /// The same for the hub's conclusion, which names no session.
    fn conclude(&mut self, device: &DeviceId) -> bool {
        self.mark(|death| (death.device == *device).then_some(&mut death.concluded))
    }

    fn note(&mut self, device: &DeviceId, what: &str) {
        let started = *self.started.get_or_insert_with(Instant::now);
        let said = &mut self.device(device).said;
        if said.len() == REMEMBERED {
            said.pop_front();
        }
        said.push_back(format!("{:.2?} {what}", started.elapsed()));
    }

    /// What the hub says, and all that has happened to the device.
    fn wrong_line(&self, device: &DeviceId, presence: &Presence) -> String {
        let of_it = self.deaths.iter().filter(|death| death.device == *device);
        let ends: Vec<String> = of_it
            .map(|death| {
                let (how, ago, session) = (death.how, death.at.elapsed(), death.session);
                format!("{how:?} of {session} {ago:.1?} ago")
            })
            .collect();
        let said = self.devices.get(device).map(|known| known.said.clone());
        let said: Vec<String> = said.unwrap_or_default().into();
        format!(
            "{device} {:?}, since {}, after {}; heard: {}",
            presence.cause,
            presence.since,
            ends.join(", "),
            said.join(", ")
        )
    }

    /// Fills in what is open: of the ends that had to be noticed, or else of the latest other.
    fn mark(&mut self, of: impl Fn(&mut Death) -> Option<&mut Option<Duration>>) -> bool {
        let mut open: Vec<usize> = Vec::new();
        for (at, death) in self.deaths.iter_mut().enumerate() {
            if of(death).is_some_and(|after| after.is_none()) {
                open.push(at);
            }
        }
        if open.iter().any(|at| !self.deaths[*at].excused) {
            open.retain(|at| !self.deaths[*at].excused);
        } else {
            open.drain(..open.len().saturating_sub(1));
        }
        for at in &open {
            let death = &mut self.deaths[*at];
            let elapsed = death.at.elapsed();
            if let Some(after) = of(death) {
                *after = Some(elapsed);
            }
        }
        !open.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SESSION: SessionId = SessionId(7);

    #[test]
    fn what_is_acknowledged_and_never_seen_is_lost() {
        let ledger = Ledger::default();
        for seq in 1..=4 {
            ledger.sent(SESSION, seq);
        }
        ledger.acknowledged(SESSION, 1);
        ledger.acknowledged(SESSION, 2);
        ledger.seen(SESSION, 1);
        ledger.seen(SESSION, 3);
        ledger.seen(SESSION, 3);
        ledger.failed(SESSION, 4);
        ledger.seen(SessionId(8), 1);
        let totals = ledger.totals();
        assert_eq!((totals.sent, totals.acknowledged, totals.seen), (3, 2, 2));
        assert_eq!((totals.lost, totals.duplicated), (1, 1));
        assert_eq!((totals.failed, totals.foreign), (1, 1));
    }

    #[test]
    fn a_death_is_announced_by_its_own_session_only() {
        let ledger = Ledger::default();
        let device: DeviceId = "ws-14".parse().unwrap();
        ledger.status(&device, Status::Online, Some(SESSION));
        ledger.death(&device, SESSION, How::Kill);
        ledger.status(&device, Status::Offline, Some(SessionId(8)));
        assert!(ledger.deaths()[0].announced.is_none());
        assert_eq!(ledger.totals().unexplained_offline, 1);
        ledger.status(&device, Status::Offline, Some(SESSION));
        assert!(ledger.deaths()[0].announced.is_some());
        assert_eq!(ledger.totals().unexplained_offline, 1);
    }

    #[test]
    fn a_short_freeze_is_no_death() {
        let ledger = Ledger::default();
        let device: DeviceId = "ws-14".parse().unwrap();
        ledger.death(&device, SESSION, How::Freeze);
        ledger.death(&device, SESSION, How::Kill);
        ledger.came_back(&device, Duration::from_mins(1));
        let left: Vec<How> = ledger.deaths().iter().map(|death| death.how).collect();
        assert_eq!(left, [How::Kill]);
    }
}
