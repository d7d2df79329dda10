//! Where messages about alerts go.

use std::ops::RangeInclusive;

use netmonitor_protocol::payload::{
    Channel, ChannelKind, Channels, Route, Severity, WebhookFormat,
};

use super::words::{at_most, each_once, groups, hours, is_line, name, web_address, within};
use super::{Revised, Section};

/// So many channels.
const MAX_CHANNELS: usize = 20;

/// Longest id, in characters.
const MAX_ID: usize = 32;

/// So many people one mail goes to.
const MAX_RECIPIENTS: usize = 20;

/// So many devices a notification goes to.
const MAX_DEVICES: usize = 100;

/// Longest name of a server, of an account or of a mail address, in characters.
const MAX_TEXT: usize = 254;

/// Longest template, in bytes.
const MAX_TEMPLATE: usize = 10_000;

/// How often the heartbeat is sent, in seconds.
const HEARTBEAT_SECS: RangeInclusive<u32> = 10..=86_400;

impl Revised for Channels {
    fn revision(&self) -> u64 {
        self.revision
    }

    fn set_revision(&mut self, revision: u64) {
        self.revision = revision;
    }
}

impl Section for Channels {
    const NAME: &'static str = "channels";
    const WHAT: &'static str = "the settings of channels";

    fn check(&self) -> Result<(), String> {
        at_most("channels", self.channels.len(), MAX_CHANNELS)?;
        each_once("channels", self.channels.iter().map(|it| &it.id))?;
        self.channels.iter().try_for_each(check_channel)?;
        match &self.heartbeat {
            Some(heartbeat) => within("every_secs", heartbeat.every_secs, HEARTBEAT_SECS),
            None => Ok(()),
        }
    }
}

fn check_channel(channel: &Channel) -> Result<(), String> {
    let is_id_char = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !is_line(&channel.id, MAX_ID) || !channel.id.chars().all(is_id_char) {
        return Err(format!(
            "{:?} is no id of a channel: use 1 to {MAX_ID} of a-z, 0-9 and '-'",
            channel.id
        ));
    }
    name("a channel", &channel.name)?;
    check_kind(&channel.kind)?;
    check_route(&channel.route)
}

fn check_kind(kind: &ChannelKind) -> Result<(), String> {
    match kind {
        ChannelKind::Email {
            host,
            port,
            user,
            from,
            to,
            security: _,
        } => {
            if !is_line(host, MAX_TEXT) || host.contains([' ', '/', '@']) {
                return Err(format!(
                    "host is {host:?}: give the name or the address of the mail server"
                ));
            }
            within("port", *port, 1..=u16::MAX)?;
            if user.as_ref().is_some_and(|user| !is_line(user, MAX_TEXT)) {
                return Err("user is no name of an account: leave it out if there is none".into());
            }
            at_most("recipients", to.len(), MAX_RECIPIENTS)?;
            if to.is_empty() {
                return Err("nobody would get the mail: give to at least one address".to_owned());
            }
            let sender = Some(from).filter(|it| !is_sender(it));
            match sender.or_else(|| to.iter().find(|it| !is_mail(it))) {
                None => Ok(()),
                Some(address) => Err(format!(
                    "{address:?} is no mail address: write it like ada@example.org"
                )),
            }
        }
        ChannelKind::Webhook {
            format,
            chat,
            template,
        } => check_webhook(*format, chat.as_deref(), template.as_deref()),
        ChannelKind::Ntfy { server, topic } => {
            web_address("server", server)?;
            // https://docs.ntfy.sh/publish/: what its server takes.
            let is_topic_char = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if is_line(topic, 64) && topic.chars().all(is_topic_char) {
                return Ok(());
            }
            Err(format!(
                "topic is {topic:?}: use 1 to 64 of a-z, A-Z, 0-9, '-' and '_'"
            ))
        }
        ChannelKind::Desktop => Ok(()),
        ChannelKind::Agent { devices } => {
            at_most("devices", devices.len(), MAX_DEVICES)?;
            each_once("devices", devices)?;
            if devices.is_empty() {
                return Err("nobody would see it: give devices at least one device".to_owned());
            }
            Ok(())
        }
        ChannelKind::Unknown => Err("kind is unknown: this hub has no such channel".to_owned()),
    }
}

fn check_webhook(
    format: WebhookFormat,
    chat: Option<&str>,
    template: Option<&str>,
) -> Result<(), String> {
    if format == WebhookFormat::Telegram && chat.is_none_or(|chat| !is_line(chat, MAX_TEXT)) {
        return Err("chat is missing: Telegram has to know which chat it is for".to_owned());
    }
    let is_template = |text: &str| !text.is_empty() && text.len() <= MAX_TEMPLATE;
    if format == WebhookFormat::Template && !template.is_some_and(is_template) {
        return Err(format!(
            "template is missing or too long: give 1 to {MAX_TEMPLATE} bytes"
        ));
    }
    Ok(())
}

