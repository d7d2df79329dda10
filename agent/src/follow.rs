//! What an agent makes of what it hears: of the hub, and of those who speak in its name.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use netmonitor_protocol::payload::{HubInfo, PresenceState, Settings, Status};
use netmonitor_protocol::{DeviceId, Message, SessionId, Topic};
use netmonitor_service::mqtt::{ConnectionError, Control, Event, Events, Outage, Parting};
use netmonitor_service::random;
use tokio::sync::watch;

use crate::addresses::Addresses;
use crate::delivery::Delivery;
use crate::doings::Doings;
use crate::last_keepalive::LastKeepAlive;
use crate::processes::until;
use crate::rivals::{GiveWay, Rivals};
use crate::settings::{Defaults, Wanted};

/// Follows the connection.
pub(crate) struct Follower {
    pub(crate) device: DeviceId,
    pub(crate) session: SessionId,
    /// What counts where the hub says nothing.
    pub(crate) defaults: Defaults,
    /// None where the address of the broker does not change.
    pub(crate) addresses: Option<Addresses>,
    pub(crate) control: Control,
    /// Wakes whoever says `online`.
    pub(crate) claims: watch::Sender<()>,
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) wanted: watch::Sender<Wanted>,
    pub(crate) keep_alive: LastKeepAlive,
    pub(crate) rivals: Rivals,
    pub(crate) births: Births,
    pub(crate) doings: Arc<Doings>,
    /// Until when someone looks at this device.
    pub(crate) looked: watch::Sender<Option<Instant>>,
}

/// What is known about the births of this agent and of others in its name.
#[derive(Debug, Default)]
pub(crate) struct Births {
    /// This agent was born once.
    own: bool,
    /// It was there before, and nobody said why its connection ended: whoever was born in
    /// between is a sign of another agent. Not every broker says that a client was taken over
    /// in a way that is understood.
    unexplained: bool,
    /// The broker said that another client took the place.
    taken_over: bool,
}

impl Follower {
    /// What it listens to.
    pub(crate) fn filters(device: &DeviceId) -> Vec<String> {
        [
            Topic::DeviceStatus(device.clone()),
            Topic::DeviceSession(device.clone()),
            Topic::DevicePresence(device.clone()),
            Topic::DeviceSettings(device.clone()),
            Topic::DeviceWatch(device.clone()),
            Topic::DeviceNotify(device.clone()),
            Topic::HubInfo,
        ]
        .iter()
        .chain(&Delivery::topics(device))
        .map(Topic::to_string)
        .collect()
    }

    /// Until the connection ends for good.
    pub(crate) async fn run(mut self, mut events: Events) {
        let mut outage = Outage::default();
        while let Some(event) = events.next().await {
            match event {
                Event::Connected => {
                    outage.over();
                    self.delivery.connected();
                    self.connected();
                }
                Event::Disconnected(error) => {
                    self.delivery.disconnected();
                    self.disconnected(&error);
                    let refused = matches!(error, ConnectionError::Credential { .. });
                    let news = outage.news(error);
                    self.doings.disconnected(outage.reason());
                    if let Some(error) = news {
                        let device = &self.device;
                        if refused {
                            tracing::warn!(
                                %device,
                                error,
                                "the hub does not let this device in; if it was removed there, \
                                 stop this agent, or join anew with `netmonitor-agent join --force \
                                 CODE`"
                            );
                        } else {
                            tracing::warn!(
                                %device,
                                error,
                                "not connected to the hub; trying again"
                            );
                        }
                    }
                }
                Event::Message(message) => {
                    self.delivery.heard(&message, false);
                    self.heard(message);
                }
                Event::Retained(message) => {
                    self.delivery.heard(&message, true);
                    if self.is_foreign_birth(&message) && mem::take(&mut self.births.unexplained) {
                        self.rival();
                    }
                    self.found(message);
                }
            }
        }
    }

