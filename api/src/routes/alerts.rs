//! What is wrong now, and what somebody does about it.

use std::sync::Arc;

use netmonitor_protocol::payload::{AlertAction, AlertCommand, AlertState as State};
use netmonitor_protocol::{Message, Rule, Subject};
use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::Json;

use super::{Done, Tag};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{Acknowledgement, Alert, AlertPage, AlertState, Severity, Snooze};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Lists what is concluded of every rule that is watched: those that fire first, of those the
    /// ones that matter most, then the newest.
    #[oai(path = "/alerts", method = "get", operation_id = "list_alerts")]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Only those in these states; may be given several times.
        #[oai(default)]
        state: Query<Vec<AlertState>>,
        /// Only those of this device; `hub` for the hub's own.
        device: Query<Option<String>>,
        /// Only those that matter at least so much.
        severity: Query<Option<Severity>>,
    ) -> Result<Json<AlertPage>, Problem> {
        let least = severity.0.map(netmonitor_protocol::payload::Severity::from);
        let is_wanted = |alert: &Alert| {
            (state.0.is_empty() || state.0.contains(&alert.state))
                && device.0.as_ref().is_none_or(|id| *id == alert.device)
                && least.is_none_or(|least| least <= alert.severity.into())
        };
        let mut items = app.fleet().alerts();
        items.retain(is_wanted);
        Ok(Json(AlertPage { items, next: None }))
    }

    /// Takes an alert on: it is not told again, and a snooze of it ends. Needs the role operator.
    #[oai(
        path = "/alerts/:device/:rule/ack",
        method = "post",
        operation_id = "acknowledge_alert"
    )]
    async fn acknowledge(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device, or `hub`.
        device: Path<String>,
        /// The rule, as the alert has it.
        rule: Path<String>,
        body: Json<Acknowledgement>,
    ) -> Result<Done, Problem> {
        let note = body.0.note.filter(|note| !note.trim().is_empty());
        act(&app, caller, (&device, &rule), AlertAction::Ack { note }).await
    }

    /// Gives an alert back that somebody has taken on, or has snoozed. Needs the role operator.
    #[oai(
        path = "/alerts/:device/:rule/unack",
        method = "post",
        operation_id = "unacknowledge_alert"
    )]
    async fn unacknowledge(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device, or `hub`.
        device: Path<String>,
        /// The rule, as the alert has it.
        rule: Path<String>,
    ) -> Result<Done, Problem> {
        act(&app, caller, (&device, &rule), AlertAction::Unack).await
    }

    /// Keeps an alert quiet for a while. Needs the role operator.
    #[oai(
        path = "/alerts/:device/:rule/snooze",
        method = "post",
        operation_id = "snooze_alert"
    )]
    async fn snooze(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device, or `hub`.
        device: Path<String>,
        /// The rule, as the alert has it.
        rule: Path<String>,
        body: Json<Snooze>,
    ) -> Result<Done, Problem> {
        let for_secs = body.0.for_secs;
        act(
            &app,
            caller,
            (&device, &rule),
            AlertAction::Snooze { for_secs },
        )
        .await
    }
}

/// Asks the service that raises alerts. What it makes of it comes on the stream.
async fn act(
    app: &App,
    caller: Caller,
    (device, rule): (&str, &str),
    action: AlertAction,
) -> Result<Done, Problem> {
    let account = caller.at_least(UserRole::Operator)?;
    let found = device
        .parse::<Subject>()
        .ok()
        .zip(rule.parse::<Rule>().ok());
    let no_alert = || {
        Problem::not_found(format!(
            "There is no alert {rule:?} of {device:?}: GET /alerts lists them."
        ))
    };
    let (subject, rule) = found.ok_or_else(no_alert)?;
    let state = app.fleet().alert(&subject, &rule).map(|alert| alert.state);
    check(&action, state.ok_or_else(no_alert)?)?;
    let command = AlertCommand {
        action,
        by: Some(account.name),
    };
    app.send_for(Message::AlertSet(subject, rule, command))
        .await?;
    Ok(Done::Done)
}

/// Whether there is something to do it about.
fn check(action: &AlertAction, state: State) -> Result<(), Problem> {
    let fires = matches!(state, State::Firing | State::Acknowledged | State::Snoozed);
    if !fires {
        return Err(Problem::conflict(format!(
            "The alert is {}: it does not fire, so there is nothing to take on.",
            state.as_str()
        )));
    }
    if *action == AlertAction::Unack && state == State::Firing {
        return Err(Problem::conflict(
            "Nobody has taken this alert on, and it is not snoozed.",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fire_is_not_taken_on() {
        let ack = AlertAction::Ack { note: None };
        for state in [State::Ok, State::Pending, State::Unknown] {
            assert!(matches!(check(&ack, state), Err(Problem::Conflict(_))));
        }
        check(&ack, State::Firing).unwrap();
        check(&ack, State::Snoozed).unwrap();
        check(&AlertAction::Unack, State::Snoozed).unwrap();
        assert!(check(&AlertAction::Unack, State::Firing).is_err());
    }
}
