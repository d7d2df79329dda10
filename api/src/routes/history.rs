//! Samples of the past.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock;
use netmonitor_store::history;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use super::{Tag, devices};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{History, HistoryJson, Time};

/// Range of a request that names none.
const DEFAULT_RANGE: SignedDuration = SignedDuration::from_hours(1);

/// Points of a request that names no number.
const DEFAULT_POINTS: u32 = 500;

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Devices")]
impl Routes {
    /// Tells the history of a device, in columns.
    ///
    /// With no more samples in the range than `points`, they come as they were measured;
    /// otherwise the range is cut into `points` equal stretches with mean, minimum and maximum
    /// each. Where nothing was measured there is null. Samples are in the answer as soon as they
    /// have arrived.
    #[oai(
        path = "/devices/:id/history",
        method = "get",
        operation_id = "get_history"
    )]
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a parameter of the request"
    )]
    async fn history(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
        /// Id of the device.
        id: Path<String>,
        /// Names of series, separated by commas, e.g. `cpu,ram,disk:/`. All if absent.
        metrics: Query<Option<String>>,
        /// Begin of the range. One hour before its end if absent.
        from: Query<Option<Time>>,
        /// End of the range. Now if absent.
        to: Query<Option<Time>>,
        /// At most so many times in the answer, from 1 to 5000. 500 if absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "5000")))]
        points: Query<Option<u32>>,
    ) -> Result<HistoryJson, Problem> {
        let device = devices::parse(&id)?;
        if app.fleet().device(&device).is_none() {
            return Err(devices::no_device(&id));
        }
        let to = to.0.map_or_else(clock::now, |time| time.0);
        let from = from.0.map_or_else(|| hour_before(to), |time| time.0);
        if from >= to {
            return Err(Problem::bad_request("`from` must be before `to`."));
        }
        let query = history::Query {
            device: device.clone(),
            series: names(metrics.0.as_deref()),
            from,
            to,
            points: points.0.unwrap_or(DEFAULT_POINTS) as usize,
        };
        // Asked before the store, so that what is stored meanwhile is in one of both.
        let recent = app.intake().recent(&device, from, to);
        let columns = app
            .with_history(move |history| history.columns(&query, &recent))
            .await
            .map_err(Problem::internal)?;
        let (from, to) = (from.as_millisecond(), to.as_millisecond());
        Ok(HistoryJson(History::new(from, to, columns)))
    }
}

fn hour_before(to: Timestamp) -> Timestamp {
    to.saturating_sub(DEFAULT_RANGE).unwrap_or(to)
}

fn names(list: Option<&str>) -> Vec<String> {
    list.unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}
