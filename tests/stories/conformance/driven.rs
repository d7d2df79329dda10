//! rumqttc as a client, whichever version: its event loop on a thread, and what that said.

use std::collections::VecDeque;
use std::ops::ControlFlow::{self, Continue};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use netmonitor_testkit::eventually;

use super::client::Message;
use crate::support::DEADLINE;

/// Longest packet; its own limit is 10 KiB.
pub(super) const PACKET_MAX_BYTES: u32 = 1024 * 1024;

/// How often the loop looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// What an event says to the cases.
pub(super) enum Said {
    /// CONNACK, with whether there was a session.
    Connected(bool),
    /// CONNACK with a reason to go.
    Refused(u8),
    /// Whatever was asked for is done, or refused for this reason.
    Answered(u8),
    Message(Message),
}

/// The event loop of one connection.
pub(super) struct Driven {
    said: Receiver<Said>,
    inbox: VecDeque<Message>,
    cut: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Driven {
    /// Runs the loop until it ends or is cut. `event` waits for the next one, no longer than it
    /// is told; it says nothing of those that mean nothing here, and ends with the connection:
    /// the library would open another.
    pub(super) fn start(
        mut event: impl FnMut(Duration) -> ControlFlow<(), Option<Said>> + Send + 'static,
    ) -> Self {
        let (sender, said) = channel();
        let cut = Arc::new(AtomicBool::new(false));
        let is_cut = cut.clone();
        let thread = std::thread::spawn(move || {
            // An attempt to connect would start anew.
            let mut patience = DEADLINE;
            while !is_cut.load(Ordering::Relaxed) {
                let Continue(event) = event(patience) else {
                    return;
                };
                if let Some(said) = event {
                    patience = LOOK;
                    let refused = matches!(said, Said::Refused(_));
                    // Nobody listens any more once a case has failed.
                    let _late = sender.send(said);
                    if refused {
                        return;
                    }
                }
            }
        });
        Self {
            said,
            inbox: VecDeque::new(),
            cut,
            thread,
        }
    }

    /// Whether there was a session, or why it is not let in.
    pub(super) fn connected(&mut self) -> Result<bool, u8> {
        match self.said.recv_timeout(DEADLINE).expect("CONNACK") {
            Said::Connected(session_present) => Ok(session_present),
            Said::Refused(reason) => Err(reason),
            Said::Answered(_) | Said::Message(_) => panic!("something came before CONNACK"),
        }
    }

    /// Waits for the answer to what was asked.
    pub(super) fn answer(&mut self) -> u8 {
        loop {
            match self.said.recv_timeout(DEADLINE).expect("an answer") {
                Said::Answered(reason) => return reason,
                Said::Message(message) => self.inbox.push_back(message),
                Said::Connected(_) | Said::Refused(_) => panic!("a second CONNACK"),
            }
        }
    }

    pub(super) fn next(&mut self) -> Message {
        if let Some(message) = self.inbox.pop_front() {
            return message;
        }
        match self.said.recv_timeout(DEADLINE).expect("a message") {
            Said::Message(message) => message,
            _ => panic!("an answer to no question"),
        }
    }

    pub(super) fn arrived(&mut self) -> Vec<Message> {
        for said in self.said.try_iter() {
            if let Said::Message(message) = said {
                self.inbox.push_back(message);
            }
        }
        self.inbox.drain(..).collect()
    }

    /// Ends the loop, and with it the connection, without DISCONNECT.
    pub(super) fn cut(self) {
        self.cut.store(true, Ordering::Relaxed);
        self.ended();
    }

    /// Waits until the loop has ended, and with it the connection.
    pub(super) fn ended(self) {
        eventually("the end of the connection", DEADLINE, || {
            self.thread.is_finished()
        });
    }
}
