//! Errors as the API tells them: RFC 9457 problem documents. What the client reads and what
//! the log gets are apart.

use std::time::Duration;

use netmonitor_store::StoreError;
use poem::Response;
use poem::http::StatusCode;
use poem_openapi::payload::Json;
use poem_openapi::types::ToJSON as _;
use poem_openapi::{ApiResponse, Object};

use crate::auth::Expired;

/// A problem document (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub(crate) struct Details {
    /// Always `about:blank`: title and status say it all.
    pub(crate) r#type: String,
    /// What the status means.
    pub(crate) title: String,
    /// HTTP status code.
    pub(crate) status: u16,
    /// What happened, and what to do.
    pub(crate) detail: String,
}

/// Everything that can go wrong with a request.
#[derive(Debug, ApiResponse)]
#[oai(bad_request_handler = "bad_request")]
pub(crate) enum Problem {
    /// The request cannot be understood, or asks for something impossible.
    #[oai(status = 400, content_type = "application/problem+json")]
    BadRequest(Json<Details>),
    /// No valid credential was shown.
    #[oai(status = 401, content_type = "application/problem+json")]
    Unauthorized(Json<Details>),
    /// The credential does not allow this.
    #[oai(status = 403, content_type = "application/problem+json")]
    Forbidden(Json<Details>),
    /// There is no such thing.
    #[oai(status = 404, content_type = "application/problem+json")]
    NotFound(Json<Details>),
    /// The request does not fit what there is.
    #[oai(status = 409, content_type = "application/problem+json")]
    Conflict(Json<Details>),
    /// What the request was made for has changed meanwhile.
    #[oai(status = 412, content_type = "application/problem+json")]
    PreconditionFailed(Json<Details>),
    /// The body is not of a type that the API takes.
    #[oai(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(Json<Details>),
    /// Too many attempts.
    #[oai(status = 429, content_type = "application/problem+json")]
    TooManyRequests(
        Json<Details>,
        /// Seconds to wait.
        #[oai(header = "Retry-After")]
        u64,
    ),
    /// The hub has a fault; the log has more.
    #[oai(status = 500, content_type = "application/problem+json")]
    Internal(Json<Details>),
    /// The hub, or a part of it that this needs, is busy or does not answer now.
    #[oai(status = 503, content_type = "application/problem+json")]
    Unavailable(
        Json<Details>,
        /// Seconds to wait.
        #[oai(header = "Retry-After")]
        u64,
    ),
}

pub(crate) fn details(status: StatusCode, detail: impl Into<String>) -> Json<Details> {
    Json(Details {
        r#type: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        detail: detail.into(),
    })
}

impl Problem {
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::BadRequest(details(StatusCode::BAD_REQUEST, detail))
    }

    pub(crate) fn unauthorized(detail: impl Into<String>) -> Self {
        Self::Unauthorized(details(StatusCode::UNAUTHORIZED, detail))
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::Forbidden(details(StatusCode::FORBIDDEN, detail))
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::NotFound(details(StatusCode::NOT_FOUND, detail))
    }

    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Self::Conflict(details(StatusCode::CONFLICT, detail))
    }

    pub(crate) fn precondition_failed(detail: impl Into<String>) -> Self {
        Self::PreconditionFailed(details(StatusCode::PRECONDITION_FAILED, detail))
    }

    pub(crate) fn too_many(wait: Duration) -> Self {
        let seconds = wait.as_secs() + 1;
        let detail = format!("Too many attempts: try again in {seconds} s.");
        Self::TooManyRequests(details(StatusCode::TOO_MANY_REQUESTS, detail), seconds)
    }

    /// Another part of the hub is away, or busy.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let details = details(StatusCode::SERVICE_UNAVAILABLE, detail);
        Self::Unavailable(details, RETRY_AFTER_SECS)
    }

    /// A fault of the hub: the log gets the cause, the client does not.
    pub(crate) fn internal(error: impl Into<anyhow::Error>) -> Self {
        let error = error.into();
        tracing::error!(error = format!("{error:#}"), "request failed");
        Self::Internal(details(StatusCode::INTERNAL_SERVER_ERROR, FAULT))
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

/// What poem itself rejects: a missing parameter, a body that is no JSON, a wrong type.
#[expect(clippy::needless_pass_by_value, reason = "poem-openapi hands it over")]
fn bad_request(error: poem::Error) -> Problem {
    match error.status() {
        StatusCode::UNAUTHORIZED => Problem::unauthorized(not_let_in(&error)),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            Problem::UnsupportedMediaType(details(status, "Send application/json."))
        }
        _ => Problem::bad_request(error.to_string()),
    }
}

/// When to come back if a part of the hub does not answer, in seconds.
const RETRY_AFTER_SECS: u64 = 5;

/// What the client reads of a fault.
const FAULT: &str = "The hub could not do this; its log says why.";

pub(crate) const NOT_LOGGED_IN: &str = "Log in, or send an API token as `Authorization: Bearer …`.";

/// Why a credential was not taken.
fn not_let_in(error: &poem::Error) -> String {
    let expired = error.downcast_ref::<Expired>().map(ToString::to_string);
    expired.unwrap_or_else(|| NOT_LOGGED_IN.to_owned())
}

/// The same form for what never reached a route: an unknown path, a wrong method, a fault.
pub(crate) async fn from_poem(error: poem::Error) -> Response {
    // A route has said what is wrong: its words and headers stand.
    if error.is_from_response() {
        return error.into_response();
    }
    let status = error.status();
    let detail = match status {
        StatusCode::NOT_FOUND => "There is nothing under this address.".to_owned(),
        StatusCode::METHOD_NOT_ALLOWED => "This address does not take this method.".to_owned(),
        StatusCode::UNAUTHORIZED => not_let_in(&error),
        status if status.is_server_error() => {
            tracing::error!(%error, "request failed");
            FAULT.to_owned()
        }
        _ => error.to_string(),
    };
    respond(status, detail)
}

/// The same form for a panic, which tokio's threads have already put into the log.
pub(crate) fn from_panic(_payload: Box<dyn std::any::Any + Send>) -> Response {
    respond(StatusCode::INTERNAL_SERVER_ERROR, FAULT)
}

fn respond(status: StatusCode, detail: impl Into<String>) -> Response {
    let Json(details) = details(status, detail);
    Response::builder()
        .status(status)
        .content_type("application/problem+json")
        .body(details.to_json_string())
}
