//! The two engines, presence and alerts: messages and time in, what is to be done out.

use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{
    AlertingSettings, Channels, DeviceAlerting, EventKind, PresenceState,
};
use netmonitor_protocol::{DeviceId, Message, RuleKind, Topic};
use netmonitor_rules::alert::{self, Finding, Notice, NoticeKind, Now, Output};
use netmonitor_rules::presence::{self, Effect, Moment};
use netmonitor_service::time_zone::time_zone;
use netmonitor_service::{Counters, clock};

use crate::hub_health::HubHealth;
use crate::journal::{Entry, Left};
use crate::policy::Policy;
use crate::trends::Trend;
use crate::undelivered::Undelivered;

/// What is to be done.
#[derive(Debug, Default)]
pub(crate) struct ToDo {
    pub(crate) messages: Vec<Message>,
    pub(crate) entries: Vec<Entry>,
    /// What an admin has set has changed.
    pub(crate) policy: Option<Policy>,
}

/// What is concluded.
#[derive(Debug)]
pub(crate) struct Brain {
    presence: presence::Engine,
    alerts: alert::Engine,
    hub: HubHealth,
    undelivered: Undelivered,
    /// The device that was named last for it.
    named: Option<DeviceId>,
    connected: Option<Instant>,
    counters: Counters,
    policy: Policy,
    /// What is set, as far as the journal knows.
    settings: Option<AlertingSettings>,
    /// The engine has them.
    is_set: bool,
}

/// After this it is known who is there, and what each device goes by.
const KNOWN_WITHIN: Duration = Duration::from_mins(1);

/// Now, by the clock of alerts.
pub(crate) fn now() -> Now {
    Now {
        ms: i64::try_from(clock::since_boot().as_millis()).unwrap_or(i64::MAX),
        wall: clock::now(),
    }
}

fn moment() -> Moment {
    Moment {
        monotonic: Instant::now(),
        wall: clock::now(),
    }
}

impl Brain {
    pub(crate) fn new(timing: presence::Timing, policy: Policy, counters: Counters) -> Self {
        Self {
            presence: presence::Engine::new(timing),
            alerts: alert::Engine::new(),
            hub: HubHealth::default(),
            undelivered: Undelivered::default(),
            named: None,
            connected: None,
            counters,
            policy,
            settings: None,
            is_set: false,
        }
    }

    /// Takes over what an earlier run has left.
    pub(crate) fn restore(&mut self, left: &mut Left) {
        let now = now();
        if left.is_whole {
            self.alerts.remembers_all();
        }
        for (subject, rule, life, is_same_boot) in std::mem::take(&mut left.lives) {
            self.alerts.restore(subject, rule, life, is_same_boot, now);
        }
        if let Some(settings) = left.settings.take() {
            self.remember(settings);
        }
        if let Some(channels) = left.channels.take() {
            self.policy.channels = channels;
        }
    }

