//! What the person at this machine is told: whether the hub is there, and what the hub wants them
//! to see. Told to whoever listens on the local socket.

mod schedule;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::payload::Notification;
use netmonitor_service::clock;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::sleep;

use crate::doings::Doings;
use crate::settings::Wanted;
use schedule::{Due, Schedule};

/// Notices that may wait for one who listens: whoever is too slow misses the oldest.
const WAITING: usize = 32;

/// Notifications that are kept for the next one who listens, while nobody does: the oldest goes.
const KEPT: usize = 16;

/// For how long at most.
const KEPT_FOR: Duration = Duration::from_mins(10);

/// One thing to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub(crate) enum Notice {
    /// The hub is reached.
    Connected {
        /// Where.
        hub: String,
    },
    /// The hub is not reached.
    Unreachable {
        /// Since when.
        since: Timestamp,
    },
    /// The hub wants it shown.
    Message(Notification),
    /// A newer agent tells something that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Tells notices to all who listen.
#[derive(Debug)]
pub(crate) struct Notices {
    told: broadcast::Sender<Notice>,
    kept: Mutex<Kept>,
}

/// What is for those who come later.
#[derive(Debug, Default)]
struct Kept {
    /// Whether the hub is there.
    connection: Option<Notice>,
    /// What nobody has heard yet, and until when it is worth hearing.
    messages: VecDeque<(Notification, Instant)>,
}

impl Notices {
    pub(crate) fn new() -> Self {
        Self {
            told: broadcast::Sender::new(WAITING),
            kept: Mutex::default(),
        }
    }

    /// What one who begins to listen is told first, and then.
    pub(crate) fn listen(&self, now: Instant) -> (Vec<Notice>, broadcast::Receiver<Notice>) {
        let mut kept = self.kept();
        let messages = std::mem::take(&mut kept.messages).into_iter();
        let messages = messages
            .filter(|(message, until)| now < *until && is_worth_it(message))
            .map(|(message, _)| Notice::Message(message));
        let first = kept.connection.iter().cloned().chain(messages).collect();
        (first, self.told.subscribe())
    }

    fn tell(&self, notice: Notice, now: Instant) {
        let mut kept = self.kept();
        let nobody_listens = self.told.send(notice.clone()).is_err();
        match notice {
            Notice::Message(message) if nobody_listens => {
                if kept.messages.len() >= KEPT {
                    kept.messages.pop_front();
                }
                kept.messages.push_back((message, now + KEPT_FOR));
            }
            Notice::Message(_) | Notice::Unknown => {}
            connection => kept.connection = Some(connection),
        }
    }

    /// Whoever comes later is told nothing of before.
    fn forget(&self) {
        *self.kept() = Kept::default();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it has not expired.
fn is_worth_it(message: &Notification) -> bool {
    message.expires.is_none_or(|expires| clock::now() < expires)
}

/// Makes notices of what happens, until dropped.
pub(crate) async fn follow(
    doings: Arc<Doings>,
    notices: Arc<Notices>,
    mut wanted: watch::Receiver<Wanted>,
) {
    let mut connection = doings.connection();
    let mut messages = doings.notifications();
    let mut schedule = Schedule::new(Instant::now());
    loop {
        let is_connected = connection.borrow_and_update().address.is_some();
        let now = Instant::now();
        // Switched off and on again, the next one is told whatever was told before.
        if !wanted.borrow_and_update().notifications {
            notices.forget();
            schedule = Schedule::new(now);
            tokio::select! {
                Ok(()) = wanted.changed() => {}
                Ok(()) = connection.changed() => {}
                Ok(_unwanted) = messages.recv() => {}
            }
            continue;
        }
        if let Some(due) = schedule.look(is_connected, now) {
            let it = connection.borrow().clone();
            let notice = match due {
                Due::Connected => Notice::Connected {
                    hub: it.address.unwrap_or_default(),
                },
                Due::Unreachable => Notice::Unreachable { since: it.since },
            };
            notices.tell(notice, now);
        }
        let wait = schedule.next().map(|at| at.saturating_duration_since(now));
        tokio::select! {
            Ok(()) = connection.changed() => {}
            Ok(()) = wanted.changed() => {}
            () = sleep(wait.unwrap_or(Duration::from_hours(1))) => {}
            message = messages.recv() => match message {
                Ok(message) if is_worth_it(&message) => {
                    notices.tell(Notice::Message(message), Instant::now());
                }
                Ok(_unwanted) => {}
                Err(RecvError::Lagged(missed)) => {
                    tracing::warn!(missed, "more notifications than could be shown");
                }
                Err(RecvError::Closed) => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use netmonitor_protocol::payload::Severity;

    fn message(title: &str, expires: Option<Timestamp>) -> Notice {
        Notice::Message(Notification {
            title: title.to_owned(),
            text: String::new(),
            severity: Severity::Info,
            alert: None,
            expires,
        })
    }

    #[test]
    fn whoever_comes_later_hears_whether_the_hub_is_there_and_what_nobody_has_heard() {
        let notices = Notices::new();
        let now = Instant::now();
        let connected = Notice::Connected {
            hub: "pi:8883".to_owned(),
        };
        notices.tell(connected.clone(), now);
        notices.tell(message("expired", Some(Timestamp::UNIX_EPOCH)), now);
        for number in 0..20 {
            notices.tell(message(&number.to_string(), None), now);
        }
        let (first, mut then) = notices.listen(now);
        let expected: Vec<Notice> = std::iter::once(connected.clone())
            .chain((4..20).map(|number| message(&number.to_string(), None)))
            .collect();
        assert_eq!(first, expected);
        notices.tell(message("now", None), now);
        assert_eq!(then.try_recv().unwrap(), message("now", None));
        assert_eq!(notices.listen(now).0, [connected]);
    }
}
