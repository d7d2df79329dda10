//! One router of rumqttd: a thread of its own, and the way to it.

use std::sync::{Arc, mpsc};
use std::thread;

use rumqttd::local::{LinkBuilder, LinkRx, LinkTx};
use rumqttd::{RouterConfig, SegmentConfig};

use super::{ANSWER, RouteError, spelling};
use crate::config::Config;

/// Messages that the router hands to a link at a time; it stops at about 200 unread ones.
const BATCH: u64 = 32;
/// Pieces in which a log forgets.
const SEGMENTS: usize = 8;
/// The log of one device's topic, in two pieces. Beside it, 200 messages are on their way.
const NARROW_BYTES: usize = 8 * 1024;
/// What the names of routers' threads begin with: rumqttd chooses it.
pub(super) const THREAD: &str = "router-";

/// Holds the way to the router's thread, whose type cannot be named.
type Connect = dyn Fn(&str) -> Result<(LinkTx, LinkRx), RouteError> + Send + Sync;

/// The way to one router. Its thread ends when its [`Publisher`](super::publisher::Publisher)
/// is dropped.
pub(super) struct Core {
    connect: Box<Connect>,
    /// Counts the routers of this broker.
    pub(super) generation: u64,
}

impl Core {
    pub(super) fn start(config: &Config, generation: u64) -> Self {
        let segments = |bytes: usize, count: usize| SegmentConfig {
            max_segment_size: (bytes / count).max(1024),
            max_segment_count: count,
        };
        let wide = segments(config.backlog_bytes, SEGMENTS);
        let classes = [
            (spelling::narrow_pattern(), segments(NARROW_BYTES, 2)),
            (
                spelling::foreign_pattern(),
                segments(config.backlog_foreign_bytes, SEGMENTS),
            ),
        ];
        let sender = rumqttd::Router::new(
            usize::try_from(generation).unwrap_or_default(),
            RouterConfig {
                max_connections: config.links_max(),
                max_outgoing_packet_count: BATCH,
                max_segment_size: wide.max_segment_size,
                max_segment_count: wide.max_segment_count,
                custom_segment: Some(classes.into()),
                ..RouterConfig::default()
            },
        )
        .spawn();
        Self {
            connect: Box::new(move |name| {
                let (tx, rx, _) = LinkBuilder::new(name, sender.clone())
                    .clean_session(true)
                    .build()
                    .map_err(|_| RouteError::Dead)?;
                // It comes with room for 200 packets; a subscriber sends a few in its life.
                tx.buffer().shrink_to_fit();
                Ok((tx, rx))
            }),
            generation,
        }
    }

    /// A new link. Blocks for the moment that the router takes to answer, and for ever if it
    /// hangs.
    pub(super) fn connect(&self, name: &str) -> Result<(LinkTx, LinkRx), RouteError> {
        (self.connect)(name)
    }

    /// The same with a limit, at the price of a thread.
    pub(super) fn connect_in_time(
        self: &Arc<Self>,
        name: String,
    ) -> Result<(LinkTx, LinkRx), RouteError> {
        // One answer, and nobody minds if it comes too late.
        let (answer, answered) = mpsc::sync_channel(1);
        let core = self.clone();
        thread::Builder::new()
            .name("router-link".to_owned())
            .spawn(move || drop(answer.send(core.connect(&name))))
            .map_err(|_| RouteError::Dead)?;
        answered
            .recv_timeout(ANSWER)
            .map_err(|_| RouteError::Dead)?
    }
}
