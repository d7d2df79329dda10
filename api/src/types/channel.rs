//! Channels: where messages about alerts go.

use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload as wire;
use poem_openapi::types::MaybeUndefined;
use poem_openapi::{Enum, Object};

use super::{Severity, WeeklyHours};
use crate::settings::secrets::Known;

/// What a channel is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum ChannelKind {
    /// Mail over SMTP. Secret: `password`.
    Email,
    /// A request to a web server. Secret: `url`.
    Webhook,
    /// A topic of an ntfy server. Secret: `token`.
    Ntfy,
    /// A notification on the hub's own desktop.
    Desktop,
    /// A notification on a person's desktop, by the agent there.
    Agent,
    /// Something that this hub does not know: nothing goes there.
    Unknown,
}

/// How a connection to a mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS from the first byte, usually on port 465.
    Tls,
    /// STARTTLS, or nothing is sent; usually on port 587.
    StartTls,
    /// None: for a server on the same machine.
    None,
}

/// What has come of a test of a channel.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(example)]
pub struct ChannelAnswer {
    /// Whether the message got there.
    pub sent: bool,
    /// What the other side has answered, or what is wrong and what to do.
    pub answer: String,
}

impl poem_openapi::types::Example for ChannelAnswer {
    fn example() -> Self {
        Self {
            sent: true,
            answer: "250 2.0.0 Ok: queued".to_owned(),
        }
    }
}

/// What a web server is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// JSON with everything that is known.
    Json,
    /// Slack, Mattermost and others that take `{"text": …}`.
    Slack,
    /// Discord.
    Discord,
    /// Microsoft Teams.
    Teams,
    /// Gotify.
    Gotify,
    /// Telegram; needs `chat`.
    Telegram,
    /// A text of one's own; needs `template`.
    Template,
}

/// Which messages go to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct ChannelRoute {
    /// Nothing that matters less. `info` if absent.
    #[oai(default = "info")]
    pub least: Severity,
    /// Of the devices in these groups alone. Empty or absent: of all.
    #[oai(default)]
    pub groups: Vec<String>,
    /// In these hours alone. Empty or absent: at any time.
    #[oai(default)]
    pub hours: Vec<WeeklyHours>,
    /// Whether it is also told that all is well again. Yes if absent.
    #[oai(default = "yes")]
    pub resolved: bool,
}

fn info() -> Severity {
    Severity::Info
}

fn yes() -> bool {
    true
}

/// One way to somebody. What its kind has no use for is absent. Secrets are never told.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Channel {
    /// What tells it from others.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether anything goes there.
    pub enabled: bool,
    /// What it is.
    pub kind: ChannelKind,
    /// Of a mail: the server's name or address.
    #[oai(skip_serializing_if_is_none)]
    pub host: Option<String>,
    /// Of a mail: the server's port.
    #[oai(skip_serializing_if_is_none)]
    pub port: Option<u16>,
    /// Of a mail: how the connection is protected.
    #[oai(skip_serializing_if_is_none)]
    pub security: Option<MailSecurity>,
    /// Of a mail: whom the server knows.
    #[oai(skip_serializing_if_is_none)]
    pub user: Option<String>,
    /// Of a mail: who writes.
    #[oai(skip_serializing_if_is_none)]
    pub from: Option<String>,
    /// Of a mail: to whom.
    #[oai(skip_serializing_if_is_none)]
    pub to: Option<Vec<String>>,
    /// Of a webhook: what is sent.
    #[oai(skip_serializing_if_is_none)]
    pub format: Option<WebhookFormat>,
    /// Of a webhook for Telegram: which chat.
    #[oai(skip_serializing_if_is_none)]
    pub chat: Option<String>,
    /// Of a webhook with a text of one's own: the text, with `{title}`, `{text}` and so on.
    #[oai(skip_serializing_if_is_none)]
    pub template: Option<String>,
    /// Of ntfy: the server, e.g. `https://ntfy.sh`.
    #[oai(skip_serializing_if_is_none)]
    pub server: Option<String>,
    /// Of ntfy: the topic.
    #[oai(skip_serializing_if_is_none)]
    pub topic: Option<String>,
    /// Of notifications by agents: ids of the devices.
    #[oai(skip_serializing_if_is_none)]
    pub devices: Option<Vec<String>>,
    /// What goes there.
    pub route: ChannelRoute,
    /// Whether there is a password, an address or a token.
    pub has_secret: bool,
    /// Of a webhook: the server to which its secret address leads.
    #[oai(skip_serializing_if_is_none)]
    pub url_host: Option<String>,
}

