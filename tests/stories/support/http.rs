//! A client of the hub's API.

use std::time::Duration;

use netmonitor_testkit::eventually_some;
use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use super::DEADLINE;

/// Somebody who asks the hub.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    base: String,
    agent: ureq::Agent,
    headers: Vec<(&'static str, String)>,
}

/// What the hub answered.
#[derive(Debug)]
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

    /// A browser that was given this cookie, on a page of the hub.
    pub(crate) fn with_cookie(&self, cookie: &str) -> Self {
        self.with_header("cookie", cookie)
            .with_header("x-requested-with", "netmonitor")
    }

    pub(crate) fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub(crate) fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// Asks, and fails if there is no answer at all.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_ask(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ureq::Error> {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = Request::builder().method(&method).uri(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).unwrap())
            }
            // As browsers do: a body of no bytes, not one of unknown length.
            None if method == Method::POST => self.agent.run(request.body("").unwrap()),
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer?;
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body: answer.body_mut().read_to_string()?,
        })
    }

    /// What is answered, if anything is.
    pub(crate) fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_ask("GET", path, None).ok()
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body))
    }

    /// What is at the path, which must be there.
    pub(crate) fn read(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Waits until what is at the path is as wanted. A hub that is not there is no answer yet.
    pub(crate) fn until<T>(
        &self,
        what: &str,
        path: &str,
        mut wanted: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        self.within(DEADLINE, what, path, &mut wanted)
    }

    /// The same, with a deadline.
    pub(crate) fn within<T>(
        &self,
        deadline: Duration,
        what: &str,
        path: &str,
        wanted: &mut impl FnMut(&Value) -> Option<T>,
    ) -> T {
        eventually_some(what, deadline, || {
            let answer = self.try_ask("GET", path, None).ok()?;
            (answer.status == 200).then(|| wanted(&answer.json()))?
        })
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The session cookie that came with the answer, as a browser sends it back.
    pub(crate) fn cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// Fails unless this is a problem document with this status. Returns what it says.
    pub(crate) fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let kinds: Vec<_> = self.headers.get_all("content-type").iter().collect();
        assert_eq!(kinds, ["application/problem+json"], "{}", self.body);
        let json = self.json();
        assert_eq!(json["status"], status);
        assert!(json["title"].is_string(), "{json}");
        json["detail"].as_str().unwrap().to_owned()
    }
}
