//! To a topic of an ntfy server (<https://docs.ntfy.sh/publish/#publish-as-json>).

use netmonitor_protocol::payload::Severity;
use netmonitor_rules::alert::{Notice, NoticeKind};
use netmonitor_service::channel_secrets::ChannelSecret;
use serde_json::{Map, Value, json};

use super::SendError;
use crate::http::{Address, Request, exchange};
use crate::words::{Words, shortened};

/// Bytes of a message; a longer one the server makes an attachment.
const MESSAGE: usize = 4096;

/// Characters of a title.
const TITLE: usize = 250;

pub(super) async fn send(
    server: &str,
    topic: &str,
    secret: &ChannelSecret,
    notice: &Notice,
    words: &Words,
) -> Result<String, SendError> {
    let address = Address::parse(server)?;
    let mut request = Request::post_json(&body(topic, notice, words));
    request.header("idempotency-key", &notice.id);
    if let Some(token) = &secret.token {
        request.secret_header("authorization", "Bearer ", token);
    }
    exchange(&address, request).await
}

fn body(topic: &str, notice: &Notice, words: &Words) -> Value {
    // 1 to 5; from 4 on it makes more noise than others.
    let (priority, tag) = match (notice.kind, notice.severity) {
        (NoticeKind::Test, _) => (3, "test_tube"),
        (NoticeKind::Resolved, _) => (3, "white_check_mark"),
        (_, Severity::Critical) => (5, "rotating_light"),
        (_, Severity::Warning) => (4, "warning"),
        (_, Severity::Info | Severity::Unknown) => (3, "information_source"),
    };
    let mut message = words.text.clone();
    while message.len() > MESSAGE {
        let most = message.chars().count() * MESSAGE / message.len();
        message = shortened(&message, most.saturating_sub(2));
    }
    let body = json!({
        "topic": topic,
        "title": shortened(&words.title, TITLE),
        "message": message,
        "priority": priority,
        "tags": [tag],
    });
    let mut body = match body {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    if let Some(link) = &words.link {
        body.insert("click".to_owned(), link.as_str().into());
    }
    Value::Object(body)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{notice, told, words};
    use super::*;

    #[test]
    fn what_matters_more_makes_more_noise_and_an_end_none() {
        let priority = |kind, severity| {
            let notice = Notice {
                severity,
                ..notice(kind, vec![told("ws-14")])
            };
            body("x", &notice, &words())["priority"].as_u64().unwrap()
        };
        assert_eq!(priority(NoticeKind::Firing, Severity::Critical), 5);
        assert_eq!(priority(NoticeKind::Reminder, Severity::Warning), 4);
        assert_eq!(priority(NoticeKind::Firing, Severity::Info), 3);
        assert_eq!(priority(NoticeKind::Resolved, Severity::Critical), 3);
    }

    #[test]
    fn a_message_fits_whatever_its_letters_are() {
        for letter in ["x", "é", "€", "𝄞"] {
            let words = Words {
                text: letter.repeat(6000),
                ..words()
            };
            let body = body("x", &notice(NoticeKind::Firing, Vec::new()), &words);
            let len = body["message"].as_str().unwrap().len();
            assert!((MESSAGE - 16..=MESSAGE).contains(&len), "{letter}: {len}");
        }
    }
}
