//! The clients of a benchmark: devices that connect as agents do, and one who reads.

use std::sync::Arc;

use netmonitor_protocol::Topic;
use netmonitor_protocol::payload::Status;
use netmonitor_protocol::topics::Kind as Topics;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::Bench;
use crate::packet::{Connect, Will};
use crate::raw::{Raw, Way};

/// Longer than any scenario lasts: nobody has to ping.
const KEEP_ALIVE_SECS: u16 = 600;

/// Connections that are under way at the same time.
const AT_ONCE: usize = 8;

impl Bench<'_> {
    /// The way to the broker.
    pub(super) fn way(&self, tls: bool) -> Way {
        Way {
            address: if tls {
                self.subject.tls
            } else {
                self.subject.plain
            },
            tls: tls.then(|| self.site.tls()),
            receive_buffer: None,
            from: None,
        }
    }

    /// What a device says first: with a will, as agents have one.
    pub(super) fn connect_packet(&self, device: usize) -> Vec<u8> {
        let (id, account) = &self.site.devices[device];
        let will = Will {
            topic: &Topic::DeviceStatus(id.clone()).to_string(),
            payload: Status::Offline.as_str().as_bytes(),
        };
        Connect {
            client_id: &format!("agent-{id}"),
            user: &account.user,
            password: &account.password,
            keep_alive_secs: KEEP_ALIVE_SECS,
            will: Some(will),
            session_secs: None,
        }
        .packet()
    }

    /// The first devices, connected, in their order.
    pub(super) async fn devices(&self, number: usize, tls: bool) -> anyhow::Result<Vec<Raw>> {
        let way = self.way(tls);
        let at_once = Arc::new(Semaphore::new(AT_ONCE));
        let mut tasks = JoinSet::new();
        for device in 0..number {
            let (way, at_once) = (way.clone(), at_once.clone());
            let connect = self.connect_packet(device);
            tasks.spawn(async move {
                let _permit = at_once.acquire().await?;
                anyhow::Ok((device, Raw::connect(&way, &connect).await?))
            });
        }
        let mut connected = Vec::with_capacity(number);
        while let Some(ended) = tasks.join_next().await {
            connected.push(ended??);
        }
        connected.sort_by_key(|(device, _)| *device);
        Ok(connected.into_iter().map(|(_, raw)| raw).collect())
    }

    /// One who reads every sample.
    pub(super) async fn reader(&self, way: &Way, qos: u8) -> anyhow::Result<Raw> {
        self.reading(way, &[Topics::DeviceMetrics.row().filter()], qos)
            .await
    }

    /// One who reads this.
    pub(super) async fn reading(
        &self,
        way: &Way,
        filters: &[String],
        qos: u8,
    ) -> anyhow::Result<Raw> {
        let account = &self.site.reader;
        let connect = Connect {
            client_id: &format!("reader-{}", filters.join(",").len()),
            user: &account.user,
            password: &account.password,
            keep_alive_secs: KEEP_ALIVE_SECS,
            will: None,
            session_secs: None,
        }
        .packet();
        let mut raw = Raw::connect(way, &connect).await?;
        raw.subscribe(filters, qos).await?;
        Ok(raw)
    }

    /// Where a device publishes its samples.
    pub(super) fn metrics_topic(&self, device: usize) -> String {
        Topic::DeviceMetrics(self.site.devices[device].0.clone()).to_string()
    }
}
