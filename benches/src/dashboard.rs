//! What a dashboard asks while agents report: questions to the REST API, and how long each took.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::DeviceId;
use netmonitor_service::{Secret, clock};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use serde::Serialize;

use crate::stats::{millis, percentile};

/// Nothing is asked before agents have said something.
const BEGIN_AFTER: Duration = Duration::from_secs(2);

/// The way to a hub's API.
#[derive(Debug, Clone)]
pub struct Api {
    base: String,
    token: Secret,
    http: ureq::Agent,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    /// All metrics of the last day, as a device's page has them.
    Day,
    /// One metric of the last day.
    DayOfOne,
    /// All metrics of the last hour.
    Hour,
}

/// Answers to one kind of question.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Answers {
    /// How many.
    pub number: usize,
    /// Half within this, in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95 of 100 within this.
    pub p95_ms: Option<f64>,
    /// All within this.
    pub most_ms: Option<f64>,
}

/// What became of all questions.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Asked {
    /// All together.
    pub all: Answers,
    /// By kind.
    pub by_kind: BTreeMap<&'static str, Answers>,
    /// Questions without an answer, or with an error.
    pub failed: usize,
}

/// Asks until it is told to stop.
#[derive(Debug)]
pub struct Dashboard {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<(Question, Option<Duration>)>>,
}

impl Question {
    const ALL: [Self; 3] = [Self::Day, Self::DayOfOne, Self::Hour];

    fn name(self) -> &'static str {
        match self {
            Self::Day => "24 h, all metrics",
            Self::DayOfOne => "24 h, one metric",
            Self::Hour => "1 h, all metrics",
        }
    }

    /// At this moment, of this device.
    fn path(self, device: &DeviceId, now: Timestamp) -> String {
        let (hours, which) = match self {
            Self::Day => (24, ""),
            Self::DayOfOne => (24, "&metrics=cpu"),
            Self::Hour => (1, ""),
        };
        let from = now - SignedDuration::from_hours(hours);
        format!("/api/v1/devices/{device}/history?from={from}&to={now}&points=500{which}")
    }
}

impl Api {
    /// `base` as `http://192.0.2.1:8080`.
    pub fn new(base: &str, token: Secret) -> Self {
        let http = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        Self {
            base: base.trim_end_matches('/').to_owned(),
            token,
            http,
        }
    }

    /// What is at a path, which must be there.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        let credential = format!("Bearer {}", self.token.expose());
        let request = self.http.get(format!("{}{path}", self.base));
        let answer = request.header("authorization", credential).call();
        let mut answer = answer.context("the hub does not answer")?;
        let body = answer.body_mut().read_to_string()?;
        ensure!(answer.status().is_success(), "{path}: {}", answer.status());
        Ok(body)
    }
}

impl Api {
    /// Looks at a device for a minute: its agent tells its processes meanwhile.
    pub fn watch(&self, device: &str) -> anyhow::Result<()> {
        let credential = format!("Bearer {}", self.token.expose());
        let url = format!("{}/api/v1/devices/{device}/watch", self.base);
        let request = self.http.post(url).header("authorization", credential);
        let answer = request.send_empty().context("the hub does not answer")?;
        ensure!(answer.status().is_success(), "watch: {}", answer.status());
        Ok(())
    }
}

impl Dashboard {
    /// Asks so many questions in this time, about these devices.
    pub fn start(
        api: Api,
        devices: Vec<DeviceId>,
        number: usize,
        duration: Duration,
        seed: u64,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = stop.clone();
        let left = duration.saturating_sub(BEGIN_AFTER);
        let pause = left / u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        let thread = std::thread::spawn(move || {
            let mut random = StdRng::seed_from_u64(seed);
            let mut asked = Vec::with_capacity(number);
            let begin = Instant::now() + BEGIN_AFTER;
            for (at, question) in (0..).zip(Question::ALL.into_iter().cycle().take(number)) {
                let due = begin + pause * at;
                std::thread::sleep(due.saturating_duration_since(Instant::now()));
                if told.load(Ordering::Relaxed) {
                    break;
                }
                let device = &devices[random.random_range(0..devices.len())];
                let path = question.path(device, clock::now());
                let clock = Instant::now();
                let answer = api.get(&path);
                if let Err(error) = &answer {
                    tracing::warn!(error = format!("{error:#}"), "a question failed");
                }
                asked.push((question, answer.ok().map(|_| clock.elapsed())));
            }
            asked
        });
        Self { stop, thread }
    }

    /// What was asked by now.
    pub fn finish(self) -> anyhow::Result<Asked> {
        self.stop.store(true, Ordering::Relaxed);
        let asked = self.thread.join();
        let asked = asked.map_err(|_| anyhow!("the dashboard has failed"))?;
        let of = |wanted: &dyn Fn(Question) -> bool| {
            let times = asked.iter().filter(|(question, _)| wanted(*question));
            answers(times.filter_map(|(_, time)| *time).collect())
        };
        Ok(Asked {
            all: of(&|_| true),
            by_kind: Question::ALL
                .into_iter()
                .map(|kind| (kind.name(), of(&|question| question == kind)))
                .collect(),
            failed: asked.iter().filter(|(_, time)| time.is_none()).count(),
        })
    }
}

fn answers(mut times: Vec<Duration>) -> Answers {
    times.sort_unstable();
    Answers {
        number: times.len(),
        p50_ms: percentile(&times, 50).map(millis),
        p95_ms: percentile(&times, 95).map(millis),
        most_ms: times.last().copied().map(millis),
    }
}
