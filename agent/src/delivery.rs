//! The way of each sample into the hub's history: kept before it is sent, sent again until it is
//! acknowledged.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use netmonitor_protocol::payload::Metrics;
use netmonitor_protocol::{DeviceId, Message, ServiceName, SessionId, Topic};
use netmonitor_service::mqtt::Publisher;
use netmonitor_service::{clock, random};
use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

use crate::backfill::{BATCH_BYTES, BATCH_SAMPLES, Patience, Plan, Step};
use crate::spool::numbers::Numbers;
#[cfg(unix)]
use crate::spool::numbers::count;
use crate::spool::{Moment, Spool};

/// The longest wait without a look whether something is due.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How long packing may take before the machine goes down or to sleep.
const PACK_WITHIN: Duration = Duration::from_secs(2);

/// What one agent has taken and the hub has not stored yet. Who takes samples, who sends them and
/// who hears of acknowledgements share it; nobody waits for another.
#[derive(Debug)]
pub struct Delivery {
    device: DeviceId,
    state: Mutex<State>,
    /// Held by who packs.
    packing: Arc<tokio::sync::Mutex<()>>,
    /// Something was heard that may change what is due.
    heard: Notify,
    /// The hub may be away.
    missed: Notify,
}

/// When samples are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// From the start on: somebody will store them.
    Always,
    /// Once an ingest was heard of: at a broker of somebody else there may be nobody who stores
    /// anything.
    OnceIngestIsThere,
}

#[derive(Debug)]
struct State {
    keep: Keep,
    spool: Spool,
    plan: Plan,
}

impl Delivery {
    /// For the samples of this session, and what former ones have left in the spool.
    pub fn new(
        device: DeviceId,
        session: SessionId,
        spool: Spool,
        patience: Patience,
        keep: Keep,
    ) -> Self {
        let plan = Plan::new(session, patience, clock::since_boot(), random::fraction());
        Self {
            device,
            state: Mutex::new(State { keep, spool, plan }),
            packing: Arc::default(),
            heard: Notify::new(),
            missed: Notify::new(),
        }
    }

    /// How many samples wait to be stored.
    #[cfg(unix)]
    pub(crate) fn waiting(&self) -> u64 {
        let state = self.state();
        state.spool.kept().map(|(_, numbers)| count(numbers)).sum()
    }

    /// What to listen to.
    pub fn topics(device: &DeviceId) -> [Topic; 2] {
        [
            Topic::DeviceAck(device.clone()),
            Topic::HubService(ServiceName::Ingest),
        ]
    }

    /// A sample was taken: it is kept before anyone sends it.
    pub fn took(&self, sample: &Metrics) {
        let mut state = self.state();
        if state.keep != Keep::Always {
            return;
        }
        state.spool.append(sample);
        state.plan.took(sample.seq, clock::since_boot());
    }

    /// The sample as it is sent now as the latest one.
    pub fn live(&self, sample: Metrics) -> Message {
        let sample = self.state().spool.live(sample, Moment::now());
        Message::DeviceMetrics(self.device.clone(), Box::new(sample))
    }

    /// The latest one was sent.
    pub fn sent(&self, seq: u64) {
        let mut state = self.state();
        if state.keep == Keep::Always {
            state.plan.sent(seq, clock::since_boot());
        }
    }

    /// A connection stands.
    pub fn connected(&self) {
        let now = clock::since_boot();
        self.state().plan.connected(now, random::fraction());
        self.heard.notify_one();
    }

    /// There is no connection.
    pub fn disconnected(&self) {
        self.state().plan.disconnected(clock::since_boot());
        self.heard.notify_one();
        self.missed.notify_one();
    }

    /// Something was said, `is_retained` if before this connection. What does not matter here is
    /// passed over.
    pub fn heard(&self, message: &Message, is_retained: bool) {
        let mut state = self.state();
        match message {
            Message::DeviceAck(device, ack) if *device == self.device => {
                state.spool.acked(ack.session, &ack.ranges);
                let waits = !state.spool.is_empty();
                state.plan.acked(waits, clock::since_boot());
            }
            Message::HubService(ServiceName::Ingest, health) => {
                let now = clock::since_boot();
                state.keep = Keep::Always;
                state
                    .plan
                    .ingest(health, is_retained, now, random::fraction());
                self.missed.notify_one();
            }
            _ => return,
        }
        self.heard.notify_one();
    }

