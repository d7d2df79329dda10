//! Whole-system stories: the programs as their users start them, real sockets, real files.
//!
//! Each story starts what it needs, with every listener on port 0 of loopback and its data in a
//! folder of its own, so that all of them run side by side. Stories in modules named
//! `with_mosquitto` need Debian's mosquitto-clients, those in `with_faketime` Debian's faketime,
//! those in `with_namespaces` root and iproute2 as well, those in `with_mounts` root, those in
//! `with_fuse` root and `/dev/fuse`, in `with_systemd` root, systemd and curl, in `with_smtp`
//! python3-aiosmtpd, in `with_desktop` dunst, dbus-daemon and Xvfb, in `with_prometheus` prometheus, `install` curl, `alerts` Python,
//! and fail without them; the others need nothing.

#![expect(
    clippy::unwrap_used,
    reason = "tests may unwrap, and so may what they call"
)]

mod support;

mod accounts;
mod administration;
mod alerts;
mod api_document;
mod backup;
mod conformance;
mod event_log;
mod faults_at_start;
mod first_start;
mod install;
mod joining;
mod no_gaps;
mod restart;
mod revocation;
mod services_apart;
mod with_desktop;
mod with_faketime;
mod with_fuse;
mod with_mosquitto;
mod with_mounts;
mod with_namespaces;
mod with_prometheus;
mod with_smtp;
mod with_systemd;
