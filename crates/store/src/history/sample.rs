//! A sample on its way into the history: its name, its moment, and its numbers.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use netmonitor_protocol::payload::Metrics;
use netmonitor_protocol::{DeviceId, SessionId};

use super::series;

/// A sample to be stored. Many may wait in memory, so it holds no more than what is kept.
#[derive(Debug, Clone)]
pub struct NewSample {
    /// Whose.
    pub device: DeviceId,
    /// The start of the agent that took it.
    pub session: SessionId,
    /// Its number in that session.
    pub seq: u64,
    /// When, by the hub's clock.
    pub at: Timestamp,
    /// The oldest sample of the session that the agent still keeps, if it says so: what is older
    /// and not stored is lost.
    pub oldest_seq: Option<u64>,
    /// To which series the values belong.
    pub layout: Arc<Layout>,
    /// Scaled to integers, in the order of the layout.
    pub values: Box<[i64]>,
}

/// The series of a sample, in the order of its values. Most samples of a device share one.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Layout(Box<[String]>);

impl Layout {
    /// Names of the series.
    pub fn names(&self) -> &[String] {
        &self.0
    }
}

/// Layouts that were seen lately, so that equal ones are one in memory.
#[derive(Debug, Default)]
pub struct Layouts(HashSet<Arc<Layout>>);

/// Layouts that are remembered. When there are more, those that no sample has are forgotten.
const REMEMBERED: usize = 4096;

impl NewSample {
    /// What the history keeps of a sample that was taken at `at`.
    pub fn new(device: DeviceId, at: Timestamp, metrics: &Metrics, layouts: &mut Layouts) -> Self {
        let (names, values): (Vec<String>, Vec<i64>) =
            series::numbers_of(metrics).into_iter().unzip();
        Self {
            device,
            session: metrics.session,
            seq: metrics.seq,
            at,
            oldest_seq: metrics.oldest_seq,
            layout: layouts.shared(names),
            values: values.into(),
        }
    }
}

impl Layouts {
    fn shared(&mut self, names: Vec<String>) -> Arc<Layout> {
        let layout = Layout(names.into());
        if let Some(known) = self.0.get(&layout) {
            return known.clone();
        }
        if self.0.len() >= REMEMBERED {
            self.0.retain(|layout| Arc::strong_count(layout) > 1);
        }
        let layout = Arc::new(layout);
        self.0.insert(layout.clone());
        layout
    }
}
