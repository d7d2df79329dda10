//! Stories in which Debian's MQTT clients or broker take part.

mod alert_settings;
mod conclusions;
mod filled;
mod in_place_of_the_broker;
mod joining;
mod others;
mod presence;
mod processes;
mod readers;
mod retained;
mod revocation;
mod sessions;
mod settings;
mod trespass;
