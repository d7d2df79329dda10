//! What is known of one device, and how it is shown.

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{Info, Metrics, Presence, Services, Session, Status};
use netmonitor_rules::{Limits, exceeded};

use super::device_clock::DeviceClock;
use crate::types::{Device, DeviceStatus, ProcessPage, ServiceCounts, Trouble, TroubleKind};

/// What is set about one device.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct About {
    /// Counts the changes.
    pub(crate) revision: u64,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    pub(crate) always_on: bool,
    pub(crate) uplink: Option<DeviceId>,
    /// Above these it is in trouble.
    pub(crate) limits: Limits,
}

/// What is known of one device.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) about: About,
    pub(super) status: Option<Status>,
    pub(super) status_since: Option<Timestamp>,
    pub(super) presence: Option<Presence>,
    pub(super) last_seen: Option<Timestamp>,
    pub(super) clock: DeviceClock,
    pub(super) session: Option<Session>,
    pub(super) info: Option<Box<Info>>,
    pub(super) metrics: Option<Box<Metrics>>,
    pub(super) services: Option<Services>,
    pub(super) processes: Option<ProcessPage>,
}

impl State {
    /// As the API shows it. `is_concluded`: somebody concludes how devices are.
    pub(super) fn show(&self, id: &DeviceId, is_concluded: bool) -> Device {
        let presence = self.presence.as_ref().filter(|_| is_concluded);
        Device {
            id: id.to_string(),
            name: self.about.name.clone(),
            groups: self.about.groups.clone(),
            always_on: self.about.always_on,
            uplink: self.about.uplink.as_ref().map(DeviceId::to_string),
            status: self.status(is_concluded),
            cause: presence.and_then(|it| it.cause).map(Into::into),
            since: presence
                .map(|it| it.since)
                .or_else(|| self.since())
                .map(Into::into),
            last_seen: self.last_seen.map(Into::into),
            clock_skew_secs: self.clock.shown().map(|ahead| ahead.as_secs_f64()),
            samples_lost: None,
            agent_version: self
                .session
                .as_ref()
                .map(|session| session.agent_version.clone()),
            info: self.info.as_deref().map(Into::into),
            metrics: self.metrics.as_deref().map(Into::into),
            services: self.services.as_ref().map(ServiceCounts::from),
            troubles: self.troubles(is_concluded),
            limits: self.about.limits.into(),
            alerts: Vec::new(),
        }
    }

    /// Since when the status holds. What was so before the api connected is known from what
    /// the device said of itself.
    fn since(&self) -> Option<Timestamp> {
        self.status_since.or_else(|| match self.status? {
            Status::Online => self.session.as_ref().map(|session| session.since),
            Status::Offline => {
                let session = self.session.as_ref();
                let ended = session.and_then(|session| session.ended.as_ref());
                ended.map(|ended| ended.time).or(self.last_seen)
            }
        })
    }

    /// What the hub concludes; without that, what agent and broker say.
    fn status(&self, is_concluded: bool) -> DeviceStatus {
        match (&self.presence, self.status) {
            (Some(presence), _) if is_concluded => presence.state.into(),
            (_, Some(Status::Online)) => DeviceStatus::Online,
            (_, Some(Status::Offline)) => DeviceStatus::Offline,
            (_, None) => DeviceStatus::Unknown,
        }
    }

    /// The connection to the broker is gone.
    pub(super) fn lose_sight(&mut self) {
        (self.status, self.status_since, self.presence) = (None, None, None);
    }

    /// What is wrong. The numbers of a device that is gone say nothing about now.
    pub(super) fn troubles(&self, is_concluded: bool) -> Vec<Trouble> {
        let only = |kind| {
            vec![Trouble {
                kind,
                subject: None,
                value: None,
                limit: None,
            }]
        };
        match self.status(is_concluded) {
            DeviceStatus::Offline => only(TroubleKind::Offline),
            DeviceStatus::Stale => only(TroubleKind::Stale),
            DeviceStatus::Unknown => Vec::new(),
            DeviceStatus::Online => {
                let numbers = self
                    .metrics
                    .iter()
                    .flat_map(|metrics| exceeded(metrics, &self.about.limits))
                    .map(Trouble::from);
                numbers.chain(self.failed_services()).collect()
            }
        }
    }

    fn failed_services(&self) -> Option<Trouble> {
        let counts = ServiceCounts::from(self.services.as_ref()?);
        (counts.failed > 0).then(|| Trouble {
            kind: TroubleKind::Services,
            subject: Some(counts.failed_names.join(", ")),
            value: Some(counts.failed.into()),
            limit: None,
        })
    }
}
