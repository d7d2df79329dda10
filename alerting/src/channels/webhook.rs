//! A request to a web server, in the form that it expects.

use netmonitor_protocol::payload::{Severity, WebhookFormat};
use netmonitor_rules::alert::Notice;
use netmonitor_service::channel_secrets::ChannelSecret;
use serde_json::{Value, json};

use super::{SendError, below_each_other, card, is_urgent, template};
use crate::http::{Address, Request, exchange};
use crate::words::{Words, shortened};

/// Characters of a message of Telegram.
const TELEGRAM: usize = 4096;

/// Characters of a message of Slack, beyond which it cuts.
const SLACK: usize = 40_000;

/// Characters of a message of Gotify: none are given, and nobody reads more.
const GOTIFY: usize = 10_000;

/// What the server expects.
pub(super) struct Settings<'a> {
    pub(super) format: WebhookFormat,
    pub(super) chat: Option<&'a str>,
    pub(super) template: Option<&'a str>,
}

pub(super) async fn send(
    settings: &Settings<'_>,
    secret: &ChannelSecret,
    notice: &Notice,
    words: &Words,
) -> Result<String, SendError> {
    let url = secret
        .url
        .as_ref()
        .ok_or_else(|| SendError::permanent("the address of the webhook is missing"))?;
    let mut address = Address::parse(url.expose())?;
    if settings.format == WebhookFormat::Telegram {
        // https://core.telegram.org/bots/api#making-requests
        address = address.with_last_segment("sendMessage");
    }
    let mut request = request(settings, notice, words)?;
    request.header("idempotency-key", &notice.id);
    if let Some(token) = &secret.token {
        request.secret_header("authorization", "Bearer ", token);
    }
    exchange(&address, request).await
}

fn request(settings: &Settings<'_>, notice: &Notice, words: &Words) -> Result<Request, SendError> {
    let body = match settings.format {
        WebhookFormat::Json => everything(notice, words),
        WebhookFormat::Slack => slack(words),
        WebhookFormat::Discord => card::discord(notice, words),
        WebhookFormat::Teams => card::teams(notice, words),
        WebhookFormat::Gotify => gotify(notice, words),
        WebhookFormat::Telegram => telegram(settings.chat, words)?,
        WebhookFormat::Template => {
            let template = settings.template.unwrap_or_default();
            let filled = template::fill(template, notice, words)?;
            return Ok(if filled.is_json {
                Request::post(filled.body, "application/json")
            } else {
                Request::post(filled.body, "text/plain; charset=utf-8")
            });
        }
    };
    Ok(Request::post_json(&body))
}

/// The message itself, and its words.
fn everything(notice: &Notice, words: &Words) -> Value {
    json!({
        "id": notice.id,
        "kind": notice.kind,
        "time": notice.time,
        "severity": notice.severity,
        "title": words.title,
        "text": words.text,
        "link": words.link,
        "alerts": notice.alerts,
    })
}

/// <https://api.slack.com/reference/surfaces/formatting#escaping>
fn slack(words: &Words) -> Value {
    let text = below_each_other(words, SLACK)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    // Names of machines are no markup.
    json!({ "text": text, "mrkdwn": false })
}

/// <https://gotify.net/api-docs#/message/createMessage>
fn gotify(notice: &Notice, words: &Words) -> Value {
    // From 4 on it makes a sound, from 8 on it comes in front.
    let priority = match notice.severity {
        Severity::Critical if is_urgent(notice) => 8,
        Severity::Warning if is_urgent(notice) => 5,
        _ => 2,
    };
    let mut body = json!({
        "title": words.title,
        "message": shortened(&words.text, GOTIFY),
        "priority": priority,
    });
    if let Some(link) = &words.link {
        body["extras"] = json!({ "client::notification": { "click": { "url": link } } });
    }
    body
}

/// <https://core.telegram.org/bots/api#sendmessage>
fn telegram(chat: Option<&str>, words: &Words) -> Result<Value, SendError> {
    let chat = chat.map(str::trim).filter(|chat| !chat.is_empty());
    let chat = chat.ok_or_else(|| {
        SendError::permanent("the chat is missing: a number, or @name of a public channel")
    })?;
    Ok(json!({
        "chat_id": chat,
        "text": below_each_other(words, TELEGRAM),
        "link_preview_options": { "is_disabled": true },
    }))
}

#[cfg(test)]
mod tests {
    use netmonitor_rules::alert::NoticeKind;

    use super::super::tests::{notice, told, words};
    use super::*;

    #[test]
    fn json_has_everything_and_reads_back_as_the_message() {
        let notice = notice(NoticeKind::Firing, vec![told("ws-14")]);
        let body = everything(&notice, &words());
        assert_eq!(body["title"], "title");
        assert_eq!(body["link"], "http://hub/devices/ws-14");
        assert_eq!(body["kind"], "firing");
        let read: Notice = serde_json::from_value(body).unwrap();
        assert_eq!(read, notice);
    }

    #[test]
    fn a_name_pings_nobody_in_slack() {
        let words = Words {
            title: "<!channel> & <http://x|y>".to_owned(),
            ..words()
        };
        assert_eq!(
            slack(&words)["text"],
            "&lt;!channel&gt; &amp; &lt;http://x|y&gt;\ntext\nhttp://hub/devices/ws-14"
        );
    }

    #[test]
    fn gotify_makes_no_sound_for_an_end() {
        let priority = |kind, severity| {
            let notice = Notice {
                severity,
                ..notice(kind, vec![told("ws-14")])
            };
            gotify(&notice, &words())["priority"].as_u64()
        };
        assert_eq!(priority(NoticeKind::Firing, Severity::Critical), Some(8));
        assert_eq!(priority(NoticeKind::Firing, Severity::Warning), Some(5));
        assert_eq!(priority(NoticeKind::Resolved, Severity::Critical), Some(2));
    }

    #[test]
    fn telegram_needs_a_chat_and_gets_no_more_than_it_takes() {
        assert!(telegram(None, &words()).unwrap_err().is_permanent);
        assert!(telegram(Some(" "), &words()).unwrap_err().is_permanent);
        let long = Words {
            text: "é".repeat(5000),
            ..words()
        };
        let body = telegram(Some("-100123"), &long).unwrap();
        let text = body["text"].as_str().unwrap();
        assert_eq!(text.chars().count(), TELEGRAM);
        assert!(
            text.ends_with("…\nhttp://hub/devices/ws-14"),
            "the link is whole"
        );
        assert_eq!(body["chat_id"], "-100123");
    }
}
