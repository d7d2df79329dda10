//! What the log says while there is no connection: each reason once, not once per attempt. An
//! outage of hours is one line, not thousands.

use super::ConnectionError;

/// Remembers what was said last.
#[derive(Debug, Default)]
pub struct Outage {
    said: Option<String>,
}

impl Outage {
    /// The connection stands: the next failure is news again.
    pub fn over(&mut self) {
        self.said = None;
    }

    /// Why the last attempt has failed, or the connection has ended; none while it stands.
    pub fn reason(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// An attempt has failed. Returns what to say, with all causes, unless it was said before.
    pub fn news(&mut self, error: ConnectionError) -> Option<String> {
        let text = format!("{:#}", anyhow::Error::new(error));
        if self.said.as_ref() == Some(&text) {
            return None;
        }
        self.said = Some(text.clone());
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_said_once_per_outage() {
        let mut outage = Outage::default();
        assert!(outage.news(ConnectionError::Stalled).is_some());
        assert!(outage.news(ConnectionError::Stalled).is_none());
        let other = ConnectionError::Dial(crate::mqtt::DialError::NoEndpoint);
        assert!(outage.news(other).is_some());
        assert!(outage.news(ConnectionError::Stalled).is_some());
        outage.over();
        assert!(outage.news(ConnectionError::Stalled).is_some());
    }
}
