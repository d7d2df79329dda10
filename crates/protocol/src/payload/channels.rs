//! Where messages about alerts go.

use serde::{Deserialize, Serialize};

use super::Severity;
use super::weekly::WeeklyHours;
use crate::ids::DeviceId;

/// All channels. What must not be seen (passwords, tokens, addresses that hold one) is not in it:
/// it lies in the hub's secrets under the channel's id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Channels {
    /// Counts the changes: the highest is the newest.
    pub revision: u64,
    /// In the order in which they were made.
    pub channels: Vec<Channel>,
    /// Asked now and then, so that somebody notices when the hub is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<Heartbeat>,
}

/// One way to somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// What tells it from others: `[a-z0-9-]`, 1 to 32 of them.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether anything goes there.
    pub enabled: bool,
    /// What it is.
    #[serde(flatten)]
    pub kind: ChannelKind,
    /// What goes there.
    #[serde(default)]
    pub route: Route,
    /// Counts the changes of its secret, so that who keeps it reads it anew.
    #[serde(default)]
    pub secret_revision: u64,
}

/// What a channel is, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChannelKind {
    /// Mail over SMTP. Secret: `password`.
    Email {
        /// The server's name or address.
        host: String,
        /// Its port.
        port: u16,
        /// How the connection is protected.
        security: SmtpSecurity,
        /// Whom the server knows; none: it asks for no password.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// Who writes.
        from: String,
        /// To whom.
        to: Vec<String>,
    },
    /// A request to a web server. Secret: `url`.
    Webhook {
        /// What is sent.
        format: WebhookFormat,
        /// Of [`WebhookFormat::Telegram`]: which chat.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        chat: Option<String>,
        /// Of [`WebhookFormat::Template`]: the body, with `{title}`, `{text}` and so on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
    },
    /// A topic of an ntfy server (<https://docs.ntfy.sh/publish/>). Secret: `token`.
    Ntfy {
        /// The server, such as `https://ntfy.sh`.
        server: String,
        /// The topic.
        topic: String,
    },
    /// A notification on the hub's own desktop.
    Desktop,
    /// A notification on a person's desktop, by the agent there.
    Agent {
        /// On which devices.
        devices: Vec<DeviceId>,
    },
    /// A kind that this version does not know: nothing goes there.
    #[serde(other)]
    Unknown,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpSecurity {
    /// TLS from the first byte (RFC 8314), usually on port 465.
    Tls,
    /// STARTTLS (RFC 3207), or nothing is sent; usually on port 587.
    StartTls,
    /// None: for a server on the same machine.
    None,
}

/// What a web server is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookFormat {
    /// JSON with everything that is known.
    Json,
    /// Slack, Mattermost and others that take `{"text": …}`.
    Slack,
    /// Discord.
    Discord,
    /// Microsoft Teams, a workflow that takes an adaptive card.
    Teams,
    /// Gotify.
    Gotify,
    /// Telegram.
    Telegram,
    /// A text of the admin's own.
    Template,
}

/// Which messages go to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Nothing that matters less.
    pub least: Severity,
    /// Of the devices in these groups alone. Empty: of all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// In these hours alone. Empty: at any time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<WeeklyHours>,
    /// Whether it is also told that all is well again.
    pub resolved: bool,
}

impl Default for Route {
    fn default() -> Self {
        Self {
            least: Severity::Info,
            groups: Vec::new(),
            hours: Vec::new(),
            resolved: true,
        }
    }
}

/// An address that expects to be asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Whether it is asked.
    pub enabled: bool,
    /// How often, in seconds.
    pub every_secs: u32,
    /// Counts the changes of the address, which is kept with the secrets.
    #[serde(default)]
    pub secret_revision: u64,
}
