//! A web server that keeps what it is sent, and answers what a test wants.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use http_body_util::BodyExt as _;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What it answers.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// Status and body.
    Status(u16, String),
    /// Look there.
    Redirect(u16, String),
    /// A body that never ends.
    Endless,
    /// Nothing, ever.
    Nothing,
}

type Log = Arc<Mutex<Vec<Received>>>;

pub(crate) struct Receiver {
    address: SocketAddr,
    log: Log,
    answer: Arc<Mutex<Answer>>,
    _tasks: JoinSet<()>,
}

impl Receiver {
    pub(crate) async fn start(answer: Answer) -> Self {
        Self::start_with(answer, None).await
    }

    /// With the certificate in this folder.
    pub(crate) async fn start_tls(answer: Answer, folder: &Path) -> Self {
        let chain = vec![CertificateDer::from_pem_file(folder.join("server.pem")).unwrap()];
        let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
        let config =
            rustls::ServerConfig::builder_with_provider(netmonitor_service::tls::provider())
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(chain, key)
                .unwrap();
        Self::start_with(answer, Some(TlsAcceptor::from(Arc::new(config)))).await
    }

    async fn start_with(answer: Answer, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let log = Log::default();
        let answer = Arc::new(Mutex::new(answer));
        let mut tasks = JoinSet::new();
        let shared = (log.clone(), answer.clone());
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let (log, answer) = shared.clone();
                let tls = tls.clone();
                connections.spawn(async move {
                    match tls {
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, log, answer).await;
                            }
                        }
                        None => serve(stream, log, answer).await,
                    }
                });
            }
        });
        Self {
            address,
            log,
            answer,
            _tasks: tasks,
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.log.lock().unwrap().clone()
    }

    pub(crate) fn answer_with(&self, answer: Answer) {
        *self.answer.lock().unwrap() = answer;
    }
}

async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin, log: Log, answer: Arc<Mutex<Answer>>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (log, answer) = (log.clone(), answer.lock().unwrap().clone());
        async move { Ok::<_, Infallible>(respond(request, &log, answer).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new();
    // A client that goes away is none of its business.
    let _ended = connection
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn respond(
    request: Request<Incoming>,
    log: &Log,
    answer: Answer,
) -> Response<BoxBody<Bytes, Infallible>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    log.lock().unwrap().push(Received {
        method: head.method.to_string(),
        path: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    });
    let text = |text: String| BoxBody::new(text);
    let builder = Response::builder();
    match answer {
        Answer::Status(status, body) => builder.status(status).body(text(body)),
        Answer::Redirect(status, to) => builder
            .status(status)
            .header("location", to)
            .body(text(String::new())),
        Answer::Endless => builder.body(BoxBody::new(Endless)),
        Answer::Nothing => std::future::pending().await,
    }
    .unwrap()
}

struct Endless;

impl Body for Endless {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = Bytes::from_static(&[b'x'; 1000]);
        std::task::Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
