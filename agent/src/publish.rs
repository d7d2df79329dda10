//! Everything that the agent sends between its birth and its goodbye.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{EndCause, Info, Metrics, Processes, Services, Session, Status};
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_service::clock;
use netmonitor_service::mqtt::{Control, Parting, Publisher};
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, timeout};

use crate::collect::Facts;
use crate::delivery::Delivery;
use crate::goodbye::goodbye;
use crate::inventory::{Inventory, differs};
use crate::power::{Delay, Power};
use crate::settings::Wanted;

/// How often the services are repeated, and the inventory is read anew.
const NOW_AND_THEN: Duration = Duration::from_mins(10);

/// How long the connection may take to close before the machine sleeps.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);

/// A machine that announced its sleep, or its shutdown, and is still awake after this long, not
/// counting the time that it slept, does neither.
const ASLEEP_AT_MOST: Duration = Duration::from_mins(1);

/// What is known about this machine now: the latest of each kind, in slots that hold one value.
/// A value that is replaced before it was sent is never sent.
#[derive(Clone)]
pub(crate) struct Known {
    device: DeviceId,
    session: Session,
    sample: watch::Receiver<Option<Metrics>>,
    delivery: Arc<Delivery>,
    services: watch::Receiver<Option<Services>>,
    wanted: watch::Receiver<Wanted>,
    processes: watch::Receiver<Option<Processes>>,
    info: Arc<InfoSlot>,
    facts: watch::Receiver<Facts>,
}

/// Where those write who find something out.
pub(crate) struct Findings {
    pub(crate) sample: watch::Sender<Option<Metrics>>,
    pub(crate) facts: watch::Sender<Facts>,
    pub(crate) services: watch::Sender<Option<Services>>,
    pub(crate) processes: watch::Sender<Option<Processes>>,
}

/// The inventory, and what was last published of it.
struct InfoSlot(Mutex<(Inventory, Option<Info>)>);

impl InfoSlot {
    fn new(inventory: Inventory) -> Self {
        Self(Mutex::new((inventory, None)))
    }

    /// Reads the inventory anew, to be published whatever it says.
    fn read(&self, facts: &Facts, interval: Duration) -> Info {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let info = slot.0.read(facts, interval, now, clock::now());
        slot.1 = Some(info.clone());
        info
    }

    /// Reads the inventory anew; none if it says what was published last.
    fn read_if_changed(&self, facts: &Facts, interval: Duration) -> Option<Info> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let info = slot.0.read(facts, interval, now, clock::now());
        if slot.1.as_ref().is_some_and(|last| !differs(last, &info)) {
            return None;
        }
        slot.1 = Some(info.clone());
        Some(info)
    }
}

impl Known {
    /// Nothing is known yet.
    pub(crate) fn new(
        device: DeviceId,
        session: Session,
        inventory: Inventory,
        delivery: Arc<Delivery>,
        wanted: watch::Receiver<Wanted>,
    ) -> (Self, Findings) {
        let (found_sample, sample) = watch::channel(None);
        let (found_facts, facts) = watch::channel(Facts::default());
        let (found_services, services) = watch::channel(None);
        let (found_processes, processes) = watch::channel(None);
        let known = Self {
            device,
            session,
            sample,
            delivery,
            services,
            wanted,
            processes,
            info: Arc::new(InfoSlot::new(inventory)),
            facts,
        };
        let findings = Findings {
            sample: found_sample,
            facts: found_facts,
            services: found_services,
            processes: found_processes,
        };
        (known, findings)
    }

    /// What announces the agent on every connection, in this order: who it is, what the machine
    /// is, that it is there, and how it is doing.
    pub(crate) fn birth(&self) -> Vec<Message> {
        let mut messages = vec![
            Message::DeviceSession(self.device.clone(), self.session.clone()),
            Message::DeviceInfo(self.device.clone(), Box::new(self.read_info())),
            self.online(),
        ];
        messages.extend(self.latest_services());
        if let Some(sample) = self.sample.borrow().clone() {
            self.delivery.sent(sample.seq);
            messages.push(self.delivery.live(sample));
        }
        messages
    }

