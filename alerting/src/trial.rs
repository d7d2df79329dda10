//! Whether a channel works, for somebody who wants to see it.

use std::sync::Arc;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{ChannelTest, ChannelTested};
use netmonitor_rules::alert::Notice;
use netmonitor_service::{DataDir, clock};

use crate::channels::{Courier, SendError, TIMEOUT};
use crate::heartbeat;
use crate::outbox::Outbox;
use crate::policy::Policy;

/// Tries that may be under way; more are refused.
pub(crate) const AT_ONCE: usize = 8;

/// What is needed to try a channel.
#[derive(Debug, Clone)]
pub(crate) struct Trial {
    pub(crate) courier: Arc<Courier>,
    pub(crate) data_dir: DataDir,
    pub(crate) outbox: Outbox,
}

impl Trial {
    /// Sends a test, and says what was answered. `policy`: as it was when the test was asked for.
    pub(crate) async fn run(self, test: ChannelTest, policy: Policy) {
        let sent = match &test.channel {
            None => heartbeat::beat(&self.data_dir, TIMEOUT).await,
            Some(id) => self.send(id, &policy).await,
        };
        self.answer(test.id, sent);
    }

    async fn send(&self, id: &str, policy: &Policy) -> Result<String, SendError> {
        let Some(channel) = policy.channel(id) else {
            let text = format!("there is no channel {id:?} (any more)");
            return Err(SendError::permanent(text));
        };
        let notice = Notice::test(clock::now());
        let words = policy.words(&notice);
        self.courier.send(channel, &notice, &words).await
    }

    /// Too many are under way.
    pub(crate) fn refuse(&self, test: ChannelTest) {
        let why = "too many channels are being tried: wait until they have answered";
        self.answer(test.id, Err(SendError::passing(why)));
    }

    fn answer(&self, id: String, sent: Result<String, SendError>) {
        let is_sent = sent.is_ok();
        let answer = sent.unwrap_or_else(|error| error.text);
        let tested = ChannelTested {
            id,
            is_sent,
            answer,
        };
        self.outbox.send(Message::ChannelTested(tested));
    }
}
