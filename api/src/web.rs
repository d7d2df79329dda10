//! The dashboard's files, and the few addresses outside of the API.

use std::sync::Arc;

use netmonitor_dashboard::Asset;
use poem::http::{StatusCode, header};
use poem::web::Data;
use poem::{Request, Response, handler};

use crate::app::App;

/// Every path that is not a file is a page of the dashboard: its own router shows it.
#[handler]
pub(crate) fn dashboard(request: &Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    match netmonitor_dashboard::asset(path) {
        Some(asset) => respond(request, asset),
        None if is_page(path) => respond(request, netmonitor_dashboard::index()),
        // Programs see by the status that there is nothing, people by the page.
        None => {
            let mut response = respond(request, netmonitor_dashboard::index());
            response.set_status(StatusCode::NOT_FOUND);
            response
        }
    }
}

/// The pages that the dashboard's own router shows.
fn is_page(path: &str) -> bool {
    matches!(path, "" | "alerts" | "log" | "login" | "settings" | "setup")
        || path.starts_with("devices/")
        || path.starts_with("settings/")
}

/// The certificate of the hub's CA, for those who want to trust it.
#[handler]
pub(crate) fn ca(Data(app): Data<&Arc<App>>) -> Response {
    Response::builder()
        .content_type("application/x-pem-file")
        .body(app.ca_pem.clone())
}

fn respond(request: &Request, asset: Asset) -> Response {
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let response = Response::builder()
        .header(header::CACHE_CONTROL, cache)
        .header(header::ETAG, &asset.etag)
        .header(header::VARY, "Accept-Encoding");
    if header_of(request, header::IF_NONE_MATCH)
        .split(", ")
        .any(|tag| tag == asset.etag)
    {
        return response.status(StatusCode::NOT_MODIFIED).finish();
    }
    let accepted = header_of(request, header::ACCEPT_ENCODING);
    let accepts = |coding: &str| {
        accepted
            .split(',')
            .any(|part| part.split(';').next().unwrap_or_default().trim() == coding)
    };
    let response = response.header(header::CONTENT_TYPE, asset.content_type);
    match (asset.brotli, asset.gzip) {
        (Some(bytes), _) if accepts("br") => response
            .header(header::CONTENT_ENCODING, "br")
            .body(bytes.into_owned()),
        (_, Some(bytes)) if accepts("gzip") => response
            .header(header::CONTENT_ENCODING, "gzip")
            .body(bytes.into_owned()),
        _ => response.body(asset.bytes.into_owned()),
    }
}

fn header_of(request: &Request, name: header::HeaderName) -> &str {
    request
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
}

/// Says that the api is alive.
#[handler]
pub(crate) fn healthz() -> &'static str {
    "ok\n"
}
