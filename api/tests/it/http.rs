//! A client of the API.

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use crate::site::DEADLINE;

/// Somebody who asks the API.
#[derive(Clone)]
pub(crate) struct Client {
    base: String,
    agent: ureq::Agent,
    headers: Vec<(&'static str, String)>,
}

/// What it answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    /// Somebody without any credential.
    pub(crate) fn new(base: &str) -> Self {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(DEADLINE))
            .build()
            .into();
        Self {
            base: base.to_owned(),
            agent,
            headers: Vec::new(),
        }
    }

    /// A program.
    pub(crate) fn with_token(&self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// A browser with this cookie, on a page of the hub.
    pub(crate) fn with_cookie(&self, cookie: &str) -> Self {
        self.with_header("cookie", cookie)
            .with_header("x-requested-with", "netmonitor")
    }

    fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// Asks and reads the answer, but for that of a stream, which has no end.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let (kind, url) = (Method::from_bytes(method.as_bytes()).unwrap(), &self.base);
        let mut request = Request::builder()
            .method(&kind)
            .uri(format!("{url}/api/v1{path}"));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).unwrap())
            }
            // As browsers do: a body of no bytes, not one of unknown length.
            None if kind == Method::POST => self.agent.run(request.body("").unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let headers = answer.headers().clone();
        let kind = headers.get("content-type").map(|it| it.to_str().unwrap());
        let body = match kind {
            Some("text/event-stream") => String::new(),
            _ => answer.body_mut().read_to_string().unwrap(),
        };
        Answer {
            status: answer.status().as_u16(),
            headers,
            body,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None)
    }

    /// Logs in, and is then the browser that has done so.
    pub(crate) fn logged_in(&self, name: &str, password: &str) -> Self {
        let answer = self.log_in(name, password);
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.with_cookie(&answer.cookie())
    }

    pub(crate) fn log_in(&self, name: &str, password: &str) -> Answer {
        let login = serde_json::json!({ "name": name, "password": password });
        self.post("/login", &login)
    }
}

impl Answer {
    /// What it says, if all is well.
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// The session cookie, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// Fails unless it is done, and there is nothing to say.
    pub(crate) fn done(&self) {
        assert_eq!((self.status, self.body.as_str()), (204, ""));
    }

    /// Fails unless this is a problem document with this status. Returns what it says.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        let json: Value = serde_json::from_str(&self.body).unwrap();
        json["detail"].as_str().unwrap().to_owned()
    }
}
