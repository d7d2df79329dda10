//! How a message gets to somebody: by mail, to a web server, to ntfy, on a desktop.

mod agent;
mod card;
mod desktop;
mod email;
mod ntfy;
mod template;
mod webhook;

use std::time::Duration;

use netmonitor_protocol::payload::{Channel, ChannelKind};
use netmonitor_rules::alert::{Notice, NoticeKind};
use netmonitor_service::DataDir;
use netmonitor_service::channel_secrets::{ChannelSecret, SecretOf};
use netmonitor_service::mqtt::Publisher;

use crate::words::Words;
use desktop::Desktop;

/// How long the other side may take for everything.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// Why a message did not get there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SendError {
    /// The same message fails again, until somebody changes a setting.
    pub is_permanent: bool,
    /// What is wrong and what to do, for an admin. No secret is in it.
    pub text: String,
}

impl SendError {
    pub(crate) fn permanent(text: impl Into<String>) -> Self {
        Self {
            is_permanent: true,
            text: text.into(),
        }
    }

    pub(crate) fn passing(text: impl Into<String>) -> Self {
        Self {
            is_permanent: false,
            text: text.into(),
        }
    }
}

/// Brings messages to channels. It remembers nothing of a message: who sends it again, sends it
/// again, under the same id.
#[derive(Debug)]
pub struct Courier {
    data_dir: DataDir,
    publisher: Publisher,
    desktop: Desktop,
    timeout: Duration,
}

impl Courier {
    /// Reads the secrets of channels in the data directory whenever it needs one; reaches agents
    /// with the publisher.
    pub fn new(data_dir: DataDir, publisher: Publisher) -> Self {
        Self {
            data_dir,
            publisher,
            desktop: Desktop::default(),
            timeout: TIMEOUT,
        }
    }

    /// With another patience than [`TIMEOUT`].
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sends one message to one channel, and returns in short what the other side has answered.
    ///
    /// It may be called for several channels at once, and may be dropped at any time: then nobody
    /// knows whether the message has arrived.
    pub async fn send(
        &self,
        channel: &Channel,
        notice: &Notice,
        words: &Words,
    ) -> Result<String, SendError> {
        let secret = ChannelSecret::read(&self.data_dir, SecretOf::Channel(&channel.id)).map_err(
            |error| {
                SendError::passing(format!("the secret of the channel cannot be read: {error}"))
            },
        )?;
        let sent = self.send_by_kind(&channel.kind, &secret, notice, words);
        let in_time = tokio::time::timeout(self.timeout, sent).await;
        in_time.unwrap_or_else(|_| Err(no_answer(self.timeout)))
    }

    async fn send_by_kind(
        &self,
        kind: &ChannelKind,
        secret: &ChannelSecret,
        notice: &Notice,
        words: &Words,
    ) -> Result<String, SendError> {
        match kind {
            ChannelKind::Email {
                host,
                port,
                security,
                user,
                from,
                to,
            } => {
                let server = email::Server {
                    host,
                    port: *port,
                    security: *security,
                    user: user.as_deref(),
                    password: secret.password.as_ref(),
                };
                email::send(&server, from, to, notice, words).await
            }
            ChannelKind::Webhook {
                format,
                chat,
                template,
            } => {
                let settings = webhook::Settings {
                    format: *format,
                    chat: chat.as_deref(),
                    template: template.as_deref(),
                };
                webhook::send(&settings, secret, notice, words).await
            }
            ChannelKind::Ntfy { server, topic } => {
                ntfy::send(server, topic, secret, notice, words).await
            }
            ChannelKind::Desktop => self.desktop.show(notice, words).await,
            ChannelKind::Agent { devices } => {
                agent::send(&self.publisher, devices, notice, words).await
            }
            ChannelKind::Unknown => Err(SendError::permanent(
                "this version of NetMonitor does not know this kind of channel",
            )),
        }
    }
}

pub(crate) fn no_answer(timeout: Duration) -> SendError {
    let secs = timeout.as_secs_f32();
    SendError::passing(format!("no answer within {secs} s"))
}

/// What the message is about, the same for the begin and the end of a trouble: the newer takes the
/// place of the older where there is only one place.
fn about(notice: &Notice) -> String {
    match notice.alerts.as_slice() {
        [] => notice.id.clone(),
        [told] => format!("{}/{}", told.subject, told.rule),
        [first, others @ ..] => format!("{}/{}+{}", first.subject, first.rule, others.len()),
    }
}

/// Title, text and link, each below the other, as far as there is room.
fn below_each_other(words: &Words, most: usize) -> String {
    let Words { title, text, link } = words;
    let link = link.as_ref().map(|link| format!("\n{link}"));
    let link = link.unwrap_or_default();
    // A link that is cut leads nowhere.
    let room = most.saturating_sub(link.chars().count());
    let text = crate::words::shortened(&format!("{title}\n{text}"), room);
    format!("{text}{link}")
}

/// Whether somebody should be woken for it: not for what is over.
fn is_urgent(notice: &Notice) -> bool {
    matches!(notice.kind, NoticeKind::Firing | NoticeKind::Reminder)
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::Severity;
    use netmonitor_protocol::{Rule, RuleKind};
    use netmonitor_rules::alert::Told;

    use super::*;

    pub(super) fn told(device: &str) -> Told {
        Told {
            subject: device.parse().unwrap(),
            name: String::new(),
            groups: Vec::new(),
            rule: Rule::of(RuleKind::Cpu),
            severity: Severity::Critical,
            since: "2026-11-30T11:04:12Z".parse().unwrap(),
            value: Some(96.5),
            limit: Some(90.0),
            detail: None,
            behind: Vec::new(),
            channels: None,
        }
    }

    pub(super) fn notice(kind: NoticeKind, alerts: Vec<Told>) -> Notice {
        Notice {
            id: "ws-14/service-getty@tty1.service/1".to_owned(),
            kind,
            time: "2026-11-30T11:09:12Z".parse().unwrap(),
            severity: Severity::Critical,
            alerts,
        }
    }

    pub(super) fn words() -> Words {
        Words {
            title: "title".to_owned(),
            text: "text".to_owned(),
            link: Some("http://hub/devices/ws-14".to_owned()),
        }
    }
}