/// Whether it can be the address of somebody. Whether it is, their server knows.
fn is_mail(text: &str) -> bool {
    let parts = text.rsplit_once('@');
    is_line(text, MAX_TEXT)
        && !text.contains([' ', ',', ';', '<', '>'])
        && parts.is_some_and(|(who, server)| !who.is_empty() && !server.is_empty())
}

/// The same, with the name of who writes before it: `NetMonitor <hub@example.org>` (RFC 5322, section
/// 3.4).
fn is_sender(text: &str) -> bool {
    let named = text.strip_suffix('>').and_then(|it| it.split_once(" <"));
    match named {
        Some((name, address)) => {
            is_line(text, MAX_TEXT) && !name.contains(['<', '>', ',', ';']) && is_mail(address)
        }
        None => is_mail(text),
    }
}

fn check_route(route: &Route) -> Result<(), String> {
    if route.least == Severity::Unknown {
        return Err("least is unknown: give info, warning or critical".to_owned());
    }
    groups(&route.groups)?;
    hours(&route.hours)
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::{Heartbeat, SmtpSecurity};

    use super::super::tests::{audit, refusal};
    use super::*;
    use crate::hub::temporary;

    fn channel(id: &str, kind: ChannelKind) -> Channel {
        Channel {
            id: id.to_owned(),
            name: "Mail".to_owned(),
            enabled: true,
            kind,
            route: Route::default(),
            secret_revision: 0,
        }
    }

    fn mail(host: &str, to: &[&str]) -> ChannelKind {
        ChannelKind::Email {
            host: host.to_owned(),
            port: 587,
            security: SmtpSecurity::StartTls,
            user: None,
            from: "hub@example.org".to_owned(),
            to: to.iter().map(ToString::to_string).collect(),
        }
    }

    fn hook(format: WebhookFormat) -> ChannelKind {
        ChannelKind::Webhook {
            format,
            chat: None,
            template: None,
        }
    }

    #[test]
    fn a_channel_that_cannot_work_is_refused_with_what_it_lacks() {
        let check = |kind: ChannelKind, part: &str| {
            let text = refusal(|it: &mut Channels| it.channels = vec![channel("a", kind)]);
            assert!(text.contains(part), "{text}");
        };
        check(mail("", &["a@b"]), "the mail server");
        check(mail("mail.example.org", &[]), "nobody would get");
        check(mail("mail.example.org", &["ada"]), "no mail address");
        check(hook(WebhookFormat::Telegram), "chat is missing");
        check(hook(WebhookFormat::Template), "template is missing");
        let ntfy = |server: &str, topic: &str| ChannelKind::Ntfy {
            server: server.to_owned(),
            topic: topic.to_owned(),
        };
        check(ntfy("ntfy.sh", "lab"), "server is no address");
        check(ntfy("https://ntfy.sh", "a/b"), "topic is");
        let devices = Vec::new();
        check(ChannelKind::Agent { devices }, "nobody would see it");
        check(ChannelKind::Unknown, "no such channel");
    }

    #[test]
    fn there_are_not_too_many_channels_and_each_has_its_own_id() {
        let desktop = |id: usize| channel(&id.to_string(), ChannelKind::Desktop);
        let text = refusal(|it: &mut Channels| it.channels = (0..21).map(desktop).collect());
        assert!(text.contains("at most 20"), "{text}");
        let text = refusal(|it: &mut Channels| it.channels = vec![desktop(1), desktop(1)]);
        assert!(text.contains("two channels"), "{text}");
        let text = refusal(|it: &mut Channels| {
            it.channels = vec![channel("../x", ChannelKind::Desktop)];
        });
        assert!(text.contains("no id of a channel"), "{text}");
        let text = refusal(|it: &mut Channels| {
            it.heartbeat = Some(Heartbeat {
                enabled: true,
                every_secs: 5,
                secret_revision: 0,
            });
        });
        assert!(text.contains("every_secs is 5: give 10"), "{text}");
    }

    #[test]
    fn channels_that_can_work_are_kept() {
        let (_directory, db) = temporary();
        let change = |it: &mut Channels| {
            it.channels = vec![
                channel("mail", mail("mail.example.org", &["ada@example.org"])),
                channel("hook", hook(WebhookFormat::Slack)),
                channel("desk", ChannelKind::Desktop),
            ];
            Ok(())
        };
        let changed = db.change_settings(change, None, audit()).unwrap();
        assert_eq!(db.settings::<Channels>().unwrap(), changed.after);
    }

    #[test]
    fn who_writes_may_have_a_name() {
        for good in ["hub@example.org", "NetMonitor <hub@example.org>"] {
            assert!(is_sender(good), "{good}");
        }
        for bad in [
            "NetMonitor",
            "NetMonitor <hub>",
            "a@b <c@d",
            "a <b> <c@d>",
            "a\n <b@c>",
        ] {
            assert!(!is_sender(bad), "{bad}");
        }
    }
}
