//! What becomes of a channel by a change that somebody asks for.

use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload as wire;
use netmonitor_service::Secret;
use netmonitor_store::hub::SettingsError;
use poem_openapi::types::MaybeUndefined;

use super::channel::{ChannelChange, ChannelKind, ChannelRoute, HeartbeatChange};
use super::hours::stored_hours;
use crate::settings::secrets::{Change, Changes};

/// Where an account of ntfy is, if it is not said.
const NTFY: &str = "https://ntfy.sh";

/// Where mail is handed in, if it is not said (RFC 6409).
const SUBMISSION_PORT: u16 = 587;

/// How often the heartbeat is sent, if it is not said, in seconds.
const HEARTBEAT_SECS: u32 = 60;

/// Addresses of this name are the heartbeat's.
const RESERVED: &str = "heartbeat";

/// Longest id that is made from a name; what follows makes it one of its own.
const MAX_STEM: usize = 28;

/// Longest secret, in bytes.
const MAX_SECRET: usize = 4096;

fn refuse<T>(text: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError::Value(text.into()))
}

impl ChannelChange {
    /// A new channel, beside those that there are.
    pub fn make(mut self, others: &[wire::Channel]) -> Result<wire::Channel, SettingsError> {
        let Some(kind) = self.kind.take() else {
            return refuse("kind is missing: what is the channel?");
        };
        let Some(name) = self.name.clone() else {
            return refuse("name is missing: what do people call the channel?");
        };
        let is_taken = |id: &str| id == RESERVED || others.iter().any(|it| it.id == id);
        let id = match self.id.take() {
            Some(id) if is_taken(&id) => {
                return refuse(format!("the id {id:?} is taken: choose another"));
            }
            Some(id) => id,
            None => free_id(&name, is_taken),
        };
        if kind == ChannelKind::Webhook && !self.url.is_value() {
            return refuse("url is missing: where does the request go?");
        }
        let mut channel = wire::Channel {
            id,
            name,
            enabled: true,
            kind: blank(kind),
            route: wire::Route::default(),
            secret_revision: 0,
        };
        self.apply(&mut channel)?;
        Ok(channel)
    }

    /// Makes the change.
    pub fn apply(self, channel: &mut wire::Channel) -> Result<(), SettingsError> {
        if self.id.as_ref().is_some_and(|id| *id != channel.id) {
            return refuse("the id of a channel stays: remove it and make another");
        }
        if self.kind.is_some_and(|kind| kind != kind_of(&channel.kind)) {
            return refuse("the kind of a channel stays: remove it and make another");
        }
        self.check_fields(&channel.kind)?;
        let secrets = self.secrets()?;
        if secrets.is_change() {
            channel.secret_revision += 1;
        }
        if let Some(route) = &self.route {
            channel.route = route.stored()?;
        }
        channel.enabled = self.enabled.unwrap_or(channel.enabled);
        channel.name = self.name.unwrap_or_else(|| channel.name.clone());
        let put = |value: Option<String>, to: &mut String| {
            if let Some(value) = value {
                *to = value;
            }
        };
        match &mut channel.kind {
            wire::ChannelKind::Email {
                host,
                port,
                security,
                user,
                from,
                to,
            } => {
                put(self.host, host);
                put(self.from, from);
                *port = self.port.unwrap_or(*port);
                *security = self.security.map_or(*security, Into::into);
                self.user.update_to(user);
                *to = self.to.unwrap_or_else(|| to.clone());
            }
            wire::ChannelKind::Webhook {
                format,
                chat,
                template,
            } => {
                *format = self.format.map_or(*format, Into::into);
                self.chat.update_to(chat);
                self.template.update_to(template);
            }
            wire::ChannelKind::Ntfy { server, topic } => {
                put(self.server, server);
                put(self.topic, topic);
            }
            wire::ChannelKind::Agent { devices } => {
                if let Some(ids) = &self.devices {
                    let ids: Result<Vec<DeviceId>, _> = ids.iter().map(|id| id.parse()).collect();
                    *devices = ids.map_err(|error| SettingsError::Value(error.to_string()))?;
                }
            }
            wire::ChannelKind::Desktop | wire::ChannelKind::Unknown => {}
        }
        Ok(())
    }

    /// What shall become of its secrets.
    pub(crate) fn secrets(&self) -> Result<Changes, SettingsError> {
        Ok(Changes {
            password: secret("password", &self.password)?,
            url: secret_url(&self.url)?,
            token: secret("token", &self.token)?,
        })
    }

