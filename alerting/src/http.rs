//! One request to a web server, and in short what it answers. Redirects are not followed, no proxy
//! is used, and little is read of an answer.

use base64::Engine as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, USER_AGENT};
use hyper::{HeaderMap, Method, Response, StatusCode, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use netmonitor_service::{Secret, tls};
use percent_encoding::percent_decode_str;
use url::Url;

use crate::channels::SendError;
use crate::words::{plain, shortened};

/// Bytes of an answer that are read; the connection ends after them.
const READ: usize = 4096;

/// Characters of an answer that are shown.
const SHOWN: usize = 200;

/// Parts of an address that may be a token, for they are as long as one.
const TOKEN: usize = 8;

/// Where a request goes. All but scheme, host and port is secret.
pub(crate) struct Address {
    url: Url,
    /// User and password, if they stand in it.
    login: Option<HeaderValue>,
}

impl Address {
    pub(crate) fn parse(text: &str) -> Result<Self, SendError> {
        let mut url = Url::parse(text.trim())
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| {
                SendError::permanent(
                    "the address is no address of a web server: it begins with https:// or http://",
                )
            })?;
        let login = login(&url);
        url.set_fragment(None);
        // They are never refused where there is a host.
        let _without = url.set_username("").and_then(|()| url.set_password(None));
        Ok(Self { url, login })
    }

    /// With another path below the one that it has.
    pub(crate) fn with_last_segment(mut self, name: &str) -> Self {
        let is_there = self
            .url
            .path_segments()
            .is_some_and(|mut segments| segments.next_back() == Some(name));
        if !is_there && let Ok(mut segments) = self.url.path_segments_mut() {
            segments.pop_if_empty().push(name);
        }
        self
    }

    /// What may be seen of it.
    fn shown(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// The text without what must not be seen of the address, if the server says it back.
    fn hide_in(&self, text: &str) -> String {
        let path = self.url.path();
        let query = self.url.query().unwrap_or_default();
        let mut hidden = vec![path, query];
        hidden.extend(path.split('/').chain(query.split(['&', '='])));
        hidden.retain(|part| part.len() >= TOKEN);
        // The longest first: the others are parts of it.
        hidden.sort_by_key(|part| std::cmp::Reverse(part.len()));
        hidden
            .iter()
            .fold(text.to_owned(), |text, part| text.replace(part, "…"))
    }
}

fn login(url: &Url) -> Option<HeaderValue> {
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy();
    let (user, password) = (url.username(), url.password().unwrap_or_default());
    if user.is_empty() && password.is_empty() {
        return None;
    }
    let both = format!("{}:{}", decoded(user), decoded(password));
    let both = base64::engine::general_purpose::STANDARD.encode(both);
    let mut value = HeaderValue::try_from(format!("Basic {both}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// What is sent.
pub(crate) struct Request {
    method: Method,
    headers: HeaderMap,
    body: Vec<u8>,
    /// What must not be seen of it.
    hidden: Vec<String>,
}

impl Request {
    pub(crate) fn get() -> Self {
        Self {
            method: Method::GET,
            headers: HeaderMap::new(),
            body: Vec::new(),
            hidden: Vec::new(),
        }
    }

    pub(crate) fn post(body: impl Into<Vec<u8>>, content_type: &'static str) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self {
            method: Method::POST,
            headers,
            body: body.into(),
            hidden: Vec::new(),
        }
    }

    pub(crate) fn post_json(body: &serde_json::Value) -> Self {
        Self::post(body.to_string(), "application/json")
    }

    /// Adds a header, unless its value cannot be one.
    pub(crate) fn header(&mut self, name: &'static str, value: &str) {
        if let Ok(value) = HeaderValue::try_from(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
    }

    /// The same with a value that nobody may see.
    pub(crate) fn secret_header(&mut self, name: &'static str, before: &str, value: &Secret) {
        let secret = value.expose().trim();
        if let Ok(mut value) = HeaderValue::try_from(format!("{before}{secret}")) {
            value.set_sensitive(true);
            self.headers.insert(HeaderName::from_static(name), value);
            self.hidden.push(secret.to_owned());
        }
    }
}

/// Sends the request and returns in short what the server answers, if that is a yes.
pub(crate) async fn exchange(address: &Address, request: Request) -> Result<String, SendError> {
    let shown = address.shown();
    let hide = |text: &str| {
        let secrets = request.hidden.iter().filter(|secret| !secret.is_empty());
        let text = secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        shortened(plain(&address.hide_in(&text)).trim(), SHOWN)
    };
    let uri = Uri::try_from(address.url.as_str())
        .map_err(|_| SendError::permanent("the address has characters that none may have"))?;
    let mut sent = hyper::Request::new(Full::new(Bytes::from(request.body)));
    *sent.method_mut() = request.method;
    *sent.uri_mut() = uri;
    *sent.headers_mut() = request.headers;
    let headers = sent.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static("NetMonitor"));
    if let (Some(login), false) = (&address.login, headers.contains_key(AUTHORIZATION)) {
        headers.insert(AUTHORIZATION, login.clone());
    }
    let response = client()
        .request(sent)
        .await
        .map_err(|error| unreachable(&shown, &hide(&chain(&error))))?;
    let (status, location) = (response.status(), redirected_to(&response));
    let answer = read(response.into_body()).await;
    let answer = match hide(&String::from_utf8_lossy(&answer)) {
        answer if answer.is_empty() => status.to_string(),
        answer => format!("{status}: {answer}"),
    };
    judge(&shown, status, location.as_deref(), answer)
}

/// A client for one request: what this machine trusts may have changed since the last.
fn client() -> Client<HttpsConnector<HttpConnector>, Full<Bytes>> {
    let mut plain = HttpConnector::new();
    plain.enforce_http(false);
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config((*tls::trusting_system()).clone())
        .https_or_http()
        .enable_http1()
        .wrap_connector(plain);
    Client::builder(TokioExecutor::new())
        .pool_max_idle_per_host(0)
        .build(connector)
}

/// The begin of the answer. One that breaks off has been given all the same.
async fn read(mut body: Incoming) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < READ
        && let Some(Ok(frame)) = body.frame().await
    {
        let data = frame.into_data().unwrap_or_default();
        let room = READ - bytes.len();
        bytes.extend_from_slice(&data[..data.len().min(room)]);
    }
    bytes
}

/// Scheme and host of the place to which it sends the client; nothing of the path.
fn redirected_to(response: &Response<Incoming>) -> Option<String> {
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let url = Url::parse(location).ok()?;
    Some(url.origin().ascii_serialization())
}

fn judge(
    shown: &str,
    status: StatusCode,
    location: Option<&str>,
    answer: String,
) -> Result<String, SendError> {
    if status.is_success() {
        return Ok(answer);
    }
    if status.is_redirection() {
        let to = location.unwrap_or("another path");
        return Err(SendError::permanent(format!(
            "{shown} answers {status} and points to {to}: enter the address where it really is"
        )));
    }
    let is_passing = status.is_server_error()
        || [
            StatusCode::REQUEST_TIMEOUT,
            StatusCode::TOO_EARLY,
            StatusCode::TOO_MANY_REQUESTS,
        ]
        .contains(&status);
    let hint = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => " (is the token right?)",
        StatusCode::NOT_FOUND | StatusCode::GONE => " (is the address right?)",
        _ => "",
    };
    Err(SendError {
        is_permanent: !is_passing,
        text: format!("{shown} answers {answer}{hint}"),
    })
}

fn unreachable(shown: &str, error: &str) -> SendError {
    let hint = if error.contains("certificate") {
        ": if it is one of your own, add its authority to those that the hub's system trusts"
    } else {
        ""
    };
    SendError::passing(format!("{shown} cannot be reached: {error}{hint}"))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        // Some say what their cause says.
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_only_scheme_host_and_port_are_seen() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Address::parse(text).unwrap().shown(), expected);
        };
        check(
            " https://hooks.example.org/services/T0/B0/xyz ",
            "https://hooks.example.org",
        );
        check(
            "http://ada:geheim@[::1]:8080/x?token=y#z",
            "http://[::1]:8080",
        );
        for text in ["", "hooks.example.org/x", "ftp://example.org/", "https://"] {
            let error = Address::parse(text).err().unwrap();
            assert!(error.is_permanent, "{text}");
        }
    }

    #[test]
    fn what_a_server_says_back_of_the_address_is_not_shown() {
        let address = Address::parse("https://h/bot12345:abcdefg/x?token=geheimnis&a=1").unwrap();
        for echo in [
            "Cannot POST /bot12345:abcdefg/x",
            "no bot12345:abcdefg",
            "token=geheimnis&a=1 is wrong",
            "geheimnis",
        ] {
            let shown = address.hide_in(echo);
            assert!(
                !shown.contains("abcdefg") && !shown.contains("geheimnis"),
                "{shown}"
            );
        }
        assert_eq!(address.hide_in("not found"), "not found");
    }

    #[test]
    fn user_and_password_of_an_address_become_a_header() {
        let login = |text| Address::parse(text).unwrap().login;
        let value = login("https://ada:p%40ss@example.org/").unwrap();
        assert_eq!(value, "Basic YWRhOnBAc3M=");
        assert!(value.is_sensitive());
        assert_eq!(login("https://example.org/"), None);
    }

    #[test]
    fn what_passes_is_tried_again_and_what_does_not_is_not() {
        let judged = |status: u16| {
            let status = StatusCode::from_u16(status).unwrap();
            judge("https://h", status, None, status.to_string())
        };
        for status in [200, 202, 204] {
            assert!(judged(status).is_ok());
        }
        for status in [301, 308, 400, 401, 403, 404, 405, 410, 413, 422] {
            assert!(judged(status).unwrap_err().is_permanent, "{status}");
        }
        for status in [408, 425, 429, 500, 502, 503, 504] {
            assert!(!judged(status).unwrap_err().is_permanent, "{status}");
        }
    }
}
