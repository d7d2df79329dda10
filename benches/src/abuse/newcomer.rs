//! One who comes anew while the hub is abused, and wants to know who is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use netmonitor_protocol::payload::ServiceHealth;
use netmonitor_protocol::topics::Kind;
use netmonitor_protocol::{ServiceName, Topic};
use netmonitor_service::{Secret, random};
use tokio::time::{sleep, timeout};

use crate::packet::{self, Connect, Received};
use crate::raw::{Raw, Way};

/// MQTT user of the newcomers.
pub(super) const USER: &str = "newcomer";

/// After an attempt that failed, as MQTT clients wait.
const AGAIN: Duration = Duration::from_millis(500);

/// How newcomers connect.
#[derive(Debug, Clone)]
pub(super) struct Newcomer {
    /// The way to the broker.
    pub way: Way,
    /// Their password.
    pub password: Secret,
}

/// How it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Welcome {
    /// From the first attempt to the last word on so many agents.
    pub took: Duration,
    /// Attempts.
    pub attempts: usize,
}

impl Newcomer {
    /// Connects over TLS, subscribes to what the hub concludes, and leaves once it has heard of so
    /// many agents. An attempt that fails is made again, until `within`.
    pub(super) async fn visit(&self, agents: usize, within: Duration) -> anyhow::Result<Welcome> {
        let start = Instant::now();
        let mut attempts = 0;
        let mut last = None;
        let trying = async {
            loop {
                attempts += 1;
                match self
                    .heard(&Kind::DevicePresence.row().filter(), agents)
                    .await
                {
                    Ok(_) => break,
                    Err(error) => last = Some(error),
                }
                sleep(AGAIN).await;
            }
        };
        let done = timeout(within, trying).await;
        let welcome = Welcome {
            took: start.elapsed(),
            attempts,
        };
        match (done, last) {
            (Ok(()), _) => Ok(welcome),
            (Err(_), Some(error)) => Err(error).context("its last attempt"),
            (Err(_), None) => anyhow::bail!("its first attempt has not ended"),
        }
    }

    /// What the broker has counted, as it last said.
    pub(super) async fn counters(&self) -> anyhow::Result<BTreeMap<String, u64>> {
        let topic = Topic::HubService(ServiceName::Broker).to_string();
        let heard = self.heard(&topic, 1).await?;
        let report = heard.first().context("the broker has not reported yet")?;
        let health: ServiceHealth = serde_json::from_slice(report)?;
        Ok(health.counters)
    }

    /// The first so many messages.
    async fn heard(&self, filter: &str, number: usize) -> anyhow::Result<Vec<Vec<u8>>> {
        let connect = Connect {
            client_id: &format!("newcomer-{:016x}", random::bits64()),
            user: USER,
            password: self.password.expose(),
            keep_alive_secs: 60,
            will: None,
            session_secs: None,
        };
        let mut raw = Raw::connect(&self.way, &connect.packet()).await?;
        raw.subscribe(&[filter.to_owned()], 1).await?;
        let mut heard = Vec::new();
        let mut acknowledgements = Vec::new();
        while heard.len() < number {
            raw.read_all(|received| {
                if let Received::Publish { packet_id, payload } = received {
                    heard.push(payload.to_vec());
                    acknowledgements.extend(packet::puback(packet_id));
                }
            })
            .await?;
            raw.write(&acknowledgements).await?;
            acknowledgements.clear();
        }
        raw.leave().await?;
        Ok(heard)
    }
}
