//! What is known of all devices and of the hub's services now, folded from MQTT messages.
//! Pure: messages and time in, changes for the browsers out.

mod state;

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use netmonitor_protocol::payload::{Address, Metrics, ServiceHealth, ServiceState};
use netmonitor_protocol::{DeviceId, Message, ServiceName, Topic};
use netmonitor_store::hub;

use self::state::State;
use crate::types::{
    self, Device, DeviceMetrics, Hub, HubService, HubServiceState, Live, LiveDevice, LiveEvent,
    LiveHub, LiveMetrics, LiveRemoved,
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
}

/// Longer than ingest takes to store a line when much happens at once.
const LOG_LINES: usize = 20;

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
        };
        for device in devices {
            fleet.add(device);
        }
        fleet
    }

    /// A device was enrolled.
    pub fn add(&mut self, device: &hub::Device) -> Vec<Live> {
        let state = self.devices.entry(device.id.clone()).or_default();
        state.name.clone_from(&device.name);
        self.device_changed(&device.id)
    }

    /// A device is none any more.
    pub fn remove(&mut self, id: &DeviceId) -> Vec<Live> {
        let removed = self.devices.remove(id);
        let gone = |_| Live::Removed(LiveRemoved { id: id.to_string() });
        removed.map(gone).into_iter().collect()
    }

    /// The connection to the broker is gone: nothing that was known is certain any more.
    pub fn lost_sight(&mut self, now: Timestamp) -> Vec<Live> {
        let knew_something = !self.services.is_empty()
            || self
                .devices
                .values()
                .any(|state| state.status.is_some() || state.presence.is_some());
        if !knew_something {
            return Vec::new();
        }
        self.services.clear();
        let mut changes = vec![self.hub_changed(now)];
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
            Message::DeviceMetrics(id, metrics) => self.new_metrics(&id, metrics, arrival, now),
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

    fn new_metrics(
        &mut self,
        id: &DeviceId,
        metrics: Box<Metrics>,
        arrival: Arrival,
        now: Timestamp,
    ) -> Vec<Live> {
        let is_concluded = self.is_concluded();
        let Some(state) = self.devices.get_mut(id) else {
            return Vec::new();
        };
        state.last_seen = Some(match arrival {
            Arrival::Live => now,
            Arrival::Retained => metrics.time.min(now),
        });
        let shown = DeviceMetrics::from(&*metrics);
        state.metrics = Some(metrics);
        vec![Live::Metrics(LiveMetrics {
            id: id.to_string(),
            metrics: shown,
            troubles: state.troubles(is_concluded),
        })]
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
            .chain(log.map(|event| Live::Log(LiveEvent { event })))
            .collect()
    }

    /// All devices, by id.
    pub fn devices(&self) -> Vec<Device> {
        let is_concluded = self.is_concluded();
        let all = self.devices.iter();
        all.map(|(id, state)| state.show(id, is_concluded))
            .collect()
    }

    /// One device.
    pub fn device(&self, id: &DeviceId) -> Option<Device> {
        let state = self.devices.get(id)?;
        Some(state.show(id, self.is_concluded()))
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

#[cfg(test)]
mod tests {
    use netmonitor_protocol::SessionId;
    use netmonitor_protocol::payload::{
        Cpu, Memory, Presence, PresenceCause, PresenceState, Status,
    };

    use super::*;
    use crate::types::{DeviceCause, DeviceStatus, TroubleKind};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn id() -> DeviceId {
        "ws-14".parse().unwrap()
    }

    fn fleet() -> Fleet {
        let device = hub::Device {
            id: id(),
            name: "WS 14".to_owned(),
            joined_at: at(0),
        };
        Fleet::new("pi".to_owned(), &[device])
    }

    fn metrics(second: i64, ram: u64) -> Message {
        let metrics = Metrics {
            session: SessionId(1),
            seq: 1,
            time: at(second),
            monotonic_ms: None,
            age_ms: 0,
            oldest_seq: None,
            uptime_secs: 1,
            cpu: Cpu {
                usage_percent: 5.0,
                per_core_percent: vec![],
                load: None,
            },
            memory: Memory {
                total_bytes: 100,
                used_bytes: ram,
            },
            swap: None,
            disks: vec![],
            network: vec![],
            temperatures: vec![],
        };
        Message::DeviceMetrics(id(), Box::new(metrics))
    }

    fn status(status: Status) -> Message {
        Message::DeviceStatus(id(), status, None)
    }

    fn kinds(device: &Device) -> Vec<TroubleKind> {
        device.troubles.iter().map(|trouble| trouble.kind).collect()
    }

    #[test]
    fn a_device_is_unknown_until_something_is_heard_of_it() {
        let device = fleet().device(&id()).unwrap();
        assert_eq!(device.status, DeviceStatus::Unknown);
        assert_eq!(device.troubles, []);
    }

    #[test]
    fn a_death_is_dated_and_hides_older_troubles() {
        let mut fleet = fleet();
        fleet.apply(status(Status::Online), Arrival::Live, at(1));
        fleet.apply(metrics(2, 96), Arrival::Live, at(2));
        assert_eq!(kinds(&fleet.device(&id()).unwrap()), [TroubleKind::Ram]);
        let changes = fleet.apply(status(Status::Offline), Arrival::Live, at(3));
        let [Live::Device(LiveDevice { device })] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!(device.status, DeviceStatus::Offline);
        assert_eq!(device.since, Some(at(3).into()));
        assert_eq!(device.last_seen, Some(at(2).into()));
        assert_eq!(kinds(device), [TroubleKind::Offline]);
        // Said twice is not said anew.
        fleet.apply(status(Status::Offline), Arrival::Live, at(9));
        assert_eq!(fleet.device(&id()).unwrap().since, Some(at(3).into()));
    }

    #[test]
    fn what_the_hub_concludes_counts_while_somebody_concludes() {
        let mut fleet = fleet();
        let presence = |state, cause| {
            let presence = Presence {
                state,
                cause,
                since: at(5),
                last_seen: None,
            };
            Message::DevicePresence(id(), presence)
        };
        let alerting = |state| {
            let health = ServiceHealth {
                commit_interval_ms: None,
                state,
                reason: None,
                since: at(0),
                version: "1".to_owned(),
                counters: BTreeMap::new(),
            };
            Message::HubService(ServiceName::Alerting, health)
        };
        let apply = |fleet: &mut Fleet, message| fleet.apply(message, Arrival::Live, at(9)).len();
        apply(&mut fleet, alerting(ServiceState::Running));
        apply(&mut fleet, status(Status::Online));
        apply(&mut fleet, presence(PresenceState::Stale, None));
        let device = fleet.device(&id()).unwrap();
        assert_eq!(device.status, DeviceStatus::Stale);
        assert_eq!(device.since, Some(at(5).into()));
        assert_eq!(kinds(&device), [TroubleKind::Stale]);
        let shutdown = Some(PresenceCause::Shutdown);
        apply(&mut fleet, presence(PresenceState::Offline, shutdown));
        let device = fleet.device(&id()).unwrap();
        assert_eq!(device.status, DeviceStatus::Offline);
        assert_eq!(device.cause, Some(DeviceCause::Shutdown));
        // Nobody concludes any more: every device is shown by what it says itself.
        assert_eq!(apply(&mut fleet, alerting(ServiceState::Stopped)), 2);
        let device = fleet.device(&id()).unwrap();
        assert_eq!((device.status, device.cause), (DeviceStatus::Online, None));
    }

    #[test]
    fn what_was_so_before_the_api_connected_keeps_its_own_time() {
        let mut fleet = fleet();
        fleet.apply(status(Status::Offline), Arrival::Retained, at(100));
        fleet.apply(metrics(2, 5), Arrival::Retained, at(100));
        let device = fleet.device(&id()).unwrap();
        assert_eq!(device.since, Some(at(2).into()));
        assert_eq!(device.last_seen, Some(at(2).into()));
    }

    #[test]
    fn a_blind_hub_claims_nothing() {
        let mut fleet = fleet();
        fleet.apply(status(Status::Offline), Arrival::Live, at(1));
        let changes = fleet.lost_sight(at(2));
        assert_eq!(changes.len(), 2);
        let device = fleet.device(&id()).unwrap();
        assert_eq!(device.status, DeviceStatus::Unknown);
        assert_eq!(device.since, None);
        let states: Vec<_> = fleet.hub(at(2)).services.iter().map(|s| s.state).collect();
        let (missing, degraded) = (HubServiceState::Missing, HubServiceState::Degraded);
        assert_eq!(states, [missing, missing, missing, degraded]);
        assert_eq!(fleet.lost_sight(at(3)).len(), 0, "said once");
    }

    #[test]
    fn a_browser_that_comes_later_hears_what_is_not_stored_yet() {
        use netmonitor_protocol::payload::{Event, EventKind, Severity};
        let mut fleet = fleet();
        for number in 0..30 {
            let event = Event {
                time: at(number),
                kind: EventKind::LoggedIn,
                severity: Severity::Info,
                device: None,
                actor: Some(number.to_string()),
                parameters: BTreeMap::new(),
            };
            fleet.apply(Message::Event(event), Arrival::Live, at(number));
        }
        let snapshot = fleet.snapshot(at(30));
        let actors: Vec<_> = snapshot
            .iter()
            .filter_map(|live| match live {
                Live::Log(LiveEvent { event }) => event.actor.as_deref(),
                _ => None,
            })
            .collect();
        assert_eq!(actors.len(), LOG_LINES);
        assert_eq!(actors.last(), Some(&"29"));
    }

    #[test]
    fn a_device_that_is_removed_goes_from_every_browser_and_stays_away() {
        let mut fleet = fleet();
        let changes = fleet.remove(&id());
        let [Live::Removed(LiveRemoved { id: gone })] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!(*gone, id().to_string());
        assert_eq!(fleet.remove(&id()).len(), 0);
        // What was on its way when it was removed.
        assert_eq!(fleet.apply(metrics(1, 5), Arrival::Live, at(1)).len(), 0);
        assert!(fleet.device(&id()).is_none());
    }

    #[test]
    fn a_device_that_is_not_enrolled_does_not_appear() {
        let mut fleet = fleet();
        let ghost = Message::DeviceStatus("ghost".parse().unwrap(), Status::Online, None);
        assert_eq!(fleet.apply(ghost, Arrival::Retained, at(1)).len(), 0);
        assert_eq!(fleet.devices().len(), 1);
    }
}
