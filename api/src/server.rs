//! Listeners, and what is put round every request.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::BoxStream;
use poem::endpoint::BoxEndpoint;
use poem::http::{HeaderValue, StatusCode, header};
use poem::listener::{AcceptorExt as _, RustlsConfig, TcpAcceptor};
use poem::middleware::{AddData, CatchPanic, CookieJarManager, SetHeader};
use poem::web::Html;
use poem::{Endpoint, EndpointExt as _, IntoResponse as _, Request, Response, Route, Server, get};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::allow::Allowed;
use crate::app::App;
use crate::{document, problem, prometheus, routes, unread_body, web};

/// What is under way when the hub stops may take so long.
const GRACE: Duration = Duration::from_secs(2);

/// A connection that says nothing for so long is closed. Above the keep-alive of the stream.
const IDLE: Duration = Duration::from_mins(1);

/// No request of ours is larger.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Only what the hub itself serves, and nothing inline.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";

/// The reader of the API document brings its own scripts and styles along, inline.
const READER_POLICY: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Everything that the hub answers over HTTP.
pub(crate) fn endpoint(app: Arc<App>) -> Arc<BoxEndpoint<'static, Response>> {
    let service = routes::service();
    let text = document::openapi_json();
    let page = document::reader(&text);
    let reader = poem::endpoint::make_sync(move |_| Html(page.clone()).into_response());
    let reader = policy(reader, READER_POLICY);
    let pages = policy(
        Route::new().at("*", get(web::dashboard)),
        CONTENT_SECURITY_POLICY,
    );
    let ca = get(web::ca).with(AddData::new(app.clone()));
    let metrics = get(prometheus::metrics).with(AddData::new(app.clone()));
    let allowed = Arc::new(Allowed::new(&text));
    let document = poem::endpoint::make_sync(move |_| {
        Response::builder()
            .content_type("application/json")
            .body(text.clone())
    });
    let api = service
        .with(AddData::new(app))
        .before(check_length)
        .around(move |endpoint, request| allowed.clone().tell(endpoint, request));
    let routes = Route::new()
        .at("/api/v1/openapi.json", document)
        .nest("/api/docs", reader)
        .nest(routes::BASE, api)
        .at("/healthz", get(web::healthz))
        .at("/metrics", metrics)
        .at("/ca.pem", ca)
        .nest("/", pages);
    let headers = SetHeader::new()
        .overriding(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .overriding(header::X_FRAME_OPTIONS, "DENY")
        .overriding(header::REFERRER_POLICY, "no-referrer");
    let guarded = routes
        .with(CookieJarManager::new())
        .with(CatchPanic::new().with_handler(problem::from_panic))
        .catch_all_error(problem::from_poem)
        .with(headers)
        .around(unread_body::read_to_end)
        .map_to_response()
        .boxed();
    Arc::new(guarded)
}

/// Refuses bodies that are too long, whether they say so or not. (poem's own middleware asks
/// requests without a body for their length, too.)
async fn check_length(mut request: Request) -> poem::Result<Request> {
    let length = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    match length {
        Some(length) if length <= MAX_BODY_BYTES => {}
        Some(_) => return Err(poem::Error::from_status(StatusCode::PAYLOAD_TOO_LARGE)),
        None => {
            let body = request.take_body().into_bytes_limit(MAX_BODY_BYTES).await?;
            request.set_body(body);
        }
    }
    Ok(request)
}

/// Sets the content security policy of what `endpoint` answers.
fn policy<E: Endpoint + 'static>(endpoint: E, policy: &'static str) -> impl Endpoint + 'static {
    endpoint.after(move |result: poem::Result<E::Output>| async move {
        result.map(|output| {
            let mut response = poem::IntoResponse::into_response(output);
            response.headers_mut().insert(
                header::CONTENT_SECURITY_POLICY,
                HeaderValue::from_static(policy),
            );
            response
        })
    })
}

/// Answers on one listener until `shutdown`, with TLS if there are configurations for it.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<BoxStream<'static, RustlsConfig>>,
    endpoint: Arc<BoxEndpoint<'static, Response>>,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let plain = TcpAcceptor::from_tokio(listener)?;
    let acceptor = match tls {
        None => plain.boxed(),
        Some(configurations) => plain.rustls(configurations).boxed(),
    };
    Server::new_with_acceptor(acceptor)
        .idle_timeout(IDLE)
        .run_with_graceful_shutdown(endpoint, shutdown.cancelled_owned(), Some(GRACE))
        .await?;
    Ok(())
}