/// A list of channels.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct ChannelPage {
    /// In the order in which they were made.
    pub items: Vec<Channel>,
    /// Where the next page begins; null on the last one.
    pub next: Option<String>,
}

/// A channel to be made, or what shall be different of one. What is absent stays as it is. Fields that
/// the kind of channel has no use for are refused.
#[derive(Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct ChannelChange {
    /// Of a new one: what tells it from others, 1 to 32 of `a-z`, `0-9` and `-`. Made from the name
    /// if absent.
    #[oai(skip_serializing_if_is_none)]
    pub id: Option<String>,
    /// Of a new one: what it is. It stays.
    #[oai(skip_serializing_if_is_none)]
    pub kind: Option<ChannelKind>,
    /// What people call it: 1 to 64 characters. A new one needs it.
    #[oai(skip_serializing_if_is_none)]
    pub name: Option<String>,
    /// Whether anything goes there. A new one: yes if absent.
    #[oai(skip_serializing_if_is_none)]
    pub enabled: Option<bool>,
    /// Of a mail: the server's name or address.
    #[oai(skip_serializing_if_is_none)]
    pub host: Option<String>,
    /// Of a mail: the server's port. A new one: 587 if absent.
    #[oai(skip_serializing_if_is_none)]
    pub port: Option<u16>,
    /// Of a mail: how the connection is protected. A new one: `start_tls` if absent.
    #[oai(skip_serializing_if_is_none)]
    pub security: Option<MailSecurity>,
    /// Of a mail: whom the server knows; null: it asks for no password.
    pub user: MaybeUndefined<String>,
    /// Of a mail: who writes.
    #[oai(skip_serializing_if_is_none)]
    pub from: Option<String>,
    /// Of a mail: to whom, 1 to 20 addresses.
    #[oai(skip_serializing_if_is_none)]
    pub to: Option<Vec<String>>,
    /// Of a webhook: what is sent. A new one: `json` if absent.
    #[oai(skip_serializing_if_is_none)]
    pub format: Option<WebhookFormat>,
    /// Of a webhook for Telegram: which chat.
    pub chat: MaybeUndefined<String>,
    /// Of a webhook with a text of one's own: the text, with `{title}`, `{text}` and so on.
    pub template: MaybeUndefined<String>,
    /// Of ntfy: the server. A new one: `https://ntfy.sh` if absent.
    #[oai(skip_serializing_if_is_none)]
    pub server: Option<String>,
    /// Of ntfy: the topic.
    #[oai(skip_serializing_if_is_none)]
    pub topic: Option<String>,
    /// Of notifications by agents: ids of the devices.
    #[oai(skip_serializing_if_is_none)]
    pub devices: Option<Vec<String>>,
    /// What goes there, all of it.
    #[oai(skip_serializing_if_is_none)]
    pub route: Option<ChannelRoute>,
    /// Of a mail: the password of `user`. Never told; null removes it.
    #[oai(write_only)]
    pub password: MaybeUndefined<String>,
    /// Of a webhook: the address, which holds a secret. Never told. A new one needs it.
    #[oai(write_only)]
    pub url: MaybeUndefined<String>,
    /// Of ntfy: the access token. Never told; null removes it.
    #[oai(write_only)]
    pub token: MaybeUndefined<String>,
}

/// The heartbeat: an address that is asked now and then, so that somebody notices when the hub is
/// gone.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Heartbeat {
    /// Whether it is asked.
    pub enabled: bool,
    /// How often, in seconds.
    pub every_secs: u32,
    /// Whether there is an address.
    pub has_secret: bool,
    /// The server to which its secret address leads.
    #[oai(skip_serializing_if_is_none)]
    pub url_host: Option<String>,
}

/// What shall be different of the heartbeat. What is absent stays as it is.
#[derive(Clone, Default, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct HeartbeatChange {
    /// Whether it is asked.
    #[oai(skip_serializing_if_is_none)]
    pub enabled: Option<bool>,
    /// How often, in seconds: 10 to 86400.
    #[oai(skip_serializing_if_is_none)]
    pub every_secs: Option<u32>,
    /// The address, which may hold a secret. Never told; null removes it.
    #[oai(write_only)]
    pub url: MaybeUndefined<String>,
}

