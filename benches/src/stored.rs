//! What is in the history in the end, against what the agents have measured.

use std::path::Path;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use netmonitor_agent::spool::numbers::{Numbers, count};
use netmonitor_store::HistoryReader;
use netmonitor_store::history::Query;
use serde::Serialize;

use crate::fleet::Fleet;

/// What became of every sample.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Stored {
    /// Samples that agents have taken.
    pub measured: u64,
    /// Those of which ingest has said that they are on disk.
    pub acknowledged: u64,
    /// Those that are in the history.
    pub stored: u64,
    /// Those that are not.
    pub missing: u64,
    /// Acknowledged, and not in the history: what must never be.
    pub acknowledged_and_missing: u64,
    /// Rows of the history beyond one for each sample.
    pub stored_twice: u64,
    /// In the history, and measured by nobody.
    pub foreign: u64,
}

impl Stored {
    /// Whether each sample is there once.
    pub fn is_good(&self) -> bool {
        self.missing == 0 && self.stored_twice == 0 && self.foreign == 0
    }

    /// Reads the history of the hub itself. `began` is before the first sample.
    pub fn read(history: &Path, fleet: &Fleet, began: Timestamp) -> anyhow::Result<Self> {
        let reader = HistoryReader::new(history);
        let mut all = Self {
            measured: fleet.ledger().measured_in_all(),
            acknowledged: fleet.ledger().stored_in_all(),
            ..Self::default()
        };
        for agent in &fleet.agents {
            let device = agent.device();
            let known = reader.sessions(device).context("cannot read the history")?;
            let mut distinct = 0;
            for (session, measured, acknowledged) in fleet.ledger().sessions(device) {
                let of = known.iter().find(|it| it.session == session);
                let stored: Numbers = of
                    .iter()
                    .flat_map(|it| &it.ranges)
                    .map(|(first, last)| *first..=*last)
                    .collect();
                let mut expected = Numbers::new();
                if measured > 0 {
                    expected.insert(1..=measured);
                }
                let there = overlap(&stored, &expected);
                all.stored += there;
                all.missing += measured - there;
                all.foreign += count(&stored) - there;
                all.acknowledged_and_missing +=
                    count(&acknowledged) - overlap(&stored, &acknowledged);
                distinct += count(&stored);
            }
            let rows = rows(&reader, device, began)?;
            all.stored_twice += rows.saturating_sub(distinct);
            // The numbers say that it is there, and it cannot be read.
            all.missing += distinct.saturating_sub(rows);
        }
        Ok(all)
    }
}

/// How many samples of a device can be read.
fn rows(
    reader: &HistoryReader,
    device: &netmonitor_protocol::DeviceId,
    began: Timestamp,
) -> anyhow::Result<u64> {
    let hour = SignedDuration::from_hours(1);
    let query = Query {
        device: device.clone(),
        series: vec!["cpu".to_owned()],
        from: began - hour,
        to: netmonitor_service::clock::now() + hour,
        points: 10_000_000,
    };
    Ok(reader.columns(&query, &[])?.times.len() as u64)
}

fn overlap(one: &Numbers, other: &Numbers) -> u64 {
    let both = one.intersection(other);
    both.map(|run| run.end() - run.start() + 1).sum()
}
