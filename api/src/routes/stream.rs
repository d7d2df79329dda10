//! Everything, as it happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use netmonitor_service::{Counters, clock};
use poem::web::Data;
use poem::web::sse;
use poem_openapi::OpenApi;
use poem_openapi::payload::EventStream;
use poem_openapi::types::ToJSON as _;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio_util::sync::CancellationToken;

use super::Tag;
use crate::app::App;
use crate::auth::Caller;
use crate::types::Live;

/// A comment goes out when nothing else did, so that dead connections are noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Live")]
impl Routes {
    /// Server-sent events: first the hub, every device and the newest lines of the log (which
    /// may be stored already), then each change.
    ///
    /// The name of each event is the `type` in its data. The stream ends for whoever reads too
    /// slowly: what was missed shows when it is opened again, and the rest is read again then.
    #[oai(path = "/stream", method = "get", operation_id = "stream")]
    async fn stream(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
    ) -> EventStream<BoxStream<'static, Live>> {
        let viewer = Viewer::new(&app, &caller.account().name);
        let lives = stream::unfold(viewer, |mut viewer| async move {
            let live = viewer.next().await?;
            Some((live, viewer))
        });
        EventStream::new(lives.boxed())
            .to_event(|live| sse::Event::message(live.to_json_string()).event_type(live.name()))
            .keep_alive(KEEP_ALIVE)
    }
}

/// One open stream.
struct Viewer {
    waiting: VecDeque<Live>,
    changes: broadcast::Receiver<Arc<Live>>,
    account: String,
    logouts: broadcast::Receiver<String>,
    shutdown: CancellationToken,
    counters: Counters,
}

impl Viewer {
    fn new(app: &App, account: &str) -> Self {
        let (all, changes) = app.watch(clock::now());
        Self {
            waiting: all.into(),
            changes,
            account: account.to_lowercase(),
            logouts: app.logouts(),
            shutdown: app.shutdown.clone(),
            counters: app.counters.clone(),
        }
    }

    /// The next event; none when the hub stops, when the account has logged out, or when changes
    /// were missed. State could be sent again on the same connection, but a viewer would not
    /// know that samples of the past came meanwhile, nor live ones.
    async fn next(&mut self) -> Option<Live> {
        loop {
            if let Some(live) = self.waiting.pop_front() {
                return Some(live);
            }
            let change = tokio::select! {
                () = self.shutdown.cancelled() => return None,
                who = self.logouts.recv() => match who {
                    Ok(who) if who != self.account => continue,
                    Ok(_) | Err(_) => return None,
                },
                change = self.changes.recv() => change,
            };
            return match change {
                Ok(live) => Some(Live::clone(&live)),
                Err(RecvError::Closed) => None,
                Err(RecvError::Lagged(_)) => {
                    self.counters.count("viewers_too_slow");
                    None
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::LiveRemoved;

    #[tokio::test]
    async fn the_stream_of_a_viewer_that_missed_something_ends() {
        let (sender, changes) = broadcast::channel(2);
        let (_logout, logouts) = broadcast::channel(1);
        let removed = |id: &str| Live::Removed(LiveRemoved { id: id.to_owned() });
        let counters = Counters::default();
        let mut viewer = Viewer {
            waiting: [removed("first")].into(),
            changes,
            account: "ada".to_owned(),
            logouts,
            shutdown: CancellationToken::new(),
            counters: counters.clone(),
        };
        for id in ["second", "third"] {
            sender.send(Arc::new(removed(id))).unwrap();
        }
        for expected in ["first", "second"] {
            let next = viewer.next().await;
            assert!(
                matches!(&next, Some(Live::Removed(it)) if it.id == expected),
                "{next:?}"
            );
        }
        for id in ["fourth", "fifth"] {
            sender.send(Arc::new(removed(id))).unwrap();
        }
        let next = viewer.next().await;
        assert!(next.is_none(), "{next:?}");
        assert_eq!(counters.snapshot().get("viewers_too_slow"), Some(&1));
    }
}
