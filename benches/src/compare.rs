//! What is measured of either broker, each time with a fresh one.
//!
//! CPU time is that of the broker's process. The clients live in this process, on one thread.

mod fleet;
mod idle;
mod latency;
mod leftovers;
mod paced;
mod slow;
mod storm;
mod throughput;

use std::path::Path;

use crate::site::{Kind, Site, Subject};

/// How large the comparison is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Connections that are held idle.
    pub idle: usize,
    /// Connections of a storm.
    pub storm: usize,
    /// Publishers at full speed, and paced.
    pub publishers: usize,
    /// Messages of each publisher at full speed.
    pub messages: usize,
    /// How long the paced load lasts, in seconds.
    pub paced_secs: u64,
    /// Messages whose way is timed.
    pub timed: usize,
}

impl Size {
    /// What the figures in the README were made with.
    pub const FULL: Self = Self {
        idle: 2_000,
        storm: 1_000,
        publishers: 200,
        messages: 1_000,
        paced_secs: 10,
        timed: 1_000,
    };

    /// Enough to see that everything works, in seconds.
    pub const SMOKE: Self = Self {
        idle: 10,
        storm: 10,
        publishers: 5,
        messages: 20,
        paced_secs: 1,
        timed: 20,
    };
}

/// One thing that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenario {
    /// Connections that only exist.
    Idle {
        /// Over TLS.
        tls: bool,
    },
    /// Many connections one after another, some at the same time.
    Storm {
        /// Over TLS.
        tls: bool,
    },
    /// As fast as the broker takes it.
    Throughput {
        /// Quality of service, of publishers and subscriber.
        qos: u8,
        /// Whether publishers wait for the subscriber, so that nothing need be lost.
        paced_by_subscriber: bool,
    },
    /// 1,000 messages in a second.
    Paced {
        /// Quality of service, of publishers and subscriber.
        qos: u8,
        /// With the retain flag, as agents send their samples.
        retain: bool,
    },
    /// From publish to receipt at a light load.
    Latency {
        /// Quality of service, of publisher and subscriber.
        qos: u8,
    },
    /// What is left behind by clients that are gone.
    Leftovers,
    /// A subscriber that is slower than the publishers.
    Slow {
        /// Quality of service, of publishers and subscriber.
        qos: u8,
    },
}

impl Scenario {
    /// All of them, in the order of the table.
    pub const ALL: [Self; 16] = [
        Self::Idle { tls: false },
        Self::Idle { tls: true },
        Self::Storm { tls: false },
        Self::Storm { tls: true },
        Self::Throughput {
            qos: 0,
            paced_by_subscriber: true,
        },
        Self::Throughput {
            qos: 1,
            paced_by_subscriber: true,
        },
        Self::Throughput {
            qos: 0,
            paced_by_subscriber: false,
        },
        Self::Throughput {
            qos: 1,
            paced_by_subscriber: false,
        },
        Self::Paced {
            qos: 0,
            retain: false,
        },
        Self::Paced {
            qos: 1,
            retain: false,
        },
        Self::Paced {
            qos: 1,
            retain: true,
        },
        Self::Latency { qos: 0 },
        Self::Latency { qos: 1 },
        Self::Leftovers,
        Self::Slow { qos: 0 },
        Self::Slow { qos: 1 },
    ];

    /// A word for the command line.
    pub fn group(self) -> &'static str {
        match self {
            Self::Idle { .. } => "idle",
            Self::Storm { .. } => "storm",
            Self::Throughput { .. } => "throughput",
            Self::Paced { .. } => "paced",
            Self::Latency { .. } => "latency",
            Self::Leftovers => "leftovers",
            Self::Slow { .. } => "slow",
        }
    }

    /// The word of some of them, from the command line.
    pub fn parse_group(text: &str) -> Result<&'static str, String> {
        let mut groups: Vec<&'static str> = Self::ALL.map(Self::group).to_vec();
        groups.dedup();
        let found = groups.iter().find(|group| **group == text).copied();
        found.ok_or_else(|| format!("it is none of {}", groups.join(", ")))
    }

    /// Measures it once.
    pub async fn measure(
        self,
        site: &Site,
        kind: Kind,
        netmonitor: &Path,
        scale: Size,
    ) -> anyhow::Result<Vec<Measured>> {
        let mut subject = site.start(kind, netmonitor)?;
        let bench = Bench {
            site,
            subject: &subject,
            size: scale,
        };
        let measured = match self {
            Self::Idle { tls } => idle::measure(&bench, tls).await?,
            Self::Storm { tls } => storm::measure(&bench, tls).await?,
            Self::Throughput {
                qos,
                paced_by_subscriber,
            } => throughput::measure(&bench, qos, paced_by_subscriber).await?,
            Self::Paced { qos, retain } => paced::measure(&bench, qos, retain).await?,
            Self::Latency { qos } => latency::measure(&bench, qos).await?,
            Self::Leftovers => leftovers::measure(&bench).await?,
            Self::Slow { qos } => slow::measure(&bench, qos).await?,
        };
        subject.program.stop()?;
        Ok(measured)
    }
}

/// What every scenario works with.
struct Bench<'a> {
    site: &'a Site,
    subject: &'a Subject,
    size: Size,
}

/// One number.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What it is: the row of the table.
    pub row: String,
    /// In which unit.
    pub unit: &'static str,
    /// How much.
    pub value: f64,
    /// What it should be.
    pub goal: Goal,
}

/// What a number should be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Goal {
    /// There is none.
    None,
    /// Ours at most so many times mosquitto's.
    Ratio(f64),
    /// Ours at most this.
    AtMost(f64),
    /// Ours at most this, in every round: what must not be is no matter of noise.
    EachTime(f64),
}

impl Measured {
    fn new(row: impl Into<String>, unit: &'static str, value: f64) -> Self {
        Self {
            row: row.into(),
            unit,
            value,
            goal: Goal::None,
        }
    }

    fn with(self, goal: Goal) -> Self {
        Self { goal, ..self }
    }
}

/// For the names of rows.
fn over(tls: bool) -> &'static str {
    if tls { "TLS" } else { "TCP" }
}
