//! Settings on their way from an admin to the other services: stored first, then published, then in
//! the log.
//!
//! - `difference`: what the log says of a change
//! - `rules`: what holds for a device, and whether a change of rules fits it
//! - `secrets`: what channels need and nobody may see

mod difference;
pub(crate) mod rules;
pub(crate) mod secrets;

use netmonitor_protocol::payload::{
    AlertingSettings, Channels, Event, EventKind, HistorySettings, Rules, Severity,
};
use netmonitor_protocol::{DeviceId, Message, RuleKind};
use netmonitor_service::clock;
use netmonitor_store::hub::{AuditLine, Changed, DeviceSettings, Revised, Section, SettingsError};
use netmonitor_store::{HubDb, StoreError};
use serde_json::json;

use self::difference::differences;
use crate::app::App;
use crate::fleet::About;
use crate::problem::Problem;

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Changed { .. } => Self::precondition_failed(
                "Somebody else has changed the settings meanwhile. Nothing was changed: read \
                 them anew and try again.",
            ),
            SettingsError::Value(text) => Self::bad_request(sentence(&text)),
            SettingsError::Missing(text) => Self::not_found(sentence(&text)),
            SettingsError::Store(error) => error.into(),
        }
    }
}

/// A sentence of its own. A field at its begin keeps its name.
fn sentence(text: &str) -> String {
    let end = if text.ends_with('?') { "" } else { "." };
    let is_word = |word: &&str| {
        text.strip_prefix(word)
            .is_some_and(|it| it.starts_with(' '))
    };
    let mut letters = text.chars();
    match (WORDS.iter().any(is_word), letters.next()) {
        (true, Some(first)) => format!("{}{}{end}", first.to_uppercase(), letters.as_str()),
        _ => format!("{text}{end}"),
    }
}

/// What sentences begin with, but for names of fields.
const WORDS: [&str; 5] = ["a", "nobody", "the", "there", "this"];

/// Who wants a change, and of what: the revisions of which one must be the present one.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) actor: String,
    pub(crate) expected: Option<Vec<u64>>,
}

/// What is to be published anew.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    History,
    Alerting,
    Channels,
    Device(DeviceId),
    Devices,
    /// Of devices, for browsers alone.
    Limits,
}

impl App {
    /// A section of the settings.
    pub(crate) async fn settings<S: Section + Send + 'static>(&self) -> Result<S, Problem> {
        let settings = self.with_hub(HubDb::settings::<S>).await;
        Ok(settings.map_err(Problem::internal)??)
    }

    /// What is set about a device.
    pub(crate) async fn device_settings(&self, id: &DeviceId) -> Result<DeviceSettings, Problem> {
        let wanted = id.clone();
        let found = self.with_hub(move |hub| hub.device_settings(&wanted)).await;
        let found = found.map_err(Problem::internal)??;
        found.ok_or_else(|| no_device(id))
    }

    /// Changes how long the history is kept.
    pub(crate) async fn change_history_settings(
        &self,
        wish: Wish,
        change: impl FnOnce(&mut HistorySettings) -> Result<(), SettingsError> + Send + 'static,
    ) -> Result<HistorySettings, Problem> {
        let changed = self.change(wish, change).await?;
        if changed.is_change() {
            self.publish(vec![Part::History]).await;
        }
        Ok(changed.after)
    }

    /// Changes when alerts are raised.
    pub(crate) async fn change_alerting(
        &self,
        wish: Wish,
        change: impl FnOnce(&mut AlertingSettings) -> Result<(), SettingsError> + Send + 'static,
    ) -> Result<AlertingSettings, Problem> {
        let changed: Changed<AlertingSettings> = self.change(wish, change).await?;
        if changed.is_change() {
            // What is told to devices and browsers follows from the rules.
            let timeout = |it: &AlertingSettings| offline_timeout_secs(&Rules::new(), it);
            let devices = if timeout(&changed.before) == timeout(&changed.after) {
                Part::Limits
            } else {
                Part::Devices
            };
            self.publish(vec![Part::Alerting, devices]).await;
        }
        Ok(changed.after)
    }

    /// Changes where messages go. Nothing is published yet: secrets come first.
    pub(crate) async fn change_channels(
        &self,
        wish: Wish,
        change: impl FnOnce(&mut Channels) -> Result<(), SettingsError> + Send + 'static,
    ) -> Result<Changed<Channels>, Problem> {
        self.change(wish, change).await
    }

    /// Publishes where messages go.
    pub(crate) async fn publish_channels(&self) {
        self.publish(vec![Part::Channels]).await;
    }

    /// Changes what is set about a device, its name included.
    pub(crate) async fn change_device(
        &self,
        id: &DeviceId,
        wish: Wish,
        change: impl FnOnce(&mut DeviceSettings) -> Result<(), SettingsError> + Send + 'static,
    ) -> Result<DeviceSettings, Problem> {
        let at = clock::now();
        let (device, actor) = (id.clone(), wish.actor.clone());
        let work = move |hub: &HubDb| {
            let audit = AuditLine { at, actor: &actor };
            hub.change_device(&device, change, wish.expected.as_deref(), audit)
        };
        let changed = self.with_hub(work).await.map_err(Problem::internal)??;
        let changed = changed.ok_or_else(|| no_device(id))?;
        if changed.is_change() {
            self.publish(vec![Part::Device(id.clone())]).await;
            let flat = |settings: &DeviceSettings| {
                let mut all = json!(settings.alerting);
                if let (Some(all), Some(agent)) =
                    (all.as_object_mut(), json!(settings.agent).as_object())
                {
                    all.extend(agent.clone());
                    all.insert("name".to_owned(), settings.name.clone().into());
                }
                all
            };
            let (before, after) = (flat(&changed.before), flat(&changed.after));
            self.log(Event {
                actor: Some(wish.actor),
                device: Some(id.clone()),
                parameters: differences("device", &before, &after),
                ..Event::new(at, EventKind::SettingsChanged, Severity::Info, [])
            })
            .await;
        }
        Ok(changed.after)
    }

    /// Stores a change, and puts it into the log.
    async fn change<S: Section + Send + 'static>(
        &self,
        wish: Wish,
        change: impl FnOnce(&mut S) -> Result<(), SettingsError> + Send + 'static,
    ) -> Result<Changed<S>, Problem> {
        let at = clock::now();
        let actor = wish.actor.clone();
        let work = move |hub: &HubDb| {
            let audit = AuditLine { at, actor: &actor };
            hub.change_settings(change, wish.expected.as_deref(), audit)
        };
        let changed: Changed<S> = self.with_hub(work).await.map_err(Problem::internal)??;
        if changed.is_change() {
            let (before, after) = (json!(changed.before), json!(changed.after));
            self.log(Event {
                actor: Some(wish.actor),
                parameters: differences(S::NAME, &before, &after),
                ..Event::new(at, EventKind::SettingsChanged, Severity::Info, [])
            })
            .await;
        }
        Ok(changed)
    }

    /// Publishes all settings as they are stored.
    pub(crate) async fn publish_settings(&self) {
        let all = vec![Part::History, Part::Alerting, Part::Channels, Part::Devices];
        self.publish(all).await;
    }

    /// Publishes what is set about a device.
    pub(crate) async fn publish_device(&self, id: &DeviceId) {
        self.publish(vec![Part::Device(id.clone())]).await;
    }

    /// Publishes settings as they are stored. One after another, so that the newest is what stays
    /// retained, and nothing of a device comes after it was removed.
    async fn publish(&self, parts: Vec<Part>) {
        let _turn = self.settings_turn.lock().await;
        let work = move |hub: &HubDb| read(hub, &parts);
        let stored = match self.with_hub(work).await {
            Ok(Ok(stored)) => stored,
            Ok(Err(error)) => return tracing::error!(%error, "settings not published"),
            Err(error) => return tracing::error!(%error, "settings not published"),
        };
        self.change_fleet(|fleet| {
            let devices = stored.devices.iter();
            devices
                .flat_map(|(id, about)| fleet.set(id, about))
                .collect()
        });
        for message in stored.messages {
            self.send(message).await;
        }
    }
}

