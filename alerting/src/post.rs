//! Brings messages to their channels: each channel has a task and a queue of its own, so that none
//! waits for another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{Channel, Event, EventKind, Severity};
use netmonitor_service::{Counters, clock};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::brain::now;
use crate::channels::{Courier, SendError};
use crate::journal::{Entry, Journal};
use crate::outbox::Outbox;
use crate::parcel::Parcel;
use crate::policy::Policy;
use crate::queue::{Next, Queue, WAITING};
use crate::words::Words;

/// However long something is to be waited for, it is looked at again after this.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// Everything that a channel's task needs.
#[derive(Debug, Clone)]
pub(crate) struct Office {
    pub(crate) courier: Arc<Courier>,
    pub(crate) policy: watch::Receiver<Policy>,
    pub(crate) journal: Journal,
    pub(crate) outbox: Outbox,
    pub(crate) counters: Counters,
    /// Nothing is begun any more.
    pub(crate) stop: CancellationToken,
}

/// Hands messages to the tasks of their channels until it is told to stop; then it waits for those
/// that are under way.
pub(crate) async fn deliver(office: Office, mut parcels: mpsc::Receiver<Parcel>) {
    let mut tasks = JoinSet::new();
    let mut counters: BTreeMap<String, mpsc::Sender<Parcel>> = BTreeMap::new();
    while let Some(Some(parcel)) = office.stop.run_until_cancelled(parcels.recv()).await {
        let id = parcel.channel.clone();
        let counter = counters.entry(id.clone()).or_insert_with(|| {
            let (sender, receiver) = mpsc::channel(WAITING);
            tasks.spawn(serve(office.clone(), id, receiver));
            sender
        });
        // Its task takes everything at once, and decides itself what it has no room for.
        if counter.send(parcel).await.is_err() {
            office.counters.count("messages_given_up");
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Serves one channel.
async fn serve(mut office: Office, id: String, mut parcels: mpsc::Receiver<Parcel>) {
    let mut queue = Queue::default();
    // What is set now is what is read first.
    office.policy.mark_unchanged();
    while !office.stop.is_cancelled() {
        let next = office.next(&id, &mut queue);
        let wait = match next {
            Next::Send(parcel) => {
                office.send(&mut queue, &mut parcels, &parcel).await;
                continue;
            }
            Next::Drop(parcel) => {
                office.settle(&mut queue, &parcel);
                continue;
            }
            Next::GiveUp(parcel) => {
                office.give_up(&mut queue, &parcel, "nobody could be reached for a day");
                continue;
            }
            Next::Wait(until) => until,
        };
        let now = now();
        let wait = wait.map(|until| until.saturating_sub(now.ms).max(0));
        // The clock may be set meanwhile, by which quiet hours end.
        let wait = wait.map(|ms| Duration::from_millis(ms.unsigned_abs()).min(LOOK_AGAIN));
        tokio::select! {
            parcel = parcels.recv() => match parcel {
                Some(parcel) => office.take(&mut queue, parcel),
                None => return,
            },
            () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            Ok(()) = office.policy.changed() => queue.try_again(),
            () = office.stop.cancelled() => {}
        }
    }
}

impl Office {
    fn next(&self, id: &str, queue: &mut Queue) -> Next {
        let policy = self.policy.borrow();
        let channel = policy.channel(id);
        queue.next(|notice| policy.route(channel?, notice), now())
    }

    fn take(&self, queue: &mut Queue, parcel: Parcel) {
        let is_held = self.policy.borrow().held_back(&parcel);
        if let Some(oldest) = queue.add(parcel, is_held, now()) {
            self.give_up(queue, &oldest, "too many messages wait for this channel");
        }
    }

    /// Sends one, and takes what comes meanwhile.
    async fn send(
        &mut self,
        queue: &mut Queue,
        parcels: &mut mpsc::Receiver<Parcel>,
        parcel: &Parcel,
    ) {
        let (channel, words) = {
            let policy = self.policy.borrow();
            let Some(channel) = policy.channel(&parcel.channel) else {
                return;
            };
            (channel.clone(), policy.words(&parcel.notice))
        };
        let courier = self.courier.clone();
        let sending = courier.send(&channel, &parcel.notice, &words);
        tokio::pin!(sending);
        let sent = loop {
            tokio::select! {
                sent = &mut sending => break sent,
                Some(more) = parcels.recv() => self.take(queue, more),
            }
        };
        self.sent(queue, parcel, &channel, &words, sent);
    }

    fn sent(
        &self,
        queue: &mut Queue,
        parcel: &Parcel,
        channel: &Channel,
        words: &Words,
        sent: Result<String, SendError>,
    ) {
        let (is_news, error) = match sent {
            Ok(answer) => {
                queue.reached();
                self.counters.count("messages_sent");
                let about = [
                    ("channel", channel.name.clone()),
                    ("title", words.title.clone()),
                    ("answer", answer),
                ];
                self.log(EventKind::MessageSent, Severity::Info, about);
                return self.settle(queue, parcel);
            }
            Err(error) if error.is_permanent => {
                queue.reached();
                (queue.refused(&parcel.notice.id, now()), error)
            }
            Err(error) => (queue.not_reached(&parcel.notice.id, now()), error),
        };
        self.counters.count("messages_not_sent");
        tracing::debug!(channel = channel.id, %error, "a message was not sent");
        if is_news {
            tracing::warn!(channel = channel.id, %error, "a message about alerts was not sent: it is tried again");
            let about = [
                ("channel", channel.name.clone()),
                ("title", words.title.clone()),
                ("error", error.text),
            ];
            self.log(EventKind::ChannelFailing, Severity::Warning, about);
        }
    }

    fn settle(&self, queue: &mut Queue, parcel: &Parcel) {
        queue.settle(&parcel.notice.id);
        self.journal.write(vec![Entry::Settled {
            channel: parcel.channel.clone(),
            notice: parcel.notice.id.clone(),
        }]);
    }

    fn give_up(&self, queue: &mut Queue, parcel: &Parcel, why: &str) {
        self.counters.count("messages_given_up");
        let (name, title) = {
            let policy = self.policy.borrow();
            let channel = policy.channel(&parcel.channel);
            let name = channel.map_or_else(|| parcel.channel.clone(), |it| it.name.clone());
            (name, policy.words(&parcel.notice).title)
        };
        tracing::error!(
            channel = parcel.channel,
            why,
            "a message about alerts was given up"
        );
        let about = [
            ("channel", name),
            ("title", title),
            ("error", why.to_owned()),
        ];
        self.log(EventKind::MessageFailed, Severity::Warning, about);
        self.settle(queue, parcel);
    }

    fn log<const N: usize>(
        &self,
        kind: EventKind,
        severity: Severity,
        parameters: [(&str, String); N],
    ) {
        let event = Event::new(clock::now(), kind, severity, parameters);
        self.outbox.send(Message::Event(event));
    }
}
