//! What is known of all devices and of the hub's services now, folded from MQTT messages.
//! Pure: messages and time in, changes for the browsers out.

#[cfg(test)]
mod alert_tests;
mod alerts;
mod device_clock;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::{
    Address, Alert, Metrics, Processes, ServiceHealth, ServiceState,
};
use netmonitor_protocol::{DeviceId, Message, Rule, ServiceName, Subject, Topic};
use netmonitor_store::hub;

use self::alerts::Alerts;
pub(crate) use self::state::About;
use self::state::State;
use crate::types::{
    self, Device, DeviceMetrics, Hub, HubService, HubServiceState, Live, LiveDevice, LiveEvent,
    LiveHub, LiveMetrics, LiveProcesses, LiveRemoved, ProcessPage,
};

/// Services of the hub that a user hears of; the frame around them is the hub itself.
const SHOWN_SERVICES: [ServiceName; 4] = [
    ServiceName::Broker,
    ServiceName::Ingest,
    ServiceName::Alerting,
    ServiceName::Api,
];

/// All devices and services.
#[derive(Debug)]
pub struct Fleet {
    name: String,
    devices: BTreeMap<DeviceId, State>,
    services: BTreeMap<ServiceName, ServiceHealth>,
    addresses: Vec<Address>,
    /// The newest lines of the log: a browser that comes now would miss those that are not
    /// stored yet.
    log: VecDeque<types::Event>,
    alerts: Alerts,
}

/// Longer than ingest takes to store a line when much happens at once.
const LOG_LINES: usize = 20;

/// Processes of a device that are kept and shown: an agent sends fewer.
const PROCESSES: usize = 100;

/// How long they are shown after they came: an agent that still tells does so more often.
const PROCESSES_SHOWN: SignedDuration = SignedDuration::from_mins(2);

/// Between two samples of a device that has not said how long it is.
const USUAL_INTERVAL: SignedDuration = SignedDuration::from_secs(3);

/// How a message came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// Just published.
    Live,
    /// What was the case before the hub's api connected.
    Retained,
}

impl Fleet {
    /// The enrolled devices, of which nothing is known yet. `name` is the hub's host name.
    pub fn new(name: String, devices: &[hub::Device]) -> Self {
        let mut fleet = Self {
            name,
            devices: BTreeMap::new(),
            services: BTreeMap::new(),
            addresses: Vec::new(),
            log: VecDeque::new(),
            alerts: Alerts::default(),
        };
        for device in devices {
            fleet.add(device);
        }
        fleet
    }

    /// A device was enrolled.
    pub fn add(&mut self, device: &hub::Device) -> Vec<Live> {
        let state = self.devices.entry(device.id.clone()).or_default();
        state.about.name.clone_from(&device.name);
        self.device_changed(&device.id)
    }

    /// What is set about a device. Nothing if it is what was known, or if there is no such device.
    pub(crate) fn set(&mut self, id: &DeviceId, about: &About) -> Vec<Live> {
        match self.devices.get_mut(id) {
            Some(state) if state.about != *about => {
                state.about = about.clone();
                self.device_changed(id)
            }
            _ => Vec::new(),
        }
    }

    /// A device is none any more.
    pub fn remove(&mut self, id: &DeviceId) -> Vec<Live> {
        let removed = self.devices.remove(id);
        self.alerts.forget(id);
        let gone = |_| Live::Removed(LiveRemoved { id: id.to_string() });
        removed.map(gone).into_iter().collect()
    }

    /// The connection to the broker is gone: nothing that was known is certain any more.
    pub fn lost_sight(&mut self, now: Timestamp) -> Vec<Live> {
        let gone = self.alerts.lose_sight();
        let knew_something = !self.services.is_empty()
            || !gone.is_empty()
            || self
                .devices
                .values()
                .any(|state| state.status.is_some() || state.presence.is_some());
        if !knew_something {
            return Vec::new();
        }
        self.services.clear();
        let mut changes = vec![self.hub_changed(now)];
        changes.extend(gone);
        for state in self.devices.values_mut() {
            state.lose_sight();
        }
        changes.extend(self.all_devices_changed());
        changes
    }