/// What is stored, for others.
#[derive(Debug, Default)]
struct Stored {
    messages: Vec<Message>,
    devices: Vec<(DeviceId, About)>,
}

fn read(hub: &HubDb, parts: &[Part]) -> Result<Stored, StoreError> {
    let alerting: AlertingSettings = hub.settings()?;
    let mut stored = Stored::default();
    for part in parts {
        match part {
            Part::History => stored
                .messages
                .push(Message::HistorySettings(hub.settings()?)),
            Part::Alerting => stored
                .messages
                .push(Message::AlertingSettings(Box::new(alerting.clone()))),
            Part::Channels => stored.messages.push(Message::Channels(hub.settings()?)),
            Part::Device(id) => {
                if let Some(settings) = hub.device_settings(id)? {
                    stored.add(settings, &alerting);
                }
            }
            Part::Devices => {
                for settings in hub.all_device_settings()? {
                    stored.add(settings, &alerting);
                }
            }
            Part::Limits => {
                let all = hub.all_device_settings()?.into_iter();
                let about = |it: DeviceSettings| (it.id.clone(), about(&it, &alerting));
                stored.devices.extend(all.map(about));
            }
        }
    }
    Ok(stored)
}

impl Stored {
    fn add(&mut self, settings: DeviceSettings, fleet: &AlertingSettings) {
        let about = about(&settings, fleet);
        self.devices.push((settings.id.clone(), about));
        let DeviceSettings {
            id,
            name,
            mut alerting,
            mut agent,
        } = settings;
        agent.offline_timeout_secs = Some(offline_timeout_secs(&alerting.rules, fleet));
        alerting.name = Some(name);
        let alerting = Message::DeviceAlerting(id.clone(), Box::new(alerting));
        self.messages
            .extend([alerting, Message::DeviceSettings(id, agent)]);
    }
}

/// After how long without connection a device is reported as offline, in seconds.
pub(crate) fn offline_timeout_secs(rules: &Rules, fleet: &AlertingSettings) -> u32 {
    netmonitor_rules::alert::effective(RuleKind::Offline, &fleet.rules, Some(rules)).for_secs
}

/// What browsers are told of it.
pub(crate) fn about(settings: &DeviceSettings, fleet: &AlertingSettings) -> About {
    About {
        revision: settings.revision(),
        name: settings.name.clone(),
        groups: settings.alerting.groups.clone(),
        always_on: settings.alerting.always_on,
        uplink: settings.alerting.uplink.clone(),
        limits: rules::limits(&settings.alerting.rules, fleet),
    }
}

fn no_device(id: &DeviceId) -> Problem {
    Problem::not_found(format!("There is no device {:?}.", id.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_its_name_at_the_begin_of_a_sentence() {
        let check = |text: &str, expected: &str| assert_eq!(sentence(text), expected);
        check(
            "sample_days is 0: give 1 to 3650",
            "sample_days is 0: give 1 to 3650.",
        );
        check("there is no rule \"x\"", "There is no rule \"x\".");
        check("url is missing: where?", "url is missing: where?");
    }
}
