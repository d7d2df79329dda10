//! The history: samples and events, in `monitor.db`. Ingest writes it, others read.
//!
//! A sample is stored once, whatever happens: (session, seq) names it. Its numbers are scaled
//! integers. A commit adds a row per device to the *tail*; after each hour the tail is *sealed*
//! into a *chunk* per device and hour, whose series are compressed each on its own; after each
//! day the hours are *merged* into a chunk of the day, and summed up in *points* of five minutes
//! and of two hours, from which long ranges are drawn.
//!
//! - [`sample`], [`numbers`], [`series`]: what is kept of a sample; [`placing`]: when it was taken
//! - [`chunk`], [`column`], [`packed`]: samples as bytes; [`combine`]: several chunks as one
//! - [`rate`], [`rollup`]: from counters to rates, from samples to points
//! - [`keys`], [`names`], [`received`], [`tail`]: what the tables hold; [`listing`], [`found`]:
//!   which keys and what under them, in a damaged file as well
//! - [`writer`], [`upkeep`]: commits, and what has to be done now and then;
//!   [`retention`], [`upgrade`]
//! - [`reader`], [`question`], [`query`], [`plan`], [`pieces`], [`unstored`], [`answer`],
//!   [`downsample`]: from a question to points
//! - [`events`]: the log; [`overview`], [`verify`]: how large, and whether it is sound

mod answer;
mod asked;
mod chunk;
mod column;
mod columns;
mod combine;
mod downsample;
mod effort;
mod events;
mod found;
mod head;
mod keys;
mod listing;
mod names;
mod numbers;
mod origins;
mod overview;
mod packed;
mod paged;
mod pieces;
mod placing;
mod plan;
mod query;
mod question;
mod rate;
mod reader;
mod received;
mod retention;
mod rollup;
mod sample;
mod series;
mod tail;
#[cfg(test)]
mod tests;
mod unstored;
mod upgrade;
mod upkeep;
mod verify;
mod writer;

pub use columns::{Columns, Series};
pub use events::{EventFilter, StoredEvent};
pub use overview::Overview;
pub use placing::{CLOCK_OFF, Moment, Placed, Placing, Way};
pub use question::Query;
pub use reader::{HistoryReader, StoredSession};
pub use retention::Retention;
pub use sample::{Layout, Layouts, NewSample};
pub use verify::{Finding, Report, verify};
pub use writer::{Committed, HistoryWriter, Lost, Stored, Tended};

use crate::migrate::{self, Step};

/// From an empty file to the current schema.
pub(crate) const STEPS: migrate::Steps = &[
    Step::sql(include_str!("history/schema_1.sql")),
    Step {
        sql: include_str!("history/schema_2.sql"),
        then: Some(upgrade::samples_to_chunks),
    },
    Step::sql(include_str!("history/schema_3.sql")),
];
