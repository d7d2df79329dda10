//! `/metrics`: what is so now, for Prometheus and what reads the same text
//! ([`OpenMetrics` 1.0](https://prometheus.io/docs/specs/om/open_metrics_spec/)).
//!
//! Of a device that is not online only that is told: its last numbers are none of now.

mod page;

use std::sync::Arc;

use netmonitor_service::clock;
use netmonitor_store::HistoryReader;
use poem::http::header;
use poem::web::Data;
use poem::{IntoResponse, Request, Response, handler};

use self::page::Page;
use crate::app::App;
use crate::auth::by_token;
use crate::problem::Problem;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a program with an API token of any role.
#[handler]
pub(crate) async fn metrics(request: &Request, Data(app): Data<&Arc<App>>) -> Response {
    match answer(request, app).await {
        Ok(text) => Response::builder().content_type(CONTENT_TYPE).body(text),
        Err(problem) => problem.into_response(),
    }
}

async fn answer(request: &Request, app: &Arc<App>) -> Result<String, Problem> {
    let given = request.header(header::AUTHORIZATION);
    let token = given.and_then(|it| it.strip_prefix("Bearer "));
    let known = match token {
        Some(token) => by_token(app, token.to_owned()).await.ok(),
        None => None,
    };
    if known.is_none() {
        return Err(Problem::unauthorized(
            "Send an API token as `Authorization: Bearer …`: `netmonitor token add prometheus --role viewer` makes one.",
        ));
    }
    let size = app.with_history(HistoryReader::overview).await;
    let size = size.ok().flatten().map(|it| it.file_bytes);
    let (devices, alerts, health) = {
        let fleet = app.fleet();
        (fleet.devices(), fleet.alerts(), fleet.health().clone())
    };
    let mut page = Page::default();
    page.devices(&devices);
    page.alerts(&alerts);
    page.hub(&health, size, clock::now());
    page.text().map_err(Problem::internal)
}
