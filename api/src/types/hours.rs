//! Hours that come back each week.

use netmonitor_protocol::payload as wire;
use netmonitor_store::hub::SettingsError;
use poem_openapi::{Enum, Object};

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
#[expect(missing_docs, reason = "their names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// From a time of the day until another, on some days of the week, in the time zone of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct WeeklyHours {
    /// On which days it begins. Empty or absent: on all.
    #[oai(default)]
    pub days: Vec<Weekday>,
    /// When it begins, e.g. `22:00`.
    pub from: String,
    /// When it ends, e.g. `07:30`. Not after `from`: on the next day.
    pub to: String,
}

impl WeeklyHours {
    /// As it is stored.
    pub fn stored(&self) -> Result<wire::WeeklyHours, SettingsError> {
        let time = |text: &str| -> Result<wire::TimeOfDay, SettingsError> {
            let parsed = text.parse();
            parsed.map_err(|error: wire::TimeOfDayError| SettingsError::Value(error.to_string()))
        };
        Ok(wire::WeeklyHours {
            days: self.days.iter().map(|day| (*day).into()).collect(),
            from: time(&self.from)?,
            to: time(&self.to)?,
        })
    }
}

/// All of them, as they are stored.
pub(super) fn stored_hours(hours: &[WeeklyHours]) -> Result<Vec<wire::WeeklyHours>, SettingsError> {
    hours.iter().map(WeeklyHours::stored).collect()
}

impl From<&wire::WeeklyHours> for WeeklyHours {
    fn from(hours: &wire::WeeklyHours) -> Self {
        Self {
            days: hours.days.iter().map(|day| (*day).into()).collect(),
            from: hours.from.to_string(),
            to: hours.to.to_string(),
        }
    }
}

impl From<Weekday> for wire::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

impl From<wire::Weekday> for Weekday {
    fn from(day: wire::Weekday) -> Self {
        match day {
            wire::Weekday::Monday => Self::Monday,
            wire::Weekday::Tuesday => Self::Tuesday,
            wire::Weekday::Wednesday => Self::Wednesday,
            wire::Weekday::Thursday => Self::Thursday,
            wire::Weekday::Friday => Self::Friday,
            wire::Weekday::Saturday => Self::Saturday,
            wire::Weekday::Sunday => Self::Sunday,
        }
    }
}
