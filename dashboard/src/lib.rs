//! The web UI, embedded: what a browser gets from the hub.
//!
//! The files are built from `web/` by `build/main.rs`. This crate only hands them out with what
//! an HTTP server must know about them; the `api` crate does the HTTP.

mod asset;

pub use asset::{Asset, asset, index};
