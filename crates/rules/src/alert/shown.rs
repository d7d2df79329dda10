//! What the world sees of an alert.

use jiff::Timestamp;
use netmonitor_protocol::payload::{Alert, AlertState, Muted};

use super::defaults::RuleConfig;
use super::life::{Life, Phase};
use super::now::Now;

/// The alert as it is published. `blind_since`: nobody can see how it is, since then.
pub(super) fn shown(
    life: &Life,
    config: &RuleConfig,
    blind_since: Option<Timestamp>,
    muted: Option<Muted>,
    now: Now,
) -> Alert {
    let (state, since) = match (&life.phase, blind_since) {
        (_, Some(since)) => (AlertState::Unknown, since),
        (Phase::Ok(since), _) => (AlertState::Ok, since.wall),
        (Phase::Pending { since, .. }, _) => (AlertState::Pending, since.wall),
        (Phase::Firing(firing), _) => match (&firing.acknowledged, firing.snoozed) {
            (Some(it), _) => (AlertState::Acknowledged, it.at.wall),
            (None, Some(it)) if firing.sleeps(now) => (AlertState::Snoozed, it.at.wall),
            (None, Some(it)) => (AlertState::Firing, it.until.wall),
            (None, None) => (AlertState::Firing, firing.fired.wall),
        },
    };
    let firing = life.firing();
    let acknowledged = firing.and_then(|it| it.acknowledged.as_ref());
    let snoozed = firing.filter(|it| it.sleeps(now) && it.acknowledged.is_none());
    Alert {
        state,
        since,
        severity: config.severity,
        value: life.value.map(rounded),
        limit: config.limit,
        detail: life.detail.clone(),
        firing_since: firing.map(|it| it.fired.wall),
        acknowledged_by: acknowledged.and_then(|it| it.by.clone()),
        note: acknowledged.and_then(|it| it.note.clone()),
        snoozed_until: snoozed.and_then(|it| Some(it.snoozed?.until.wall)),
        muted: muted.filter(|_| firing.is_some()),
    }
}

/// More digits than people can use would only be transmitted.
pub(super) fn rounded(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Whether the two differ in more than what was measured: that alone is no news.
pub(super) fn is_news(before: &Alert, after: &Alert) -> bool {
    let same_value = Alert {
        value: after.value,
        ..before.clone()
    };
    same_value != *after
}
