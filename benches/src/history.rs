//! The history beside other stores, on the same data in one run.
//!
//! - [`set`], [`series`], [`recording`]: what is stored
//! - [`store`]: who stores it
//! - [`embedded`]: those that are a library: our history, and two plain SQLite tables
//! - [`server`], [`remote_write`]: those that are a program: Prometheus and `VictoriaMetrics`
//! - [`worker`]: a process of its own for each of the first kind
//! - [`size`], [`wear`], [`queries`], [`mqtt`]: what is measured
//! - [`report`]: how it is shown

pub mod embedded;
pub mod mqtt;
pub mod queries;
pub mod recording;
pub mod remote_write;
pub mod report;
pub mod series;
pub mod server;
pub mod set;
pub mod size;
pub mod store;
pub mod usage;
pub mod wear;
pub mod worker;