    /// Who is told of what, as it is set now.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// When there is something to do though nothing is heard.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let now_ms = now().ms;
        let alerts = self.alerts.deadline().map(|at| {
            let ms = at.saturating_sub(now_ms).max(0).unsigned_abs();
            Instant::now() + Duration::from_millis(ms)
        });
        alerts.into_iter().chain(self.presence.deadline()).min()
    }

    /// Nobody has said what is set: what was set when somebody said it last holds, or nothing.
    pub(crate) fn settings_are_late(&mut self, to_do: &mut ToDo) {
        if !self.is_set {
            tracing::warn!("nobody has said what is set about alerts: what was known last holds");
            let settings = self.settings.clone().unwrap_or_default();
            self.settings(settings, to_do);
        }
    }

    pub(crate) fn connected(&mut self, to_do: &mut ToDo) {
        self.connected = Some(Instant::now());
        self.alert(alert::Input::Connected, to_do);
        self.presence(presence::Input::Connected, to_do);
    }

    /// What is retained has come.
    pub(crate) fn caught_up(&mut self, to_do: &mut ToDo) {
        self.alert(alert::Input::CaughtUp, to_do);
    }

    pub(crate) fn lost(&mut self, to_do: &mut ToDo) {
        self.presence(presence::Input::Lost, to_do);
    }

    pub(crate) fn stood_still(&mut self, to_do: &mut ToDo) {
        self.presence(presence::Input::StoodStill, to_do);
    }

    /// Whether devices do what they are told. To be asked now and then.
    pub(crate) fn look_at_deliveries(&mut self, to_do: &mut ToDo) {
        let is_there = |id: &DeviceId| {
            let presence = self.presence.presence(id);
            presence.is_some_and(|it| it.state == PresenceState::Online)
        };
        // Who is there, and what each goes by, comes after the connection.
        let is_new = |at: Instant| at.elapsed() < KNOWN_WITHIN;
        if self.connected.is_none_or(is_new) {
            return;
        }
        // One that was named and is away has not taken over anything.
        let is_away = |id: &DeviceId| !is_there(id) && self.undelivered.is_owed(id);
        if self.named.as_ref().is_some_and(is_away) {
            return;
        }
        let named = self.undelivered.first(is_there).cloned();
        if named == self.named && named.is_some() {
            return;
        }
        let finding = match &named {
            Some(id) => Finding::Bad(id.to_string()),
            None => Finding::Good,
        };
        self.named = named;
        self.alert(alert::Input::Hub(RuleKind::Settings, finding), to_do);
    }

    /// Time has passed.
    pub(crate) fn elapsed(&mut self, to_do: &mut ToDo) {
        self.presence(presence::Input::Elapsed, to_do);
        self.alert(alert::Input::Elapsed, to_do);
    }

    /// How full the disk is that has the hub's data, in percent.
    pub(crate) fn storage(&mut self, used: f64, to_do: &mut ToDo) {
        let input = alert::Input::Hub(RuleKind::Storage, Finding::Value(used));
        self.alert(input, to_do);
    }

    /// The disks whose trend matters.
    pub(crate) fn disks(&self) -> Vec<(DeviceId, String)> {
        self.alerts.disks()
    }

    /// In how many days a disk is full.
    pub(crate) fn trend(&mut self, (device, mount, days): Trend, to_do: &mut ToDo) {
        self.alert(alert::Input::Trend(device, mount, days), to_do);
    }

    /// Something was published: just now, or, if it `is_retained`, before this connection.
    pub(crate) fn hear(&mut self, message: Message, is_retained: bool, to_do: &mut ToDo) {
        match &message {
            Message::DeviceInfo(id, info) => self.undelivered.hear(id, info),
            Message::DeviceSettings(id, settings) => self.undelivered.set(id, Some(settings)),
            Message::Cleared(Topic::DeviceSettings(id)) => self.undelivered.set(id, None),
            _ => {}
        }
        if !is_of_alerts(&message) {
            let input = if is_retained {
                presence::Input::Retained(&message)
            } else {
                presence::Input::Message(&message)
            };
            self.presence(input, to_do);
        }
        match message {
            Message::DeviceMetrics(id, metrics) if is_retained => {
                self.alert(alert::Input::OldSample(id, metrics), to_do);
            }
            Message::DeviceMetrics(id, metrics) => {
                self.alert(alert::Input::Sample(id, metrics), to_do);
            }
            Message::DeviceServices(id, services) => {
                self.alert(alert::Input::Services(id, services), to_do);
            }
            Message::DeviceInfo(id, info) => self.alert(alert::Input::Info(id, info), to_do),
            Message::DevicePresence(id, conclusion) if is_retained => {
                // What the engine knows better it has said, or says soon.
                let known = self.presence.presence(&id).cloned();
                let known = known.unwrap_or(conclusion);
                self.alert(alert::Input::Presence(id, known), to_do);
            }
            Message::Alert(subject, rule, alert) if is_retained => {
                self.alert(alert::Input::Retained(subject, rule, alert), to_do);
            }
            // A command that stands retained is an old one: only what is said now is done.
            Message::AlertSet(subject, rule, command) if !is_retained => {
                self.alert(alert::Input::Command(subject, rule, command), to_do);
            }
            Message::Event(event) if !is_retained && event.kind == EventKind::SamplesLost => {
                if let Some(id) = event.device {
                    self.alert(alert::Input::SamplesLost(id), to_do);
                }
            }
            Message::AlertingSettings(settings) => self.settings(*settings, to_do),
            Message::Channels(channels) => self.channels(channels, to_do),
            Message::DeviceAlerting(id, config) => {
                self.alert(alert::Input::DeviceSettings(id, config), to_do);
            }
            Message::Cleared(Topic::DeviceAlerting(id)) => {
                let nothing = Box::new(DeviceAlerting::default());
                self.alert(alert::Input::DeviceSettings(id, nothing), to_do);
            }
            Message::HubService(service, health) => {
                for (kind, finding) in self.hub.hear(service, &health) {
                    self.alert(alert::Input::Hub(kind, finding), to_do);
                }
            }
            // Of presence alone, or our own words as they come back.
            _ => {}
        }
    }

    /// They come with each connection: what is not new is not written again.
    fn settings(&mut self, settings: AlertingSettings, to_do: &mut ToDo) {
        self.is_set = true;
        if self.settings.as_ref() != Some(&settings) {
            let entry = Entry::Settings(Box::new(settings.clone()));
            to_do.entries.push(entry);
            self.remember(settings.clone());
            to_do.policy = Some(self.policy.clone());
        }
        let zone = self.policy.zone().clone();
        self.alert(alert::Input::Settings(Box::new(settings), zone), to_do);
    }

    fn remember(&mut self, settings: AlertingSettings) {
        let zone = time_zone(settings.time_zone.as_deref());
        self.policy.set(&settings, zone);
        self.settings = Some(settings);
    }

    fn channels(&mut self, channels: Channels, to_do: &mut ToDo) {
        if self.policy.channels != channels {
            to_do.entries.push(Entry::Channels(channels.clone()));
            self.policy.channels = channels;
            to_do.policy = Some(self.policy.clone());
        }
    }

    fn presence(&mut self, input: presence::Input<'_>, to_do: &mut ToDo) {
        let before = self.presence.passed_over();
        for effect in self.presence.handle(input, moment()) {
            match effect {
                Effect::Publish(id, conclusion) => {
                    self.counters.count("conclusions");
                    let (state, cause) = (conclusion.state.as_str(), conclusion.cause);
                    let cause = cause.map(netmonitor_protocol::payload::PresenceCause::as_str);
                    tracing::debug!(device = %id, state, cause, "presence");
                    let message = Message::DevicePresence(id.clone(), conclusion.clone());
                    to_do.messages.push(message);
                    self.alert(alert::Input::Presence(id, conclusion), to_do);
                }
                Effect::Clear(id) => {
                    self.undelivered.forget(&id);
                    let topic = Topic::DevicePresence(id.clone());
                    to_do.messages.push(Message::Cleared(topic));
                    self.alert(alert::Input::Removed(id), to_do);
                }
                Effect::Log(event) => to_do.messages.push(Message::Event(event)),
            }
        }
        self.count_passed_over(self.presence.passed_over() - before);
    }

    fn alert(&mut self, input: alert::Input, to_do: &mut ToDo) {
        let before = self.alerts.passed_over();
        let now = now();
        let outputs = self.alerts.handle(input, now);
        let notices = self.carry_out(outputs, to_do);
        for notice in notices {
            self.tell(&notice, now, to_do);
        }
        self.count_passed_over(self.alerts.passed_over() - before);
    }

    /// Notes what is to be done. The messages that are to be told.
    fn carry_out(&self, outputs: Vec<Output>, to_do: &mut ToDo) -> Vec<Notice> {
        let mut notices = Vec::new();
        for output in outputs {
            match output {
                Output::Publish(subject, rule, alert) => {
                    self.counters.count("alert_states");
                    to_do.messages.push(Message::Alert(subject, rule, alert));
                }
                Output::Clear(subject, rule) => {
                    let topic = Topic::Alert(subject, rule);
                    to_do.messages.push(Message::Cleared(topic));
                }
                Output::Log(event) => to_do.messages.push(Message::Event(event)),
                Output::Save(subject, rule, life) => {
                    to_do.entries.push(Entry::Alert(subject, rule, life));
                }
                Output::Tell(notice) => notices.push(notice),
            }
        }
        notices
    }

    /// Addresses a message to those whom it concerns, and remembers who they are.
    fn tell(&mut self, notice: &Notice, now: Now, to_do: &mut ToDo) {
        self.counters.count("notices");
        tracing::info!(id = notice.id, "told");
        let parcels = self.policy.address(notice);
        if notice.kind != NoticeKind::Resolved {
            let channels = parcels.iter().map(|it| (it.channel.as_str(), &it.notice));
            let outputs = self.alerts.told(notice, channels, now);
            self.carry_out(outputs, to_do);
        }
        to_do.entries.extend(parcels.into_iter().map(Entry::Parcel));
    }

    fn count_passed_over(&self, more: u64) {
        if more > 0 {
            self.counters.add("dropped_too_many_devices", more);
        }
    }
}

/// Whether it says nothing of who is there.
fn is_of_alerts(message: &Message) -> bool {
    matches!(
        message,
        Message::DeviceServices(..)
            | Message::DeviceAlerting(..)
            | Message::Alert(..)
            | Message::AlertSet(..)
            | Message::Event(_)
            | Message::AlertingSettings(_)
            | Message::Channels(_)
            | Message::HubService(..)
            | Message::Cleared(Topic::DeviceAlerting(_) | Topic::Alert(..))
    )
}

#[cfg(test)]
mod tests;