    fn connected(&mut self) {
        let address = self.control.reached().unwrap_or_default();
        tracing::info!(device = %self.device, address, "connected to the hub");
        self.doings.connected(&address);
        if let Some(addresses) = &mut self.addresses {
            addresses.reached(&address);
        }
        let births = &mut self.births;
        births.unexplained = births.own && !births.taken_over;
        births.own = true;
        births.taken_over = false;
    }

    fn disconnected(&mut self, error: &ConnectionError) {
        if matches!(error, ConnectionError::TakenOver { .. }) {
            self.births.taken_over = true;
            self.rival();
        }
        let Some(GiveWay { how_long, is_news }) =
            self.rivals.lost(Instant::now(), random::fraction())
        else {
            return;
        };
        self.control.stay_away(how_long, Parting::Silent);
        if is_news {
            tracing::error!(
                device = %self.device,
                "another agent uses the identity of this one: on a copy of this machine's disk, \
                 or a second time on this machine. Leaving the place to it, with one attempt in \
                 five minutes. Make a copy a device of its own with `netmonitor-agent join \
                 --force CODE`"
            );
        }
    }

    fn is_foreign_birth(&self, message: &Message) -> bool {
        matches!(
            message,
            Message::DeviceSession(id, born)
                if *id == self.device && born.session != self.session && born.ended.is_none()
        )
    }

    /// Something was said just now.
    fn heard(&mut self, message: Message) {
        match message {
            // Whoever said it, a broker with the will of an older connection or a clone that
            // ends: this agent is there.
            Message::DeviceStatus(id, Status::Offline, _) if id == self.device => {
                tracing::debug!(device = %self.device, "someone said offline: saying online");
                self.claims.send_replace(());
            }
            // Its own birth, which came after the subscriptions: what is retained was heard before.
            Message::DeviceStatus(id, Status::Online, Some(session))
                if id == self.device
                    && session == self.session
                    && self.keep_alive.is_in_doubt() =>
            {
                self.want(&Settings::default());
            }
            // The hub does not know, as after a start of its own, or is wrong.
            Message::DevicePresence(id, presence)
                if id == self.device
                    && matches!(
                        presence.state,
                        PresenceState::Offline | PresenceState::Unknown
                    ) =>
            {
                self.claims.send_replace(());
            }
            Message::DeviceWatch(id, watch) if id == self.device => {
                let until = until(watch, Instant::now());
                self.looked.send_replace(Some(until));
            }
            Message::DeviceNotify(id, notification) if id == self.device => {
                self.doings.notify(notification);
            }
            message if self.is_foreign_birth(&message) => self.rival(),
            message => self.found(message),
        }
    }

    /// Something is so, whenever it was said. What was retained of this device itself is from
    /// before: the birth says otherwise.
    fn found(&mut self, message: Message) {
        match message {
            Message::HubInfo(info) => self.hub_is_at(&info),
            Message::DeviceSettings(id, settings) if id == self.device => self.want(&settings),
            Message::Cleared(Topic::DeviceSettings(id)) if id == self.device => {
                self.want(&Settings::default());
            }
            _ => {}
        }
    }

    fn hub_is_at(&mut self, info: &HubInfo) {
        let reached = self.control.reached();
        if let Some(addresses) = &mut self.addresses {
            addresses.named(&info.agent_addresses, reached.as_deref());
        }
    }

    fn want(&mut self, settings: &Settings) {
        let wanted = Wanted::from(settings, &self.defaults);
        let (interval, keep_alive) = (wanted.interval, wanted.keep_alive);
        self.keep_alive.keep(keep_alive);
        let changed = self.wanted.send_if_modified(|it| {
            let differs = *it != wanted;
            *it = wanted;
            differs
        });
        if changed {
            tracing::info!(?interval, ?keep_alive, "settings");
            self.control.set_keep_alive(keep_alive);
        }
    }

    /// There is a sign of another agent with this identity.
    fn rival(&mut self) {
        tracing::debug!(device = %self.device, "another agent was here");
        self.rivals.sign(Instant::now());
    }
}
