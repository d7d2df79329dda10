//! What an admin can set about one device.

use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::{AlertingSettings, RuleSettings};
use netmonitor_store::hub::{DeviceSettings as Stored, SettingsError};
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;

use crate::settings::offline_timeout_secs;

/// What shall be different of a device. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct DeviceChange {
    /// What people see: 1 to 64 characters.
    #[oai(skip_serializing_if_is_none)]
    pub name: Option<String>,
    /// In which groups it is: at most 20, of 1 to 32 characters each.
    #[oai(skip_serializing_if_is_none)]
    pub groups: Option<Vec<String>>,
    /// It is never shut down on purpose: a planned absence is an alert as well.
    #[oai(skip_serializing_if_is_none)]
    pub always_on: Option<bool>,
    /// Id of the device that it hangs behind; null: of none.
    pub uplink: MaybeUndefined<String>,
}

/// What is set for the agent of a device. What is absent is up to the agent.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct DeviceSettings {
    /// Counts the changes of all that is set about the device.
    pub revision: u64,
    /// Time between two samples, in seconds.
    #[oai(skip_serializing_if_is_none)]
    pub interval_secs: Option<f64>,
    /// After how long without connection the device is reported as offline, in seconds: `for_secs` of
    /// its rule `offline`. The agent's keepalive follows it.
    pub offline_timeout_secs: u32,
    /// Names of the services that are watched.
    #[oai(skip_serializing_if_is_none)]
    pub watched_services: Option<Vec<String>>,
    /// Whether notifications may be shown to the person at the machine.
    #[oai(skip_serializing_if_is_none)]
    pub notifications: Option<bool>,
}

/// What shall be different for the agent of a device. What is absent stays as it is; null leaves it
/// to the agent.
#[derive(Debug, Clone, Default, PartialEq, Object)]
#[oai(deny_unknown_fields)]
pub struct DeviceSettingsChange {
    /// Time between two samples, in seconds: 1 to 3600.
    pub interval_secs: MaybeUndefined<f64>,
    /// After how long without connection the device is reported as offline, in seconds: 0 to 86400;
    /// null: as for all devices. The same as `for_secs` of its rule `offline`.
    pub offline_timeout_secs: MaybeUndefined<u32>,
    /// Names of the services that are watched: at most 256.
    pub watched_services: MaybeUndefined<Vec<String>>,
    /// Whether notifications may be shown to the person at the machine.
    pub notifications: MaybeUndefined<bool>,
}

impl DeviceSettings {
    /// What is in force, with what is set for all.
    pub fn new(stored: &Stored, fleet: &AlertingSettings) -> Self {
        Self {
            revision: stored.alerting.revision,
            interval_secs: stored.agent.interval_secs,
            offline_timeout_secs: offline_timeout_secs(&stored.alerting.rules, fleet),
            watched_services: stored.agent.watched_services.clone(),
            notifications: stored.agent.notifications,
        }
    }
}

impl DeviceChange {
    /// Makes the change.
    pub fn apply(self, to: &mut Stored) -> Result<(), SettingsError> {
        to.name = self.name.unwrap_or_else(|| to.name.clone());
        let alerting = &mut to.alerting;
        alerting.groups = self.groups.unwrap_or_else(|| alerting.groups.clone());
        alerting.always_on = self.always_on.unwrap_or(alerting.always_on);
        match self.uplink {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => alerting.uplink = None,
            MaybeUndefined::Value(id) => {
                let id: Result<DeviceId, _> = id.parse();
                let id = id.map_err(|error| SettingsError::Value(error.to_string()))?;
                alerting.uplink = Some(id);
            }
        }
        Ok(())
    }
}

impl DeviceSettingsChange {
    /// Makes the change.
    pub fn apply(self, to: &mut Stored) {
        self.interval_secs.update_to(&mut to.agent.interval_secs);
        self.watched_services
            .update_to(&mut to.agent.watched_services);
        self.notifications.update_to(&mut to.agent.notifications);
        let kind = netmonitor_protocol::RuleKind::Offline;
        let rules = &mut to.alerting.rules;
        let mut rule = rules.remove(&kind).unwrap_or_default();
        self.offline_timeout_secs.update_to(&mut rule.for_secs);
        if rule != RuleSettings::default() {
            rules.insert(kind, rule);
        }
    }
}
