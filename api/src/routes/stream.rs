//! Everything, as it happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, BoxStream, StreamExt as _};
use netmonitor_service::clock;
use poem::web::Data;
use poem::web::sse;
use poem_openapi::OpenApi;
use poem_openapi::payload::EventStream;
use poem_openapi::types::ToJSON as _;
use tokio::sync::broadcast::{self, error::RecvError};

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
    /// The name of each event is the `type` in its data. Whoever reads too slowly is sent
    /// everything anew instead of what was missed.
    #[oai(path = "/stream", method = "get", operation_id = "stream")]
    async fn stream(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
    ) -> EventStream<BoxStream<'static, Live>> {
        let viewer = Viewer::new(app.clone(), &caller.account().name);
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
    app: Arc<App>,
    waiting: VecDeque<Live>,
    changes: broadcast::Receiver<Arc<Live>>,
    account: String,
    logouts: broadcast::Receiver<String>,
}

impl Viewer {
    fn new(app: Arc<App>, account: &str) -> Self {
        let (all, changes) = app.watch(clock::now());
        Self {
            account: account.to_lowercase(),
            logouts: app.logouts(),
            app,
            waiting: all.into(),
            changes,
        }
    }

    /// The next event; none when the hub stops, or when the account has logged out.
    async fn next(&mut self) -> Option<Live> {
        loop {
            if let Some(live) = self.waiting.pop_front() {
                return Some(live);
            }
            let change = tokio::select! {
                () = self.app.shutdown.cancelled() => return None,
                who = self.logouts.recv() => match who {
                    Ok(who) if who != self.account => continue,
                    Ok(_) | Err(_) => return None,
                },
                change = self.changes.recv() => change,
            };
            match change {
                Ok(live) => return Some(Live::clone(&live)),
                Err(RecvError::Closed) => return None,
                Err(RecvError::Lagged(_)) => {
                    self.app.counters.count("viewers_too_slow");
                    let (all, changes) = self.app.watch(clock::now());
                    self.waiting = all.into();
                    self.changes = changes;
                }
            }
        }
    }
}
