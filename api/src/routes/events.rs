//! The log.

use std::sync::Arc;
use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::HistoryCommand;
use netmonitor_service::{clock, random};
use netmonitor_store::history::EventFilter;
use netmonitor_store::hub::UserRole;
use poem::Body;
use poem::web::Data;
use poem_openapi::param::Query;
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, OpenApi};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;

use super::{Tag, devices};
use crate::app::App;
use crate::auth::Caller;
use crate::events_csv;
use crate::problem::Problem;
use crate::types::{Event, EventPage, EventsRemoved, Live, Severity, Time};

/// Lines of a page where the request names no number.
const DEFAULT_LIMIT: u32 = 50;

/// So many kinds can be asked for at once.
const MAX_KINDS: usize = 50;

/// How long removing lines may take: a slow card, and a log at its longest.
const REMOVING: Duration = Duration::from_secs(30);

pub(crate) struct Routes;

/// The log as a table.
#[derive(ApiResponse)]
enum Table {
    /// One line for each line of the log, the newest first.
    #[oai(status = 200, content_type = "text/csv; charset=utf-8")]
    Table(
        Binary<Body>,
        /// As which file it is kept.
        #[oai(header = "Content-Disposition")]
        String,
    ),
}

/// What is asked for, but for the page.
struct Asked {
    device: Option<String>,
    kinds: Vec<String>,
    severity: Option<Severity>,
    from: Option<Time>,
    to: Option<Time>,
    text: Option<String>,
}

impl Asked {
    fn filter(self) -> Result<EventFilter, Problem> {
        if self.kinds.len() > MAX_KINDS {
            let text = format!("Ask for at most {MAX_KINDS} kinds at once.");
            return Err(Problem::bad_request(text));
        }
        Ok(EventFilter {
            device: self.device.as_deref().map(devices::parse).transpose()?,
            kinds: self.kinds,
            severity: self.severity.map(Into::into),
            from: self.from.map(|it| it.0),
            to: self.to.map(|it| it.0),
            text: self.text.filter(|text| !text.is_empty()),
            before: None,
            limit: 0,
        })
    }
}

#[OpenApi(tag = "Tag::Events")]
impl Routes {
    /// Lists the log, the newest lines first. What is given is asked for together.
    #[oai(path = "/events", method = "get", operation_id = "list_events")]
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a parameter of the request"
    )]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Only lines about this device.
        device: Query<Option<String>>,
        /// Only lines of these kinds, e.g. `alert_firing`; may be given several times.
        #[oai(default)]
        kind: Query<Vec<String>>,
        /// Only lines that matter at least so much.
        severity: Query<Option<Severity>>,
        /// Only lines since this moment.
        from: Query<Option<Time>>,
        /// Only lines before this moment.
        to: Query<Option<Time>>,
        /// Only lines with this text in a parameter or in the name of who did it, Latin letters in
        /// any case.
        #[oai(validator(max_length = 200))]
        text: Query<Option<String>>,
        /// Only lines before this one: `next` of the page before.
        before: Query<Option<i64>>,
        /// At most so many lines, from 1 to 1000. 50 if absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<EventPage>, Problem> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let asked = Asked {
            device: device.0,
            kinds: kind.0,
            severity: severity.0,
            from: from.0,
            to: to.0,
            text: text.0,
        };
        let filter = EventFilter {
            before: before.0,
            limit,
            ..asked.filter()?
        };
        let events = app
            .with_history(move |history| history.events(&filter))
            .await
            .map_err(Problem::internal)?;
        let is_full = events.len() == limit as usize;
        let next = events
            .last()
            .filter(|_| is_full)
            .map(|event| event.id.to_string());
        let items = events.into_iter().map(Event::from).collect();
        Ok(Json(EventPage { items, next }))
    }

    /// The log as comma-separated values (RFC 4180), with the same filters.
    ///
    /// A cell that begins like a formula has `'` before it.
    #[oai(path = "/events.csv", method = "get", operation_id = "export_events")]
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a parameter of the request"
    )]
    async fn export(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Only lines about this device.
        device: Query<Option<String>>,
        /// Only lines of these kinds, e.g. `alert_firing`; may be given several times.
        #[oai(default)]
        kind: Query<Vec<String>>,
        /// Only lines that matter at least so much.
        severity: Query<Option<Severity>>,
        /// Only lines since this moment.
        from: Query<Option<Time>>,
        /// Only lines before this moment.
        to: Query<Option<Time>>,
        /// Only lines with this text in a parameter or in the name of who did it, Latin letters in
        /// any case.
        #[oai(validator(max_length = 200))]
        text: Query<Option<String>>,
    ) -> Result<Table, Problem> {
        let asked = Asked {
            device: device.0,
            kinds: kind.0,
            severity: severity.0,
            from: from.0,
            to: to.0,
            text: text.0,
        };
        let body = events_csv::body(app.clone(), asked.filter()?);
        let file = "attachment; filename=\"netmonitor-events.csv\"".to_owned();
        Ok(Table::Table(Binary(body), file))
    }

    /// Removes all lines of the log before a moment, and says in the log who has done it. Needs the
    /// role admin.
    #[oai(path = "/events", method = "delete", operation_id = "remove_events")]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// The moment. Lines of the last second may stay.
        before: Query<Time>,
    ) -> Result<Json<EventsRemoved>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        if before.0.0 > clock::now() {
            return Err(Problem::bad_request(
                "`before` is in the future: give a moment of the past.",
            ));
        }
        let command = HistoryCommand {
            id: format!("{:016x}", random::bits64()),
            remove_events_before: before.0.0,
            by: Some(account.name),
        };
        let removed = removed(&app, command.id.clone());
        app.send_for(Message::HistoryCommand(command)).await?;
        let removed = timeout(REMOVING, removed).await.ok().flatten();
        let lines = removed.ok_or_else(|| {
            Problem::unavailable(
                "The service that writes the history has not answered: it may be away, or still \
                 at it. When it is done the log says so.",
            )
        })?;
        Ok(Json(EventsRemoved { lines }))
    }
}

/// Hears of the answer: a line of the log. None if the api stops.
fn removed(app: &App, command: String) -> impl Future<Output = Option<u64>> + use<> {
    let mut changes = app.changes();
    async move {
        loop {
            let change = match changes.recv().await {
                Ok(change) => change,
                // It may be among those that were missed: the log has it.
                Err(RecvError::Lagged(_)) => continue,
                Err(RecvError::Closed) => return None,
            };
            if let Live::Log(line) = &*change
                && line.event.kind == "events_removed"
                && line.event.parameters.get("command") == Some(&command)
            {
                return line.event.parameters.get("lines")?.parse().ok();
            }
        }
    }
}
