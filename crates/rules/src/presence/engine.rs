//! All devices, and the connection through which they are seen.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Presence, Status, keepalive_secs};
use netmonitor_protocol::{DeviceId, Message, Topic};

use super::context::Context;
use super::device::Device;
use super::{Effect, Input, Moment, Timing};

/// Devices that are looked after. Their number is that of the enrolled ones: a broker lets
/// nobody else write below `device`. More are passed over and counted.
pub const MAX_DEVICES: usize = 10_000;

/// Concludes the presence of every device.
#[derive(Debug)]
pub struct Engine {
    timing: Timing,
    devices: BTreeMap<DeviceId, Device>,
    /// The keepalive of those that have one of their own.
    keep_alives: BTreeMap<DeviceId, Duration>,
    link: Link,
    /// When it began to see again, if it was blind or stood still.
    sees_again: Option<Instant>,
    /// On this connection something was retained that every device has which there is: its settings.
    lists_all: bool,
    /// Nothing is to be done before.
    next: Option<Instant>,
    passed_over: u64,
}

/// Whether the hub sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Down,
    /// Messages come; the client has not yet said that it is connected.
    Opening(Instant),
    Up(Instant),
}

impl Link {
    fn since(self) -> Option<Instant> {
        match self {
            Self::Down => None,
            Self::Opening(since) | Self::Up(since) => Some(since),
        }
    }
}

impl Engine {
    /// An engine that knows nothing and is not connected.
    pub fn new(timing: Timing) -> Self {
        Self {
            timing,
            devices: BTreeMap::new(),
            keep_alives: BTreeMap::new(),
            link: Link::Down,
            sees_again: None,
            lists_all: false,
            next: None,
            passed_over: 0,
        }
    }

    /// What is concluded of a device.
    pub fn presence(&self, device: &DeviceId) -> Option<&Presence> {
        self.devices.get(device)?.presence()
    }

    /// For how long a device has been offline, by the monotonic clock; none if it is not. What
    /// was so before this engine began counts from when it learned of it.
    pub fn offline_for(&self, device: &DeviceId, now: Instant) -> Option<Duration> {
        self.devices.get(device)?.offline_for(now)
    }

    /// How many devices are looked after.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// How many messages were passed over because there are too many devices.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// When to come with [`Input::Elapsed`] at the latest, if nothing else comes before. Coming
    /// earlier does no harm.
    pub fn deadline(&self) -> Option<Instant> {
        self.link.since().and(self.next)
    }

    /// Takes one input.
    #[must_use = "the effects are what it is for"]
    pub fn handle(&mut self, input: Input<'_>, now: Moment) -> Vec<Effect> {
        let mut out = Vec::new();
        match input {
            Input::Connected => {
                if !matches!(self.link, Link::Opening(_)) {
                    self.see(now);
                }
                let since = self.link.since().unwrap_or(now.monotonic);
                self.link = Link::Up(since);
            }
            Input::Lost => {
                self.link = Link::Down;
                self.sees_again = Some(now.monotonic);
            }
            Input::StoodStill => {
                self.sees_again = Some(now.monotonic);
                for (id, device) in &mut self.devices {
                    let timing = timing_of(self.timing, self.keep_alives.get(id));
                    let all_are_back = now.monotonic.checked_add(timing.judged_after(None));
                    device.was_not_watched(now.monotonic, all_are_back);
                }
                self.next = Some(now.monotonic);
            }
            Input::Message(message) => {
                let mut cx = self.context(now, &mut out);
                self.live(message, &mut cx);
            }
            Input::Retained(message) => {
                let mut cx = self.context(now, &mut out);
                self.retained(message, &mut cx);
            }
            Input::Elapsed => self.elapsed(now, &mut out),
        }
        out
    }

    /// The connection is new.
    fn see(&mut self, now: Moment) {
        self.link = Link::Opening(now.monotonic);
        self.lists_all = false;
        self.sees_again = self.sees_again.map(|_| now.monotonic);
        for device in self.devices.values_mut() {
            device.reconnected(now.monotonic);
        }
        self.next = Some(now.monotonic);
    }