    /// Refuses what this kind of channel has no use for: somebody means another one.
    fn check_fields(&self, kind: &wire::ChannelKind) -> Result<(), SettingsError> {
        use ChannelKind as K;
        let fields = [
            ("host", self.host.is_some(), K::Email),
            ("port", self.port.is_some(), K::Email),
            ("security", self.security.is_some(), K::Email),
            ("user", !self.user.is_undefined(), K::Email),
            ("from", self.from.is_some(), K::Email),
            ("to", self.to.is_some(), K::Email),
            ("password", !self.password.is_undefined(), K::Email),
            ("format", self.format.is_some(), K::Webhook),
            ("chat", !self.chat.is_undefined(), K::Webhook),
            ("template", !self.template.is_undefined(), K::Webhook),
            ("url", !self.url.is_undefined(), K::Webhook),
            ("server", self.server.is_some(), K::Ntfy),
            ("topic", self.topic.is_some(), K::Ntfy),
            ("token", !self.token.is_undefined(), K::Ntfy),
            ("devices", self.devices.is_some(), K::Agent),
        ];
        let kind = kind_of(kind);
        match fields.iter().find(|(_, given, of)| *given && *of != kind) {
            None => Ok(()),
            Some((name, _, _)) => refuse(format!("this kind of channel has no {name}")),
        }
    }
}

impl ChannelRoute {
    fn stored(&self) -> Result<wire::Route, SettingsError> {
        Ok(wire::Route {
            least: self.least.into(),
            groups: self.groups.clone(),
            hours: stored_hours(&self.hours)?,
            resolved: self.resolved,
        })
    }
}

impl HeartbeatChange {
    /// Makes the change.
    pub fn apply(self, to: &mut Option<wire::Heartbeat>) -> Result<(), SettingsError> {
        let mut heartbeat = to.take().unwrap_or(NO_HEARTBEAT);
        if self.secrets()?.is_change() {
            heartbeat.secret_revision += 1;
        }
        heartbeat.enabled = self.enabled.unwrap_or(heartbeat.enabled);
        heartbeat.every_secs = self.every_secs.unwrap_or(heartbeat.every_secs);
        *to = Some(heartbeat);
        Ok(())
    }

    /// What shall become of its address.
    pub(crate) fn secrets(&self) -> Result<Changes, SettingsError> {
        Ok(Changes {
            url: secret_url(&self.url)?,
            ..Changes::default()
        })
    }
}

/// The heartbeat while none was ever set.
pub(crate) const NO_HEARTBEAT: wire::Heartbeat = wire::Heartbeat {
    enabled: false,
    every_secs: HEARTBEAT_SECS,
    secret_revision: 0,
};

fn secret(name: &str, given: &MaybeUndefined<String>) -> Result<Change, SettingsError> {
    match given {
        MaybeUndefined::Undefined => Ok(Change::Keep),
        MaybeUndefined::Null => Ok(Change::Remove),
        MaybeUndefined::Value(text) if text.is_empty() || text.len() > MAX_SECRET => {
            refuse(format!("{name} is empty or too long: give null for none"))
        }
        MaybeUndefined::Value(text) => Ok(Change::Set(Secret::new(text.clone()))),
    }
}

/// The text of the refusal never has the address: it is a secret.
fn secret_url(given: &MaybeUndefined<String>) -> Result<Change, SettingsError> {
    use poem::http::Uri;
    if let MaybeUndefined::Value(text) = given {
        let is_web = text.starts_with("http://") || text.starts_with("https://");
        let url: Option<Uri> = text.parse().ok().filter(|_| is_web);
        if url.is_none_or(|url| url.host().is_none_or(str::is_empty)) {
            return refuse(
                "url is no address of a web server: write it like https://example.org/x",
            );
        }
    }
    secret("url", given)
}

fn kind_of(kind: &wire::ChannelKind) -> ChannelKind {
    match kind {
        wire::ChannelKind::Email { .. } => ChannelKind::Email,
        wire::ChannelKind::Webhook { .. } => ChannelKind::Webhook,
        wire::ChannelKind::Ntfy { .. } => ChannelKind::Ntfy,
        wire::ChannelKind::Desktop => ChannelKind::Desktop,
        wire::ChannelKind::Agent { .. } => ChannelKind::Agent,
        wire::ChannelKind::Unknown => ChannelKind::Unknown,
    }
}

