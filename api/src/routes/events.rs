//! The log.

use std::sync::Arc;

use netmonitor_store::history::EventFilter;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;

use super::{Tag, devices};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{Event, EventPage};

/// Lines of a page where the request names no number.
const DEFAULT_LIMIT: u32 = 50;

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Events")]
impl Routes {
    /// Lists the log, the newest lines first.
    #[oai(path = "/events", method = "get", operation_id = "list_events")]
    async fn list(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Only lines about this device.
        device: Query<Option<String>>,
        /// Only lines before this one: `next` of the page before.
        before: Query<Option<i64>>,
        /// At most so many lines, from 1 to 1000. 50 if absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<Option<u32>>,
    ) -> Result<Json<EventPage>, Problem> {
        let limit = limit.0.unwrap_or(DEFAULT_LIMIT);
        let filter = EventFilter {
            device: device.0.as_deref().map(devices::parse).transpose()?,
            before: before.0,
            limit,
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
}
