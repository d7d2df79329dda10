//! Measures: a load generator whose agents are joined for real, and the comparisons of the
//! embedded broker with mosquitto and of the history with other stores. Nothing here is part of what is installed.
//!
//! - [`command`]: how the programs here begin and end
//! - [`program`]: the programs under test, what they have used, how they end
//! - [`packet`], [`raw`]: MQTT 5 written by hand, cheap enough not to be the bottleneck
//! - [`site`]: credentials and certificates that both brokers know
//! - [`compare`]: what is measured side by side
//! - [`fleet`], [`faults`], [`hub`]: simulated agents, what they suffer, where they report
//! - [`footprint`]: what agents cost the machine that they watch
//! - [`abuse`]: what a hub suffers from everybody, and whether others are served meanwhile
//! - [`history`]: the history beside other stores
//! - [`rounds`]: everything that can happen to agents and hub, and whether presence is right
//! - [`stored`], [`dashboard`], [`plan`]: what is in the history in the end, what is asked of it
//!   meanwhile, what a hub costs
//! - [`stats`], [`report`], [`load_report`]: numbers, and how they are shown

pub mod abuse;
pub mod alerts;
pub mod command;
pub mod compare;
pub mod dashboard;
pub mod faults;
pub mod fleet;
pub mod footprint;
pub mod history;
pub mod hub;
pub mod load_report;
pub mod packet;
pub mod plan;
pub mod program;
pub mod raw;
pub mod report;
pub mod rounds;
pub mod site;
pub mod stats;
pub mod stored;
