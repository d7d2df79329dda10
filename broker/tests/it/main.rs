//! The broker as its clients see it: real sockets, real clients, port 0.
//!
//! Stories in modules named `with_...` need that program installed and fail without it; the
//! others need nothing.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod abuse;
mod access;
mod backlog;
mod clients;
mod delivery;
mod limits;
mod presence;
mod protocol;
mod retained;
mod retained_on_disk;
mod roles;
mod router;
mod service;
mod sessions;
mod shares;
mod support;
mod sys;
mod websocket;
mod with_full_disk;
mod with_mosquitto;