    /// Sends again what is due, until dropped. Live samples do not wait for it.
    pub async fn make_up(self: Arc<Self>, publisher: Publisher) {
        loop {
            let step = {
                let State { spool, plan, .. } = &mut *self.state();
                let kept = spool.sendable(Moment::now(), clock::time_source);
                plan.next(clock::since_boot(), kept.into_iter())
            };
            match step {
                Step::Wait(until) => {
                    let now = clock::since_boot();
                    let wait = until.map_or(LOOK_AGAIN, |until| until.saturating_sub(now));
                    tokio::select! {
                        () = sleep(wait.min(LOOK_AGAIN)) => {}
                        () = self.heard.notified() => {}
                    }
                }
                Step::Send(session, numbers) => {
                    if let Some(batch) = self.batch(session, &numbers).await
                        && let Err(error) = publisher.publish(batch).await
                    {
                        tracing::debug!(%error, "a batch of earlier samples was not sent");
                    }
                }
            }
        }
    }

    /// The next batch, out of the oldest of these samples.
    async fn batch(&self, session: SessionId, numbers: &Numbers) -> Option<Message> {
        let reading = self.state().spool.reading(session, numbers);
        // A card may take its time.
        let read = spawn_blocking(move || reading.read(BATCH_SAMPLES, BATCH_BYTES));
        let found = read.await.ok();
        let State { spool, plan, .. } = &mut *self.state();
        let now = clock::since_boot();
        let batch = found.and_then(|found| {
            spool.settle(&found);
            spool.batch(&found, Moment::now())
        });
        let Some(batch) = batch else {
            plan.nothing_read(session, numbers, now);
            return None;
        };
        let numbers: Numbers = batch.samples.iter().map(|it| it.seq..=it.seq).collect();
        tracing::debug!(%session, samples = batch.samples.len(), "making up for samples");
        plan.sent_batch(session, numbers, now, random::fraction());
        Some(Message::DeviceBackfill(self.device.clone(), batch))
    }

    /// Packs what waits onto the disk while the hub is away, until dropped.
    pub async fn pack(self: Arc<Self>) {
        loop {
            let next = self.state().plan.next_packing();
            let wait = next.map(|at| at.saturating_sub(clock::since_boot()));
            if wait == Some(Duration::ZERO) {
                self.pack_all().await;
                self.state().plan.packed(clock::since_boot());
                continue;
            }
            tokio::select! {
                () = sleep(wait.unwrap_or(LOOK_AGAIN).min(LOOK_AGAIN)) => {}
                () = self.missed.notified() => {}
            }
        }
    }

    /// Packs everything that waits in memory: it is about to lose its power. Gives up when the
    /// disk takes too long; what it writes then is taken in all the same.
    pub async fn pack_before_the_end(self: &Arc<Self>) {
        if timeout(PACK_WITHIN, self.pack_all()).await.is_err() {
            tracing::warn!("samples that wait could not be written to disk in time");
        }
    }

    /// Waits until nobody packs any more, but not long.
    pub(crate) async fn end_packing(&self) {
        if timeout(PACK_WITHIN, self.packing.lock()).await.is_err() {
            tracing::warn!("samples that wait are still being written to disk");
        }
    }

    async fn pack_all(self: &Arc<Self>) {
        loop {
            let alone = self.packing.clone().lock_owned().await;
            let delivery = self.clone();
            // The block is taken in by who writes it: it is so also when nobody waits any more.
            let packed = spawn_blocking(move || {
                let packed = delivery.pack_block();
                drop(delivery);
                drop(alone);
                packed
            });
            if !packed.await.unwrap_or(false) {
                return;
            }
        }
    }

    /// False if there is nothing to pack, or it cannot be written.
    fn pack_block(&self) -> bool {
        let Some(packing) = self.state().spool.packing() else {
            return false;
        };
        let packed = packing.run();
        self.state().spool.packed(packed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spool::tests::{Folder, fill, folder, read};

    fn delivery(folder: &Folder) -> Arc<Delivery> {
        let session = SessionId(1);
        let mut spool = folder.open(session.0);
        fill(&mut spool, 1..=300);
        let device = "ws-14".parse().unwrap();
        let delivery = Delivery::new(device, session, spool, Patience::default(), Keep::Always);
        Arc::new(delivery)
    }

    #[tokio::test]
    async fn a_block_that_nobody_waits_for_any_more_is_taken_in_all_the_same() {
        let folder = folder();
        let delivery = delivery(&folder);
        let impatient = timeout(Duration::ZERO, delivery.pack_all());
        drop(impatient.await);
        delivery.end_packing().await;
        assert_eq!((folder.tail_files().len(), folder.blocks().len()), (0, 1));
        assert_eq!(read(&delivery.state().spool, 1).len(), 300);
    }

    #[tokio::test]
    async fn two_that_pack_at_once_make_one_block() {
        let folder = folder();
        let delivery = delivery(&folder);
        tokio::join!(delivery.pack_all(), delivery.pack_before_the_end());
        assert_eq!((folder.tail_files().len(), folder.blocks().len()), (0, 1));
        assert_eq!(read(&delivery.state().spool, 1).len(), 300);
    }
}
