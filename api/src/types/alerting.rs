//! What an admin can set about alerts, but for rules and maintenance windows.

use netmonitor_protocol::payload::AlertingSettings as Stored;
use netmonitor_store::hub::SettingsError;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};

use super::WeeklyHours;
use super::hours::stored_hours;

/// The language of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

/// What is set about alerts as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct AlertingSettings {
    /// Counts the changes, those of rules and maintenance windows included; 0 while nothing was ever
    /// changed.
    pub revision: u64,
    /// An alert that nobody has taken on is told again after so many hours; 0: never.
    pub repeat_hours: u32,
    /// So long after the start of a machine its services are not judged, in seconds.
    pub boot_grace_secs: u32,
    /// The language of messages. Absent: that of the hub's system.
    #[oai(skip_serializing_if_is_none)]
    pub language: Option<Language>,
    /// In which hours are meant, a name of the IANA time zone database, e.g. `Europe/Paris`. Absent:
    /// that of the hub's system.
    #[oai(skip_serializing_if_is_none)]
    pub time_zone: Option<String>,
    /// When only what is critical is told. The rest waits for the end.
    pub quiet_hours: Vec<WeeklyHours>,
    /// Where the dashboard is, for links in messages, e.g. `http://192.168.1.5:8080`.
    #[oai(skip_serializing_if_is_none)]
    pub dashboard_url: Option<String>,
}

/// What shall be different about alerts. What is absent stays as it is; null takes back what is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct AlertingSettingsChange {
    /// An alert that nobody has taken on is told again after so many hours: 0 (never) to 720.
    #[oai(skip_serializing_if_is_none)]
    pub repeat_hours: Option<u32>,
    /// So long after the start of a machine its services are not judged, in seconds: 0 to 3600.
    #[oai(skip_serializing_if_is_none)]
    pub boot_grace_secs: Option<u32>,
    /// The language of messages; null: that of the hub's system.
    pub language: MaybeUndefined<Language>,
    /// In which hours are meant, e.g. `Europe/Paris`; null: that of the hub's system.
    pub time_zone: MaybeUndefined<String>,
    /// When only what is critical is told: all of them.
    #[oai(skip_serializing_if_is_none)]
    pub quiet_hours: Option<Vec<WeeklyHours>>,
    /// Where the dashboard is, for links in messages: `http` or `https`.
    pub dashboard_url: MaybeUndefined<String>,
}

impl From<&Stored> for AlertingSettings {
    fn from(stored: &Stored) -> Self {
        Self {
            revision: stored.revision,
            repeat_hours: stored.repeat_hours,
            boot_grace_secs: stored.boot_grace_secs,
            language: stored.language.as_deref().and_then(language),
            time_zone: stored.time_zone.clone(),
            quiet_hours: stored.quiet_hours.iter().map(Into::into).collect(),
            dashboard_url: stored.dashboard_url.clone(),
        }
    }
}

fn language(word: &str) -> Option<Language> {
    match word {
        "en" => Some(Language::En),
        "fr" => Some(Language::Fr),
        _ => None,
    }
}

impl AlertingSettingsChange {
    /// Makes the change.
    pub fn apply(self, to: &mut Stored) -> Result<(), SettingsError> {
        to.repeat_hours = self.repeat_hours.unwrap_or(to.repeat_hours);
        to.boot_grace_secs = self.boot_grace_secs.unwrap_or(to.boot_grace_secs);
        let word = |language| match language {
            Language::En => "en".to_owned(),
            Language::Fr => "fr".to_owned(),
        };
        self.language.map_value(word).update_to(&mut to.language);
        self.time_zone.update_to(&mut to.time_zone);
        self.dashboard_url.update_to(&mut to.dashboard_url);
        if let Some(hours) = &self.quiet_hours {
            to.quiet_hours = stored_hours(hours)?;
        }
        Ok(())
    }
}
