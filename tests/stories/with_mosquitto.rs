//! Stories in which Debian's MQTT clients take part.

mod others;
mod presence;
mod readers;
mod revocation;
mod trespass;