impl Channel {
    /// The channel as it is stored, and what may be told of its secret.
    pub(crate) fn new(stored: &wire::Channel, known: Known) -> Self {
        let mut shown = Self::blank(stored, known);
        match &stored.kind {
            wire::ChannelKind::Email {
                host,
                port,
                security,
                user,
                from,
                to,
            } => {
                shown.kind = ChannelKind::Email;
                shown.host = Some(host.clone());
                shown.port = Some(*port);
                shown.security = Some((*security).into());
                shown.user.clone_from(user);
                shown.from = Some(from.clone());
                shown.to = Some(to.clone());
            }
            wire::ChannelKind::Webhook {
                format,
                chat,
                template,
            } => {
                shown.kind = ChannelKind::Webhook;
                shown.format = Some((*format).into());
                shown.chat.clone_from(chat);
                shown.template.clone_from(template);
            }
            wire::ChannelKind::Ntfy { server, topic } => {
                shown.kind = ChannelKind::Ntfy;
                shown.server = Some(server.clone());
                shown.topic = Some(topic.clone());
            }
            wire::ChannelKind::Desktop => shown.kind = ChannelKind::Desktop,
            wire::ChannelKind::Agent { devices } => {
                shown.kind = ChannelKind::Agent;
                shown.devices = Some(devices.iter().map(DeviceId::to_string).collect());
            }
            wire::ChannelKind::Unknown => {}
        }
        shown
    }

    fn blank(stored: &wire::Channel, known: Known) -> Self {
        Self {
            id: stored.id.clone(),
            name: stored.name.clone(),
            enabled: stored.enabled,
            kind: ChannelKind::Unknown,
            host: None,
            port: None,
            security: None,
            user: None,
            from: None,
            to: None,
            format: None,
            chat: None,
            template: None,
            server: None,
            topic: None,
            devices: None,
            route: (&stored.route).into(),
            has_secret: known.has_secret,
            url_host: known.url_host,
        }
    }
}

impl Heartbeat {
    /// The heartbeat as it is stored, and what may be told of its address.
    pub(crate) fn new(stored: &wire::Heartbeat, known: Known) -> Self {
        Self {
            enabled: stored.enabled,
            every_secs: stored.every_secs,
            has_secret: known.has_secret,
            url_host: known.url_host,
        }
    }
}

impl From<&wire::Route> for ChannelRoute {
    fn from(route: &wire::Route) -> Self {
        Self {
            least: route.least.into(),
            groups: route.groups.clone(),
            hours: route.hours.iter().map(Into::into).collect(),
            resolved: route.resolved,
        }
    }
}

impl From<wire::SmtpSecurity> for MailSecurity {
    fn from(security: wire::SmtpSecurity) -> Self {
        match security {
            wire::SmtpSecurity::Tls => Self::Tls,
            wire::SmtpSecurity::StartTls => Self::StartTls,
            wire::SmtpSecurity::None => Self::None,
        }
    }
}

impl From<MailSecurity> for wire::SmtpSecurity {
    fn from(security: MailSecurity) -> Self {
        match security {
            MailSecurity::Tls => Self::Tls,
            MailSecurity::StartTls => Self::StartTls,
            MailSecurity::None => Self::None,
        }
    }
}

impl From<wire::WebhookFormat> for WebhookFormat {
    fn from(format: wire::WebhookFormat) -> Self {
        match format {
            wire::WebhookFormat::Json => Self::Json,
            wire::WebhookFormat::Slack => Self::Slack,
            wire::WebhookFormat::Discord => Self::Discord,
            wire::WebhookFormat::Teams => Self::Teams,
            wire::WebhookFormat::Gotify => Self::Gotify,
            wire::WebhookFormat::Telegram => Self::Telegram,
            wire::WebhookFormat::Template => Self::Template,
        }
    }
}

impl From<WebhookFormat> for wire::WebhookFormat {
    fn from(format: WebhookFormat) -> Self {
        match format {
            WebhookFormat::Json => Self::Json,
            WebhookFormat::Slack => Self::Slack,
            WebhookFormat::Discord => Self::Discord,
            WebhookFormat::Teams => Self::Teams,
            WebhookFormat::Gotify => Self::Gotify,
            WebhookFormat::Telegram => Self::Telegram,
            WebhookFormat::Template => Self::Template,
        }
    }
}
