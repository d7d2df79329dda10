//! A page that follows the live stream (server-sent events).

use std::io::{BufRead as _, BufReader};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use netmonitor_testkit::http::Client;

/// An open stream. Its thread ends with the hub, or with the next event after the page is gone.
#[derive(Debug)]
pub(crate) struct Live(Receiver<(String, Value)>);

impl Live {
    pub(crate) fn open(client: &Client) -> Self {
        let mut request = ureq::get(client.url("/api/v1/stream"));
        for (name, value) in client.headers() {
            request = request.header(*name, value);
        }
        let answer = request.call().unwrap();
        let kind = answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            let mut name = String::new();
            let lines = BufReader::new(answer.into_body().into_reader()).lines();
            for line in lines.map_while(Result::ok) {
                if let Some(event) = line.strip_prefix("event:") {
                    event.trim().clone_into(&mut name);
                } else if let Some(data) = line.strip_prefix("data:") {
                    let data = serde_json::from_str(data).unwrap();
                    if sender.send((name.clone(), data)).is_err() {
                        return;
                    }
                }
            }
        });
        Self(receiver)
    }

    /// Waits for an event of this name that is as wanted.
    pub(crate) fn event(
        &self,
        name: &str,
        deadline: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let until = Instant::now() + deadline;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (found, data) = self.0.recv_timeout(left).unwrap_or_else(|error| {
                panic!("no such {name:?} in the live stream within {deadline:?}: {error}")
            });
            if found == name && wanted(&data) {
                return data;
            }
        }
    }
}