/// A channel of which nothing was said yet: what is missing is refused when it is stored.
fn blank(kind: ChannelKind) -> wire::ChannelKind {
    match kind {
        ChannelKind::Email => wire::ChannelKind::Email {
            host: String::new(),
            port: SUBMISSION_PORT,
            security: wire::SmtpSecurity::StartTls,
            user: None,
            from: String::new(),
            to: Vec::new(),
        },
        ChannelKind::Webhook => wire::ChannelKind::Webhook {
            format: wire::WebhookFormat::Json,
            chat: None,
            template: None,
        },
        ChannelKind::Ntfy => wire::ChannelKind::Ntfy {
            server: NTFY.to_owned(),
            topic: String::new(),
        },
        ChannelKind::Desktop => wire::ChannelKind::Desktop,
        ChannelKind::Agent => wire::ChannelKind::Agent {
            devices: Vec::new(),
        },
        ChannelKind::Unknown => wire::ChannelKind::Unknown,
    }
}

/// An id made from the name: what people may write in it becomes `-`.
fn free_id(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mapped: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(MAX_STEM)
        .collect();
    let stem = match mapped.trim_matches('-') {
        "" => "channel",
        stem => stem,
    };
    let mut id = stem.to_owned();
    let mut number = 1;
    while is_taken(&id) {
        number += 1;
        id = format!("{stem}-{number}");
    }
    id
}

#[cfg(test)]
mod tests {
    use poem_openapi::types::ParseFromJSON as _;
    use serde_json::json;

    use super::*;

    fn change(json: serde_json::Value) -> ChannelChange {
        ChannelChange::parse_from_json(Some(json))
            .map_err(poem_openapi::types::ParseError::into_message)
            .unwrap()
    }

    fn make(json: serde_json::Value) -> Result<wire::Channel, String> {
        change(json).make(&[]).map_err(|error| error.to_string())
    }

    #[test]
    fn a_new_channel_gets_an_id_of_its_own_and_the_usual_settings() {
        let first = make(json!({"kind": "desktop", "name": "Büro PC"})).unwrap();
        assert_eq!((first.id.as_str(), first.enabled), ("b-ro-pc", true));
        let second = change(json!({"kind": "desktop", "name": "Büro PC"}));
        assert_eq!(second.make(&[first]).unwrap().id, "b-ro-pc-2");
        let reserved = make(json!({"kind": "desktop", "name": "Heartbeat"})).unwrap();
        assert_eq!(reserved.id, "heartbeat-2");
        let ntfy = make(json!({"kind": "ntfy", "name": "x", "topic": "lab"})).unwrap();
        let expected = wire::ChannelKind::Ntfy {
            server: NTFY.to_owned(),
            topic: "lab".to_owned(),
        };
        assert_eq!(ntfy.kind, expected);
    }

    #[test]
    fn what_does_not_belong_to_a_channel_is_refused() {
        let check = |json, part: &str| {
            let text = make(json).unwrap_err();
            assert!(text.contains(part), "{text}");
        };
        check(json!({"name": "x"}), "kind is missing");
        check(json!({"kind": "desktop"}), "name is missing");
        check(
            json!({"kind": "desktop", "name": "x", "host": "y"}),
            "has no host",
        );
        check(json!({"kind": "webhook", "name": "x"}), "url is missing");
        let secret = json!({"kind": "webhook", "name": "x", "url": "ftp://geheim"});
        let text = make(secret).unwrap_err();
        assert!(!text.contains("geheim"), "{text}");
    }

    #[test]
    fn a_secret_is_counted_and_not_part_of_the_channel() {
        let new = json!({"kind": "webhook", "name": "x", "url": "https://a/geheim"});
        let mut channel = make(new).unwrap();
        assert_eq!(channel.secret_revision, 1);
        assert!(!json!(channel).to_string().contains("geheim"));
        let renamed = change(json!({"name": "y", "kind": "webhook"}));
        assert!(!renamed.secrets().unwrap().is_change());
        renamed.apply(&mut channel).unwrap();
        assert_eq!((channel.name.as_str(), channel.secret_revision), ("y", 1));
        let other = change(json!({"kind": "ntfy"})).apply(&mut channel);
        assert!(other.unwrap_err().to_string().contains("the kind"));
    }
}
