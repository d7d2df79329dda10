//! Alerting as others meet it: a real mail server, web server, broker and desktop.
//!
//! Tests in modules named `with_...` need that program installed and fail without it; the others need
//! nothing.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod apart;
mod authority;
mod heartbeat;
mod receiver;
mod site;
mod web;
#[cfg(unix)]
mod with_desktop;
mod with_mosquitto;
mod with_smtp;
