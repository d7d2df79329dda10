//! A client of the hub's API, for the tests of the API and for whole stories.

use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderMap, Method, Request};

use crate::eventually_some;

/// The longest time for an answer, and for anything that is waited for.
const DEADLINE: Duration = Duration::from_secs(30);

/// Tests ask with addresses and headers that are ones.
const SOUND: &str = "address and headers are sound";

/// Somebody who asks the hub.
#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    agent: ureq::Agent,
    headers: Vec<(&'static str, String)>,
}

/// What the hub answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty for a stream.
    pub body: String,
}

impl Client {
    /// Somebody without any credential.
    pub fn new(base: &str) -> Self {
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
    #[must_use]
    pub fn with_token(&self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// A browser that was given this cookie, on a page of the hub.
    #[must_use]
    pub fn with_cookie(&self, cookie: &str) -> Self {
        self.with_header("cookie", cookie)
            .with_header("x-requested-with", "netmonitor")
    }

    /// One that sends this header.
    #[must_use]
    pub fn with_header(&self, name: &'static str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name, value.to_owned()));
        client
    }

    /// The address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// What it sends with each request.
    pub fn headers(&self) -> &[(&'static str, String)] {
        &self.headers
    }

    /// Asks, and fails if there is no answer at all.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_ask(method, path, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn try_ask(
        &self,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ureq::Error> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = Request::builder().method(&method).uri(self.url(path));
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = match body {
            Some(body) => {
                let request = request.header("content-type", "application/json");
                self.agent.run(request.body(body.to_string()).expect(SOUND))
            }
            // As browsers do: a body of no bytes, not one of unknown length.
            None if method == Method::POST => self.agent.run(request.body("").expect(SOUND)),
            None => self.agent.run(request.body(()).expect(SOUND)),
        };
        let mut answer = answer?;
        let kind = answer.headers().get("content-type");
        // A stream has no end.
        let body = if kind.is_some_and(|it| it == "text/event-stream") {
            String::new()
        } else {
            answer.body_mut().read_to_string()?
        };
        Ok(Answer {
            status: answer.status().as_u16(),
            headers: answer.headers().clone(),
            body,
        })
    }

    /// What is answered, if anything is.
    pub fn try_get(&self, path: &str) -> Option<Answer> {
        self.try_ask("GET", path, None).ok()
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    /// `POST`, with a body.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.ask("POST", path, Some(body))
    }

    /// `DELETE`.
    pub fn delete(&self, path: &str) -> Answer {
        self.ask("DELETE", path, None)
    }

    /// What is at the path, which must be there.
    pub fn read(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    /// Waits until what is at the path is as wanted. A hub that is not there is no answer yet.
    pub fn until<T>(
        &self,
        what: &str,
        path: &str,
        mut wanted: impl FnMut(&Value) -> Option<T>,
    ) -> T {
        self.within(DEADLINE, what, path, &mut wanted)
    }

    /// The same, with a deadline.
    pub fn within<T>(
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
    /// What it says, if all is well.
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// Fails unless it is done, and there is nothing to say.
    pub fn done(&self) {
        assert_eq!((self.status, self.body.as_str()), (204, ""));
    }

    /// What it says.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }

    /// A header; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a header is a text"))
    }

    /// The session cookie that came with the answer, as a browser sends it back.
    pub fn cookie(&self) -> String {
        let cookie = self.header("set-cookie");
        cookie.split(';').next().unwrap_or_default().to_owned()
    }

    /// Fails unless this is a problem document with this status. Returns what it says.
    pub fn problem(&self, status: u16) -> String {
        assert_eq!(self.status, status, "{}", self.body);
        let kinds: Vec<_> = self.headers.get_all("content-type").iter().collect();
        assert_eq!(kinds, ["application/problem+json"], "{}", self.body);
        let json = self.json();
        assert_eq!(json["status"], status);
        assert!(json["title"].is_string(), "{json}");
        json["detail"]
            .as_str()
            .expect("it says what is wrong")
            .to_owned()
    }
}
