//! What is changed, and what the log says of it: over a real broker, Debian's mosquitto.

mod account;
mod log;
mod tokens;
mod users;