    fn read_info(&self) -> Info {
        let interval = self.wanted.borrow().interval;
        self.info.read(&self.facts.borrow(), interval)
    }

    fn changed_info(&self) -> Option<Message> {
        let interval = self.wanted.borrow().interval;
        let info = self.info.read_if_changed(&self.facts.borrow(), interval)?;
        Some(Message::DeviceInfo(self.device.clone(), Box::new(info)))
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
}

/// What makes the agent say something, or nothing.
pub(crate) struct Prompts {
    /// Someone else said `offline` in this device's name.
    pub(crate) claims: watch::Receiver<()>,
    pub(crate) power: mpsc::Receiver<Power>,
}

/// Sends what changes, until dropped. While the machine sleeps nothing is sent: a sample after
/// the goodbye would say that it is awake.
pub(crate) async fn changes(
    mut known: Known,
    publisher: Publisher,
    control: Control,
    mut prompts: Prompts,
) {
    let mut now_and_then = tokio::time::interval(NOW_AND_THEN);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Skip);
    now_and_then.reset();
    loop {
        tokio::select! {
            Some(power) = prompts.power.recv() => if let Power::Goes(cause, delay) = power {
                leave(&known, &publisher, &control, cause, delay).await;
                awake(&mut prompts.power).await;
                // What was heard meanwhile was the goodbye.
                prompts.claims.mark_unchanged();
                control.come_back();
            },
            Ok(()) = prompts.claims.changed() => {
                send(&publisher, Some(known.online())).await;
            }
            Ok(()) = known.services.changed() => {
                known.services.mark_unchanged();
                send(&publisher, known.latest_services()).await;
            }
            Ok(()) = known.processes.changed() => {
                let processes = known.processes.borrow_and_update().clone();
                let message = processes.map(|it| Message::DeviceProcesses(known.device.clone(), it));
                send(&publisher, message).await;
            }
            Ok(()) = known.sample.changed() => {
                let sample = known.sample.borrow_and_update().clone();
                if let Some(sample) = sample {
                    let seq = sample.seq;
                    if send(&publisher, Some(known.delivery.live(sample))).await {
                        known.delivery.sent(seq);
                    }
                }
            }
            Ok(()) = known.wanted.changed() => {
                send(&publisher, known.changed_info()).await;
            }
            Ok(()) = known.facts.changed() => {
                known.facts.mark_unchanged();
                send(&publisher, known.changed_info()).await;
            }
            _ = now_and_then.tick() => {
                send(&publisher, known.changed_info()).await;
                send(&publisher, known.latest_services()).await;
            }
        }
    }
}

/// Says that the machine sleeps or is shut down, and closes the connection before it does.
async fn leave(
    known: &Known,
    publisher: &Publisher,
    control: &Control,
    cause: EndCause,
    delay: Delay,
) {
    let (device, session) = (known.device.clone(), known.session.clone());
    let said = goodbye(publisher, device, session, cause).await;
    let parting = if said {
        Parting::Disconnect
    } else {
        Parting::Silent
    };
    control.stay_away(ASLEEP_AT_MOST, parting);
    if timeout(CLOSE_WITHIN, control.closed()).await.is_err() {
        tracing::debug!("the connection was not closed in time");
    }
    known.delivery.pack_before_the_end().await;
    drop(delay);
}

/// Waits until the machine is awake, by its own word or as far as one can tell.
async fn awake(power: &mut mpsc::Receiver<Power>) {
    let woken = async { while !matches!(power.recv().await, Some(Power::Back) | None) {} };
    if timeout(ASLEEP_AT_MOST, woken).await.is_err() {
        tracing::debug!("the machine is still there");
    }
}

/// Without a connection the message is dropped: the next birth brings what is true then. Whether
/// the broker has it.
async fn send(publisher: &Publisher, message: Option<Message>) -> bool {
    let Some(message) = message else {
        return false;
    };
    let topic = message.topic();
    let sent = publisher.publish(message).await;
    if let Err(error) = &sent {
        tracing::debug!(%topic, %error, "not sent");
    }
    sent.is_ok()
}
