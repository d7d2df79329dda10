//! The history: samples and events, in `monitor.db`. Ingest writes it, others read.
//!
//! A sample is stored once, whatever happens: (session, seq) names it. Each of its numbers is
//! a [`series`] of the device, kept as a scaled integer; one row holds all numbers of one
//! sample, and the names of its series stand in a layout that many samples share.

mod columns;
mod downsample;
mod events;
mod placing;
mod reader;
mod sample;
mod series;
mod values;
mod writer;

pub use columns::{Columns, Series};
pub use events::{EventFilter, StoredEvent};
pub use placing::{CLOCK_OFF, Moment, Placed, Placing, Way};
pub use reader::{HistoryReader, Query};
pub use sample::{Layout, Layouts, NewSample};
pub use series::series_of;
pub use writer::{Committed, HistoryWriter, Lost, Stored, Tended};

use crate::migrate;

/// From an empty file to the current schema.
pub(crate) const STEPS: migrate::Steps = &[include_str!("history/schema_1.sql")];
