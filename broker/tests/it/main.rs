//! The broker as its clients see it: real sockets, real clients, port 0.

mod abuse;
mod access;
mod clients;
mod delivery;
mod presence;
mod protocol;
mod retained;
mod support;
