//! Everything that the agent sends between its birth and its goodbye.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Info, Metrics, Services, Session, Status};
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_service::clock;
use netmonitor_service::mqtt::Publisher;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::inventory::{Inventory, differs};

/// How often the services are repeated, and the inventory is read anew.
const NOW_AND_THEN: Duration = Duration::from_mins(10);

/// What is known about this machine now: the latest of each kind, in slots that hold one value.
/// A value that is replaced before it was sent is never sent.
#[derive(Clone)]
pub(crate) struct Known {
    pub(crate) device: DeviceId,
    pub(crate) session: Session,
    pub(crate) sample: watch::Receiver<Option<Metrics>>,
    pub(crate) services: watch::Receiver<Option<Services>>,
    pub(crate) info: Arc<InfoSlot>,
}

/// The inventory, and what was last published of it.
pub(crate) struct InfoSlot(Mutex<(Inventory, Option<Info>)>);

impl InfoSlot {
    pub(crate) fn new(inventory: Inventory) -> Self {
        Self(Mutex::new((inventory, None)))
    }

    /// Reads the inventory anew, to be published whatever it says.
    fn read(&self) -> Info {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let info = slot.0.read(Instant::now(), clock::now());
        slot.1 = Some(info.clone());
        info
    }

    /// Reads the inventory anew; none if it says what was published last.
    fn read_if_changed(&self) -> Option<Info> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let info = slot.0.read(Instant::now(), clock::now());
        if slot.1.as_ref().is_some_and(|last| !differs(last, &info)) {
            return None;
        }
        slot.1 = Some(info.clone());
        Some(info)
    }
}

impl Known {
    /// What announces the agent on every connection, in this order: who it is, what the machine
    /// is, that it is there, and how it is doing.
    pub(crate) fn birth(&self) -> Vec<Message> {
        let mut messages = vec![
            Message::DeviceSession(self.device.clone(), self.session.clone()),
            Message::DeviceInfo(self.device.clone(), Box::new(self.info.read())),
            self.online(),
        ];
        messages.extend(self.latest_services());
        messages.extend(self.latest_sample());
        messages
    }

    fn online(&self) -> Message {
        Message::DeviceStatus(
            self.device.clone(),
            Status::Online,
            Some(self.session.session),
        )
    }

    fn latest_services(&self) -> Option<Message> {
        let services = self.services.borrow().clone()?;
        Some(Message::DeviceServices(self.device.clone(), services))
    }

    fn latest_sample(&self) -> Option<Message> {
        let sample = self.sample.borrow().clone()?;
        Some(Message::DeviceMetrics(
            self.device.clone(),
            Box::new(sample),
        ))
    }
}

/// Sends what changes, until dropped. `claims` wakes it when someone else said `offline` in
/// this device's name.
pub(crate) async fn changes(
    mut known: Known,
    publisher: Publisher,
    mut claims: watch::Receiver<()>,
) {
    let mut now_and_then = tokio::time::interval(NOW_AND_THEN);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Skip);
    now_and_then.reset();
    loop {
        tokio::select! {
            Ok(()) = claims.changed() => send(&publisher, Some(known.online())).await,
            Ok(()) = known.services.changed() => {
                known.services.mark_unchanged();
                send(&publisher, known.latest_services()).await;
            }
            Ok(()) = known.sample.changed() => {
                known.sample.mark_unchanged();
                // The place for the spool: a sample that is not acknowledged is lost here.
                send(&publisher, known.latest_sample()).await;
            }
            _ = now_and_then.tick() => {
                let info = known.info.read_if_changed();
                let device = known.device.clone();
                send(&publisher, info.map(|it| Message::DeviceInfo(device, Box::new(it)))).await;
                send(&publisher, known.latest_services()).await;
            }
        }
    }
}

/// Without a connection the message is dropped: the next birth brings what is true then.
async fn send(publisher: &Publisher, message: Option<Message>) {
    let Some(message) = message else { return };
    let topic = message.topic();
    if let Err(error) = publisher.publish(message).await {
        tracing::debug!(%topic, %error, "not sent");
    }
}