    /// A message arrived.
    pub fn apply(&mut self, message: Message, arrival: Arrival, now: Timestamp) -> Vec<Live> {
        match message {
            Message::HubService(name, health) => {
                let concluded = self.is_concluded();
                self.services.insert(name, health);
                let mut changes = vec![self.hub_changed(now)];
                if concluded != self.is_concluded() {
                    changes.extend(self.all_devices_changed());
                }
                changes
            }
            Message::HubInfo(info) => {
                self.addresses = info.addresses;
                vec![self.hub_changed(now)]
            }
            Message::Event(event) => {
                let event = types::Event::from(event);
                self.log.push_back(event.clone());
                if self.log.len() > LOG_LINES {
                    self.log.pop_front();
                }
                vec![Live::Log(LiveEvent { event })]
            }
            // What is retained is from before: when it was taken only the device can say.
            Message::DeviceMetrics(id, metrics) => {
                let at = metrics.time.min(now);
                self.new_metrics(&id, metrics, at, at)
            }
            Message::DeviceStatus(id, status, _) => self.change(&id, |state| {
                if arrival == Arrival::Live && state.status != Some(status) {
                    state.status_since = Some(now);
                }
                state.status = Some(status);
            }),
            Message::DevicePresence(id, presence) => {
                self.change(&id, |state| state.presence = Some(presence))
            }
            Message::DeviceSession(id, session) => {
                self.change(&id, |state| state.session = Some(session))
            }
            Message::DeviceInfo(id, info) => self.change(&id, |state| state.info = Some(info)),
            Message::DeviceServices(id, services) => {
                self.change(&id, |state| state.services = Some(services))
            }
            Message::DeviceProcesses(id, processes) => self.new_processes(&id, processes, now),
            Message::Alert(subject, rule, alert) => {
                // Left behind by a device that was removed: nothing to show.
                if subject.device().is_some_and(|id| !self.knows(id)) {
                    return Vec::new();
                }
                self.alerts.said(subject, rule, *alert)
            }
            Message::Cleared(Topic::Alert(subject, rule)) => self.alerts.cleared(&subject, &rule),
            Message::Cleared(Topic::DevicePresence(id)) => {
                self.change(&id, |state| state.presence = None)
            }
            Message::Cleared(Topic::DeviceStatus(id)) => self.change(&id, |state| {
                (state.status, state.status_since) = (None, None);
            }),
            _ => Vec::new(),
        }
    }

    fn change(&mut self, id: &DeviceId, change: impl FnOnce(&mut State)) -> Vec<Live> {
        let Some(state) = self.devices.get_mut(id) else {
            // Left behind by a device that was removed: nothing to show.
            return Vec::new();
        };
        change(state);
        self.device_changed(id)
    }

    /// Whether there is somebody who concludes from what devices say how they are.
    fn is_concluded(&self) -> bool {
        let health = self.services.get(&ServiceName::Alerting);
        health.is_some_and(|health| {
            matches!(health.state, ServiceState::Running | ServiceState::Degraded)
        })
    }

    /// A sample arrived that was just taken: `at`, by the hub's clock. `ahead`: by how much the
    /// device's own clock was ahead, if the hub knows better.
    pub(crate) fn sampled(
        &mut self,
        id: &DeviceId,
        metrics: Box<Metrics>,
        at: Timestamp,
        ahead: Option<SignedDuration>,
        now: Timestamp,
    ) -> Vec<Live> {
        let clock = self.devices.get_mut(id).map(|state| &mut state.clock);
        let seen = clock.zip(ahead);
        let is_said_anew = seen.is_some_and(|(clock, ahead)| clock.seen(ahead));
        let mut changes = self.new_metrics(id, metrics, at, now);
        if is_said_anew {
            changes.extend(self.device_changed(id));
        }
        changes
    }

    /// The newest sample, which was taken `at` and came `last_seen`.
    fn new_metrics(
        &mut self,
        id: &DeviceId,
        metrics: Box<Metrics>,
        at: Timestamp,
        last_seen: Timestamp,
    ) -> Vec<Live> {
        let is_concluded = self.is_concluded();
        let Some(state) = self.devices.get_mut(id) else {
            return Vec::new();
        };
        state.last_seen = Some(last_seen);
        let shown = DeviceMetrics::from(&*metrics);
        state.metrics = Some(metrics);
        vec![Live::Metrics(LiveMetrics {
            id: id.to_string(),
            at: at.into(),
            metrics: shown,
            troubles: state.troubles(is_concluded),
        })]
    }

    fn new_processes(&mut self, id: &DeviceId, processes: Processes, now: Timestamp) -> Vec<Live> {
        let Some(state) = self.devices.get_mut(id) else {
            return Vec::new();
        };
        let processes = ProcessPage::new(processes, now, PROCESSES);
        state.processes = Some(processes.clone());
        let id = id.to_string();
        vec![Live::Processes(LiveProcesses { id, processes })]
    }

    fn device_changed(&self, id: &DeviceId) -> Vec<Live> {
        let device = self.device(id);
        device
            .map(|device| Live::Device(LiveDevice { device }))
            .into_iter()
            .collect()
    }

    fn all_devices_changed(&self) -> Vec<Live> {
        let ids = self.devices.keys();
        ids.flat_map(|id| self.device_changed(id)).collect()
    }

    fn hub_changed(&self, now: Timestamp) -> Live {
        Live::Hub(LiveHub { hub: self.hub(now) })
    }

