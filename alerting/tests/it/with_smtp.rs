//! Mail, to a real server: Debian's python3-aiosmtpd.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use netmonitor_alerting::channels::SendError;
use netmonitor_protocol::payload::{ChannelKind, SmtpSecurity};
use netmonitor_rules::alert::NoticeKind;
use netmonitor_service::Secret;
use netmonitor_service::channel_secrets::ChannelSecret;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::apart::apart;
use crate::authority;
use crate::site::{DEADLINE, SECRET, Site, notice, words};

struct Server {
    process: Child,
    lines: mpsc::Receiver<String>,
    port: u16,
}

impl Server {
    fn start(mode: &str, folder: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/with_smtp/server.py");
        let mut process = Command::new("/usr/bin/python3")
            .arg(script)
            .arg(mode)
            .arg(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let port = lines.recv_timeout(DEADLINE);
        let port = port.expect("aiosmtpd starts: python3-aiosmtpd of Debian");
        Self {
            process,
            lines,
            port: port.parse().unwrap(),
        }
    }

    /// The next mail that it has taken: it says so before it answers.
    fn mail(&self) -> Value {
        serde_json::from_str(&self.lines.recv_timeout(DEADLINE).unwrap()).unwrap()
    }

    fn has_no_mail(&self) -> bool {
        self.lines.try_recv().is_err()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = self.process.kill();
        let _status = self.process.wait();
    }
}

fn email(port: u16, security: SmtpSecurity, to: &[&str]) -> ChannelKind {
    ChannelKind::Email {
        host: "localhost".to_owned(),
        port,
        security,
        user: (security != SmtpSecurity::None).then(|| "ada".to_owned()),
        from: "NetMonitor <hub@example.org>".to_owned(),
        to: to.iter().map(|&to| to.to_owned()).collect(),
    }
}

fn password(password: &str) -> ChannelSecret {
    ChannelSecret {
        password: Some(Secret::new(password)),
        ..ChannelSecret::default()
    }
}

async fn send(site: &Site, kind: ChannelKind) -> Result<String, SendError> {
    let firing = notice(NoticeKind::Firing);
    site.send(kind, password(SECRET), &firing, &words()).await
}

/// Runs it where the system trusts the authority in the folder `known`.
fn with_authority(name: &str, test: impl AsyncFnOnce(&Path)) {
    apart(
        name,
        |folder| {
            authority::make(&folder.join("known"));
            authority::make(&folder.join("unknown"));
            vec![("SSL_CERT_FILE", authority::ca(&folder.join("known")))]
        },
        test,
    );
}

fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let headers = mail.split("\r\n\r\n").next().unwrap();
    let line = headers.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.strip_prefix(": "))
        .unwrap_or_default()
}

#[test]
fn mail_goes_with_starttls_with_tls_and_without() {
    with_authority(
        "with_smtp::mail_goes_with_starttls_with_tls_and_without",
        async |folder| {
            let site = Site::new();
            for (mode, security) in [
                ("starttls", SmtpSecurity::StartTls),
                ("tls", SmtpSecurity::Tls),
                ("plain", SmtpSecurity::None),
            ] {
                let server = Server::start(mode, &folder.join("known"));
                let to = ["ada@example.org", "Bob <bob@example.net>"];
                let answer = send(&site, email(server.port, security, &to)).await;
                assert_eq!(answer.as_deref(), Ok("250 2.0.0 queued as 4711"), "{mode}");
                let taken = server.mail();
                let is_protected = mode != "plain";
                assert_eq!(taken["encrypted"], is_protected, "{mode}");
                assert_eq!(taken["user"], if is_protected { "ada" } else { "" });
                assert_eq!(taken["from"], "hub@example.org");
                assert_eq!(taken["to"], json!(["ada@example.org", "bob@example.net"]));
                let mail = taken["mail"].as_str().unwrap();
                assert_eq!(
                    header(mail, "Message-ID"),
                    "<netmonitor/ws-14/ram/1764500652000@example.org>"
                );
                assert_eq!(header(mail, "From"), "NetMonitor <hub@example.org>");
                assert!(
                    header(mail, "Content-Type").starts_with("text/plain"),
                    "{mail}"
                );
                assert!(server.has_no_mail(), "once");
            }
        },
    );
}

/// Python reads it, as programs for mail do.
const READ: &str = "
import email, email.policy, json, sys
mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
print(json.dumps([mail['subject'], mail.get_content(), mail.defects == []]))
";

