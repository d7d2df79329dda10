//! REST API, live stream and login; serves the dashboard; the only writer of `hub.db`.
//!
//! - [`admin`]: administrative commands, from the command line or from the API
//! - [`control`]: the socket on which the command line reaches the running hub
//! - [`follow`]: what arrives over MQTT goes where it belongs
//! - [`fleet`]: what is known of all devices now, folded from MQTT
//! - [`intake`], [`recent`], [`filled`]: what becomes of samples until they are stored
//! - [`join`]: new machines are enrolled
//! - [`agents`]: programs for machines that have none yet
//! - [`preview`]: what a rule would have done
//! - [`routes`], [`types`], [`problem`], [`auth`]: the REST API
//! - [`web`], [`web_certificate`]: the dashboard's files, and the certificate for browsers
//! - [`events_csv`]: the log for spreadsheets
//! - [`server`], [`unread_body`], [`allow`]: listeners, and what is put round every request
//! - [`app`]: what the parts share
//! - [`settings`]: from an admin to the other services
//! - [`reach`], [`addresses`]: under which addresses others reach the hub
//! - [`config`], [`limiter`]: small parts

pub mod addresses;
pub mod admin;
mod agents;
mod allow;
mod app;
mod auth;
pub mod config;
pub mod control;
mod document;
mod events_csv;
mod filled;
pub mod fleet;
mod follow;
mod intake;
mod join;
mod limiter;
mod preview;
mod problem;
mod prometheus;
pub mod reach;
mod recent;
mod routes;
mod server;
mod service;
mod settings;
pub mod types;
mod unread_body;
mod web;
mod web_certificate;

pub use config::Config;
pub use document::openapi_json;
pub use service::Api;