    /// Everything, as if it had just changed, and the newest lines of the log.
    pub fn snapshot(&self, now: Timestamp) -> Vec<Live> {
        let devices = self.devices().into_iter();
        let log = self.log.iter().cloned();
        std::iter::once(self.hub_changed(now))
            .chain(devices.map(|device| Live::Device(LiveDevice { device })))
            .chain(self.alerts.snapshot())
            .chain(log.map(|event| Live::Log(LiveEvent { event })))
            .collect()
    }

    /// Who they are.
    pub(crate) fn ids(&self) -> Vec<DeviceId> {
        self.devices.keys().cloned().collect()
    }

    /// All devices, by id.
    pub fn devices(&self) -> Vec<Device> {
        let is_concluded = self.is_concluded();
        let all = self.devices.iter();
        all.map(|(id, state)| self.show(id, state, is_concluded))
            .collect()
    }

    fn show(&self, id: &DeviceId, state: &State, is_concluded: bool) -> Device {
        Device {
            alerts: self.alerts.of_device(id),
            ..state.show(id, is_concluded)
        }
    }

    /// All alerts: those that fire first, of those the ones that matter most, then the newest.
    pub(crate) fn alerts(&self) -> Vec<types::Alert> {
        self.alerts.all()
    }

    /// One alert. None if nobody watches that rule.
    pub(crate) fn alert(&self, subject: &Subject, rule: &Rule) -> Option<&Alert> {
        self.alerts.get(subject, rule)
    }

    /// The latest sample of a device.
    pub(crate) fn metrics(&self, id: &DeviceId) -> Option<&Metrics> {
        self.devices.get(id)?.metrics.as_deref()
    }

    /// The time between two samples of a device, as far as it has said so.
    pub(crate) fn interval(&self, id: &DeviceId) -> SignedDuration {
        let info = self.devices.get(id).and_then(|state| state.info.as_ref());
        let interval = info.map(|info| SignedDuration::try_from_secs_f64(info.interval_secs));
        interval.and_then(Result::ok).unwrap_or(USUAL_INTERVAL)
    }

    /// How often what is set about a device was changed.
    pub(crate) fn revision(&self, id: &DeviceId) -> u64 {
        self.devices.get(id).map_or(0, |state| state.about.revision)
    }

    /// Whether there is such a device.
    pub(crate) fn knows(&self, id: &DeviceId) -> bool {
        self.devices.contains_key(id)
    }

    /// One device.
    pub fn device(&self, id: &DeviceId) -> Option<Device> {
        let state = self.devices.get(id)?;
        Some(self.show(id, state, self.is_concluded()))
    }

    /// The services of one device. None if there is no such device.
    pub fn services(&self, id: &DeviceId) -> Option<types::ServicePage> {
        let state = self.devices.get(id)?;
        Some(state.services.as_ref().map_or_else(
            || types::ServicePage {
                items: Vec::new(),
                next: None,
                manager: types::ServiceManager::Unknown,
            },
            types::ServicePage::from,
        ))
    }

    /// The processes of one device, as they were told last, unless that is too long ago. None if
    /// there is no such device.
    pub fn processes(&self, id: &DeviceId, now: Timestamp) -> Option<ProcessPage> {
        let state = self.devices.get(id)?;
        let is_new = |page: &&ProcessPage| {
            page.at
                .is_some_and(|at| now.duration_since(at.0) < PROCESSES_SHOWN)
        };
        let processes = state.processes.as_ref().filter(is_new);
        Some(processes.cloned().unwrap_or_else(ProcessPage::empty))
    }

    /// The hub and its services.
    pub fn hub(&self, now: Timestamp) -> Hub {
        Hub {
            name: self.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            time: now.into(),
            services: SHOWN_SERVICES
                .iter()
                .map(|name| self.hub_service(*name))
                .collect(),
            addresses: self
                .addresses
                .iter()
                .map(|address| types::Address {
                    listener: address.listener.clone(),
                    address: address.address.clone(),
                })
                .collect(),
        }
    }

    /// What each service of the hub said last of how it is.
    pub(crate) fn health(&self) -> &BTreeMap<ServiceName, ServiceHealth> {
        &self.services
    }

    fn hub_service(&self, name: ServiceName) -> HubService {
        let health = self.services.get(&name);
        HubService {
            name: name.to_string(),
            state: match health.map(|health| health.state) {
                Some(ServiceState::Running) => HubServiceState::Running,
                Some(ServiceState::Degraded) => HubServiceState::Degraded,
                Some(ServiceState::Stopped) => HubServiceState::Stopped,
                // The api answers, so it is there: what is missing is the broker between.
                None if name == ServiceName::Api => HubServiceState::Degraded,
                Some(ServiceState::Unknown) | None => HubServiceState::Missing,
            },
            reason: health.and_then(|health| types::HubServiceReason::of(health.reason?)),
            since: health.map(|health| health.since.into()),
            version: health.map(|health| health.version.clone()),
        }
    }
}