#[test]
fn letters_of_every_kind_are_read_as_they_were_written() {
    with_authority(
        "with_smtp::letters_of_every_kind_are_read_as_they_were_written",
        async |folder| {
            let server = Server::start("plain", &folder.join("known"));
            let kind = email(server.port, SmtpSecurity::None, &["ada@example.org"]);
            let mut long = words();
            long.title = format!(
                "{} 30 appareils sont hors ligne : é",
                "bâtiment-B ".repeat(12)
            );
            long.text = format!("{}\n.\nQUIT\nÉté 🌡 95 °C", "très long ".repeat(200));
            let firing = notice(NoticeKind::Firing);
            let sent = Site::new()
                .send(kind, password(SECRET), &firing, &long)
                .await;
            assert!(sent.is_ok(), "{sent:?}");
            let mail = server.mail()["mail"].as_str().unwrap().to_owned();
            assert!(mail.is_ascii() && mail.lines().all(|line| line.len() < 998));
            let file = folder.join("mail");
            std::fs::write(&file, &mail).unwrap();
            let read = Command::new("/usr/bin/python3")
                .args(["-c", READ])
                .stdin(std::fs::File::open(file).unwrap())
                .output()
                .unwrap();
            let read: Value = serde_json::from_slice(&read.stdout).unwrap();
            assert_eq!(read[0], long.title);
            let text = read[1].as_str().unwrap().replace("\r\n", "\n");
            let link = long.link.unwrap();
            assert_eq!(text.trim_end(), format!("{}\n\n{link}", long.text));
            assert_eq!(read[2], true, "nothing is wrong with it");
        },
    );
}

#[test]
fn who_is_refused_is_told_why_and_no_password_is_shown() {
    with_authority(
        "with_smtp::who_is_refused_is_told_why_and_no_password_is_shown",
        async |folder| {
            let site = Site::new();
            let server = Server::start("starttls", &folder.join("known"));
            let to = ["ada@example.org", "bob@example.net"];
            let kind = email(server.port, SmtpSecurity::StartTls, &to);
            let wrong = password("wrong-password-of-ada");
            let firing = notice(NoticeKind::Firing);
            let error = site.send(kind, wrong, &firing, &words()).await.unwrap_err();
            assert!(error.is_permanent, "{error:?}");
            assert!(error.text.contains("user and password"), "{error:?}");
            assert!(error.text.contains("535"), "{error:?}");
            assert!(!error.text.contains("wrong-password"), "{error:?}");
            // It was not tried for each recipient: accounts are locked for that.
            assert!(!error.text.contains("not for"), "{error:?}");

            let plain = Server::start("plain", &folder.join("known"));
            let kind = email(plain.port, SmtpSecurity::StartTls, &to);
            let error = send(&site, kind).await.unwrap_err();
            assert!(
                error.is_permanent && error.text.contains("STARTTLS"),
                "{error:?}"
            );
            assert!(server.has_no_mail() && plain.has_no_mail());
        },
    );
}

#[test]
fn a_server_that_the_system_does_not_trust_gets_no_password() {
    with_authority(
        "with_smtp::a_server_that_the_system_does_not_trust_gets_no_password",
        async |folder| {
            for (mode, security) in [
                ("starttls", SmtpSecurity::StartTls),
                ("tls", SmtpSecurity::Tls),
            ] {
                let server = Server::start(mode, &folder.join("unknown"));
                let kind = email(server.port, security, &["ada@example.org"]);
                let error = send(&Site::new(), kind).await.unwrap_err();
                assert!(!error.is_permanent, "{error:?}");
                assert!(error.text.contains("add its authority"), "{error:?}");
                assert!(server.has_no_mail());
            }
        },
    );
}

#[test]
fn a_recipient_who_has_left_keeps_it_from_nobody() {
    with_authority(
        "with_smtp::a_recipient_who_has_left_keeps_it_from_nobody",
        async |folder| {
            let site = Site::new();
            let server = Server::start("plain", &folder.join("known"));
            let to = |to: &[&str]| email(server.port, SmtpSecurity::None, to);
            let all = ["ada@example.org", "gone@example.org", "bob@example.org"];
            let answer = send(&site, to(&all)).await.unwrap();
            assert!(answer.contains("for 2 of 3"), "{answer}");
            assert!(answer.contains("not for gone@example.org"), "{answer}");
            assert_eq!(server.mail()["to"], json!(["ada@example.org"]));
            assert_eq!(server.mail()["to"], json!(["bob@example.org"]));
            assert!(server.has_no_mail());

            let nobody = send(&site, to(&["gone@example.org", "gone@example.net"])).await;
            let error = nobody.unwrap_err();
            assert!(
                error.is_permanent && error.text.contains("550"),
                "{error:?}"
            );
            // Later it may take it for all of them.
            let later = send(&site, to(&["ada@example.org", "busy@example.org"])).await;
            let error = later.unwrap_err();
            assert!(
                !error.is_permanent && error.text.contains("451"),
                "{error:?}"
            );
            assert!(server.has_no_mail());

            let error = send(&site, to(&["ada"])).await.unwrap_err();
            assert!(
                error.is_permanent && error.text.contains("\"ada\""),
                "{error:?}"
            );
        },
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_nothing_is_tried_again() {
    let site = Site::new().impatient();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let kind = email(port, SmtpSecurity::None, &["ada@example.org"]);
    let error = send(&site, kind.clone()).await.unwrap_err();
    assert!(
        !error.is_permanent && error.text.contains("no answer"),
        "{error:?}"
    );
    drop(silent);
    let error = send(&site, kind).await.unwrap_err();
    assert!(!error.is_permanent, "{error:?}");
    assert!(
        error.text.contains(&format!("localhost:{port}")),
        "{error:?}"
    );
    assert!(error.text.contains("refused"), "{error:?}");
}
