//! Webhooks and ntfy, to a real web server.

use netmonitor_alerting::channels::SendError;
use netmonitor_protocol::payload::{ChannelKind, WebhookFormat};
use netmonitor_rules::alert::{Notice, NoticeKind};
use serde_json::json;
use tokio::net::TcpListener;

use crate::apart::apart;
use crate::authority;
use crate::receiver::{Answer, Receiver};
use crate::site::{DEADLINE, SECRET, Site, notice, token, url, words};

fn webhook(format: WebhookFormat) -> ChannelKind {
    ChannelKind::Webhook {
        format,
        chat: (format == WebhookFormat::Telegram).then(|| "-100123".to_owned()),
        template: (format == WebhookFormat::Template)
            .then(|| r#"{"t": "{title}", "v": {value}}"#.to_owned()),
    }
}

fn ok() -> Answer {
    Answer::Status(200, "ok".to_owned())
}

/// Sends to an address that holds a secret.
async fn send(
    site: &Site,
    receiver: &Receiver,
    format: WebhookFormat,
) -> Result<String, SendError> {
    let secret = url(&receiver.url(&format!("/hooks/{SECRET}?token={SECRET}")));
    let firing = notice(NoticeKind::Firing);
    site.send(webhook(format), secret, &firing, &words()).await
}

#[tokio::test]
async fn every_format_arrives_once_with_its_key() {
    use WebhookFormat as F;
    let receiver = Receiver::start(ok()).await;
    let site = Site::new();
    for format in [
        F::Json,
        F::Slack,
        F::Discord,
        F::Teams,
        F::Gotify,
        F::Telegram,
        F::Template,
    ] {
        let before = receiver.received().len();
        let answer = send(&site, &receiver, format).await.unwrap();
        assert_eq!(answer, "200 OK: ok", "{format:?}");
        let taken = receiver.received();
        assert_eq!(taken.len(), before + 1, "{format:?}");
        let last = taken.last().unwrap();
        assert_eq!(last.method, "POST");
        assert_eq!(last.header("content-type"), "application/json");
        assert_eq!(last.header("idempotency-key"), "ws-14/ram/1764500652000");
        let expected_path = match format {
            F::Telegram => format!("/hooks/{SECRET}/sendMessage?token={SECRET}"),
            _ => format!("/hooks/{SECRET}?token={SECRET}"),
        };
        assert_eq!(last.path, expected_path);
        // All of them are JSON and say what is wrong, in whole letters.
        let says = match format {
            F::Json | F::Gotify => last.json()["title"].clone(),
            F::Slack | F::Telegram => last.json()["text"].clone(),
            F::Discord => last.json()["embeds"][0]["title"].clone(),
            F::Teams => last.json()["attachments"][0]["content"]["body"][0]["text"].clone(),
            F::Template => last.json()["t"].clone(),
        };
        let says = says.as_str().unwrap().to_owned();
        assert!(
            says.starts_with("ws-14 : mémoire à 96 %"),
            "{format:?}: {says}"
        );
    }
    let read: Notice = serde_json::from_value(receiver.received()[0].json()).unwrap();
    assert_eq!(read, notice(NoticeKind::Firing));
}

#[tokio::test]
async fn a_template_that_is_text_goes_as_text_and_one_that_is_wrong_does_not_go() {
    let receiver = Receiver::start(ok()).await;
    let site = Site::new();
    let with = |template: &str| ChannelKind::Webhook {
        format: WebhookFormat::Template,
        chat: None,
        template: Some(template.to_owned()),
    };
    let secret = url(&receiver.url("/"));
    let firing = notice(NoticeKind::Firing);
    let text = with("{device}: {value}");
    let sent = site.send(text, secret.clone(), &firing, &words()).await;
    assert!(sent.is_ok(), "{sent:?}");
    let last = receiver.received().pop().unwrap();
    assert_eq!(last.body, "ws-14: 96.0");
    assert_eq!(last.header("content-type"), "text/plain; charset=utf-8");
    let sent = site.send(with("{who}"), secret, &firing, &words()).await;
    let error = sent.unwrap_err();
    assert!(
        error.is_permanent && error.text.contains("{who}"),
        "{error:?}"
    );
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn ntfy_gets_its_json_with_the_token() {
    let receiver = Receiver::start(Answer::Status(200, r#"{"id":"x"}"#.to_owned())).await;
    let site = Site::new();
    let kind = ChannelKind::Ntfy {
        server: receiver.url(""),
        topic: "alerts".to_owned(),
    };
    let answer = site
        .send(kind, token(), &notice(NoticeKind::Firing), &words())
        .await;
    assert_eq!(answer.unwrap(), r#"200 OK: {"id":"x"}"#);
    let taken = receiver.received().pop().unwrap();
    assert_eq!(taken.path, "/");
    assert_eq!(taken.header("authorization"), format!("Bearer {SECRET}"));
    assert_eq!(
        taken.json(),
        json!({
            "topic": "alerts",
            "title": "ws-14 : mémoire à 96 %",
            "message": "Le seuil est de 90 %.\nDepuis midi.",
            "priority": 5,
            "tags": ["rotating_light"],
            "click": "http://192.168.1.5:8080/devices/ws-14",
        })
    );
}

#[tokio::test]
async fn a_refusal_says_whether_trying_again_helps_and_shows_no_secret() {
    let receiver = Receiver::start(ok()).await;
    let site = Site::new();
    for (status, is_permanent) in [
        (400, true),
        (401, true),
        (403, true),
        (404, true),
        (429, false),
        (500, false),
        (503, false),
    ] {
        // Some servers say back what they were asked for.
        let body = format!("Cannot POST /hooks/{SECRET}?token={SECRET}, sorry");
        receiver.answer_with(Answer::Status(status, body));
        let error = send(&site, &receiver, WebhookFormat::Json)
            .await
            .unwrap_err();
        assert_eq!(error.is_permanent, is_permanent, "{error:?}");
        assert!(error.text.contains(&status.to_string()), "{error:?}");
        assert!(error.text.contains("sorry"), "{error:?}");
        assert!(!error.text.contains(SECRET), "{error:?}");
        let kind = ChannelKind::Ntfy {
            server: receiver.url(""),
            topic: "alerts".to_owned(),
        };
        let error = site
            .send(kind, token(), &notice(NoticeKind::Firing), &words())
            .await;
        let error = error.unwrap_err();
        assert!(!error.text.contains(SECRET), "{error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_where_it_goes() {
    let other = Receiver::start(ok()).await;
    let receiver = Receiver::start(ok()).await;
    let site = Site::new();
    for status in [301, 302, 307, 308] {
        receiver.answer_with(Answer::Redirect(status, other.url(&format!("/{SECRET}"))));
        let error = send(&site, &receiver, WebhookFormat::Json)
            .await
            .unwrap_err();
        assert!(error.is_permanent, "{error:?}");
        assert!(error.text.contains(&other.url("")), "{error:?}");
        assert!(!error.text.contains(SECRET), "{error:?}");
    }
    assert_eq!(receiver.received().len(), 4);
    assert!(other.received().is_empty());
}

#[tokio::test]
async fn of_a_huge_answer_only_the_begin_is_read() {
    let receiver = Receiver::start(Answer::Endless).await;
    let answer = send(&Site::new(), &receiver, WebhookFormat::Json)
        .await
        .unwrap();
    assert!(
        answer.starts_with("200 OK: xxx") && answer.len() < 300,
        "{answer}"
    );
}

#[tokio::test]
async fn who_does_not_answer_is_not_waited_for() {
    let site = Site::new().impatient();
    let receiver = Receiver::start(Answer::Nothing).await;
    let error = send(&site, &receiver, WebhookFormat::Json)
        .await
        .unwrap_err();
    assert!(
        !error.is_permanent && error.text.contains("no answer"),
        "{error:?}"
    );
    assert_eq!(receiver.received().len(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let secret = url(&format!("http://{address}/{SECRET}"));
    let firing = notice(NoticeKind::Firing);
    let site = Site::new();
    let json = webhook(WebhookFormat::Json);
    let error = site
        .send(json.clone(), secret, &firing, &words())
        .await
        .unwrap_err();
    assert!(!error.is_permanent, "{error:?}");
    assert!(
        error.text.contains(&format!("http://{address} ")),
        "{error:?}"
    );
    assert!(error.text.contains("refused"), "{error:?}");
    assert!(!error.text.contains(SECRET), "{error:?}");
    // Without an address, or with one that is none.
    for secret in [token(), url(SECRET)] {
        let error = site
            .send(json.clone(), secret, &firing, &words())
            .await
            .unwrap_err();
        assert!(
            error.is_permanent && !error.text.contains(SECRET),
            "{error:?}"
        );
    }
}

#[test]
fn over_tls_a_server_must_be_one_that_the_system_trusts() {
    apart(
        "web::over_tls_a_server_must_be_one_that_the_system_trusts",
        |folder| {
            authority::make(&folder.join("known"));
            authority::make(&folder.join("unknown"));
            vec![("SSL_CERT_FILE", authority::ca(&folder.join("known")))]
        },
        async |folder| {
            let site = Site::new();
            let send = async |receiver: &Receiver| {
                let secret = url(&format!("https://localhost:{}/{SECRET}", receiver.port()));
                let json = webhook(WebhookFormat::Json);
                site.send(json, secret, &notice(NoticeKind::Firing), &words())
                    .await
            };
            let known = Receiver::start_tls(ok(), &folder.join("known")).await;
            assert_eq!(send(&known).await.unwrap(), "200 OK: ok");
            let unknown = Receiver::start_tls(ok(), &folder.join("unknown")).await;
            let error = send(&unknown).await.unwrap_err();
            assert!(!error.is_permanent, "{error:?}");
            assert!(error.text.contains("certificate"), "{error:?}");
            assert!(error.text.contains("add its authority"), "{error:?}");
            assert!(unknown.received().is_empty());
        },
    );
}

#[tokio::test]
async fn a_slow_channel_delays_no_other() {
    let slow = Receiver::start(Answer::Nothing).await;
    let quick = Receiver::start(ok()).await;
    let site = Site::new();
    let waiting = send(&site, &slow, WebhookFormat::Json);
    tokio::pin!(waiting);
    tokio::select! {
        _ = &mut waiting => panic!("it does not answer"),
        sent = send(&site, &quick, WebhookFormat::Json) => assert!(sent.is_ok()),
        () = tokio::time::sleep(DEADLINE) => panic!("it waits for the other"),
    }
}