    /// The hub as it is when a message comes: that it comes shows that there is a connection.
    fn context<'a>(&mut self, now: Moment, out: &'a mut Vec<Effect>) -> Context<'a> {
        if self.link == Link::Down {
            self.see(now);
        }
        Context {
            timing: self.timing,
            connected: self.link.since().unwrap_or(now.monotonic),
            sees_again: self.sees_again,
            lists_all: self.lists_all,
            now,
            out,
        }
    }

    fn live(&mut self, message: &Message, cx: &mut Context<'_>) {
        // A birth makes a device known, and the inventory may overtake it. Of one that is not
        // known nothing else is news.
        let is_birth = match message {
            Message::DeviceStatus(_, status, _) => *status == Status::Online,
            Message::DeviceSession(_, session) => session.ended.is_none(),
            Message::DeviceInfo(..) => true,
            _ => false,
        };
        if let Message::Cleared(Topic::DeviceStatus(id) | Topic::DeviceSession(id)) = message {
            if self.devices.remove(id).is_some() {
                cx.out.push(Effect::Clear(id.clone()));
            }
            return;
        }
        // Nobody clears it but who forgets the device. What is there is no ghost.
        if let Message::Cleared(Topic::DevicePresence(id)) = message
            && let Some(device) = self.devices.get_mut(id)
        {
            if !device.cleared(cx) {
                self.devices.remove(id);
            }
            return;
        }
        let Some(id) = self.addressed(message, cx) else {
            return;
        };
        if is_birth {
            self.meet(&id, false, cx);
        }
        let Some(device) = self.devices.get_mut(&id) else {
            return;
        };
        device.listed();
        match message {
            Message::DeviceStatus(_, status, session) => device.status(*status, *session, cx),
            Message::DeviceSession(_, session) => device.session(session, cx),
            Message::DeviceInfo(_, info) => device.info(info, cx),
            Message::DeviceMetrics(_, metrics) => device.sample(metrics.session, cx),
            // Our own words.
            _ => {}
        }
        self.look_again(&id, cx);
    }

    fn retained(&mut self, message: &Message, cx: &mut Context<'_>) {
        self.lists_all |= matches!(message, Message::DeviceSettings(..));
        let Some(id) = self.addressed(message, cx) else {
            return;
        };
        if !matches!(message, Message::DeviceMetrics(..)) {
            self.meet(&id, true, cx);
        }
        let Some(device) = self.devices.get_mut(&id) else {
            return;
        };
        device.listed();
        match message {
            Message::DeviceStatus(_, status, session) => device.retained_status(*status, *session),
            Message::DeviceSession(_, session) => device.retained_session(session),
            Message::DeviceInfo(_, info) => device.retained_info(info),
            Message::DevicePresence(_, presence) => device.retained_presence(presence.clone(), cx),
            _ => {}
        }
        self.look_again(&id, cx);
    }

    fn elapsed(&mut self, now: Moment, out: &mut Vec<Effect>) {
        let is_early = self.next.is_none_or(|next| next > now.monotonic);
        if is_early || self.link == Link::Down {
            return;
        }
        let mut cx = self.context(now, out);
        let mut next: Option<Instant> = None;
        let (timing, keep_alives) = (self.timing, &self.keep_alives);
        self.devices.retain(|id, device| {
            cx.timing = timing_of(timing, keep_alives.get(id));
            let is_one = device.elapsed(&mut cx);
            let deadline = device.deadline(&cx).filter(|_| is_one);
            next = next.into_iter().chain(deadline).min();
            is_one
        });
        self.next = next;
    }

    /// The device that a message is about, if there is more to do; settings are noted.
    fn addressed(&mut self, message: &Message, cx: &mut Context<'_>) -> Option<DeviceId> {
        let id = match message {
            Message::DeviceStatus(id, _, _)
            | Message::DeviceSession(id, _)
            | Message::DeviceInfo(id, _)
            | Message::DeviceMetrics(id, _)
            | Message::DevicePresence(id, _) => id,
            Message::DeviceSettings(id, settings) => {
                if let Some(device) = self.devices.get_mut(id) {
                    device.listed();
                }
                match settings.offline_timeout_secs {
                    Some(timeout) if self.keep_alives.len() < MAX_DEVICES => {
                        let secs = keepalive_secs(timeout).into();
                        let keep_alive = Duration::from_secs(secs);
                        self.keep_alives.insert(id.clone(), keep_alive);
                    }
                    _ => drop(self.keep_alives.remove(id)),
                }
                return None;
            }
            Message::Cleared(Topic::DeviceSettings(id)) => {
                self.keep_alives.remove(id);
                return None;
            }
            _ => return None,
        };
        cx.timing = timing_of(self.timing, self.keep_alives.get(id));
        Some(id.clone())
    }

    /// Makes a device known, if there is room.
    fn meet(&mut self, id: &DeviceId, was_there_before: bool, cx: &Context<'_>) {
        if self.devices.contains_key(id) {
            return;
        }
        if self.devices.len() >= MAX_DEVICES {
            self.passed_over += 1;
            return;
        }
        let device = Device::new(id.clone(), was_there_before, cx.now.monotonic);
        self.devices.insert(id.clone(), device);
    }

    /// The deadline of a device may have moved. One that moved away is found out in time.
    fn look_again(&mut self, id: &DeviceId, cx: &Context<'_>) {
        let device = self.devices.get(id);
        let deadline = device.and_then(|device| device.deadline(cx));
        self.next = match (self.next, deadline) {
            (Some(next), Some(deadline)) => Some(next.min(deadline)),
            (next, deadline) => next.or(deadline),
        };
    }
}

/// The timing of a device, which may have a keepalive of its own.
fn timing_of(fleet: Timing, keep_alive: Option<&Duration>) -> Timing {
    Timing {
        keep_alive: keep_alive.copied().unwrap_or(fleet.keep_alive),
        ..fleet
    }
}
