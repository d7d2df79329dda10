//! Messages about alerts as mail, to a real server. Needs Debian's python3-aiosmtpd.

use serde_json::{Value, json};

use crate::alerts::{devices, set_rule, until_state};
use crate::support::hub::{Home, Hub};
use crate::support::mail::MailServer;

fn text<'a>(mail: &'a Value, part: &str) -> &'a str {
    mail[part].as_str().unwrap()
}

#[test]
fn a_mail_is_in_french_and_one_that_comes_twice_is_the_same() {
    let server = MailServer::start();
    let home = Home::quick().with("SSL_CERT_FILE", server.authority());
    let hub = Hub::start_in(&home, &["--no-agent"]);
    let admin = hub.client("admin");
    let language = json!({
        "language": "fr", "dashboard_url": "http://192.168.1.5:8080",
    });
    let set = admin.ask("PATCH", "/api/v1/settings/alerting", Some(&language));
    assert_eq!(set.status, 200, "{}", set.body);
    let channel = server.channel("twice@example.org");
    let made = admin.post("/api/v1/channels", &channel);
    assert_eq!(made.status, 200, "{}", made.body);
    assert!(!made.body.contains("geheim"), "{}", made.body);
    set_rule(&admin, "ram", json!({ "for_secs": 0 }));
    let devices = devices(&hub, 1);
    let id = &devices[0].id;
    until_state(&admin, id, "ram", "ok");

    devices[0].ram(96);
    // The server had the first one, and said that it had not.
    let mails = server.until(2);
    assert_eq!(mails[0], mails[1]);
    let mail = &mails[0];
    let begin = format!("<netmonitor/{id}/ram/");
    assert!(text(mail, "id").starts_with(&begin), "{mail}");
    assert_eq!(
        (&mail["encrypted"], &mail["user"], &mail["to"]),
        (&json!(true), &json!("ada"), &json!(["twice@example.org"]))
    );
    let subject = text(mail, "subject");
    assert!(subject.contains("mémoire à 96"), "{subject}");
    let link = format!("http://192.168.1.5:8080/devices/{id}");
    assert!(text(mail, "text").contains(&link), "{mail}");

    devices[0].ram(10);
    let end = server.until(3).remove(2);
    assert_ne!(end["id"], mail["id"]);
    let subject = text(&end, "subject");
    assert!(
        subject.contains("mémoire revenue à la normale"),
        "{subject}"
    );
    admin.until(
        "the log has what the server answered",
        "/api/v1/events?kind=message_sent",
        |log| {
            let answers = log["items"].as_array()?.iter();
            let accepted =
                answers.filter(|it| it["parameters"]["answer"] == "250 2.0.0 queued as 4711");
            (accepted.count() == 2).then_some(())
        },
    );
    assert_eq!(server.mails().len(), 3);
}
