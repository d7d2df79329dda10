//! Mail over SMTP.

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::address::{Address, Envelope};
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{self, response::Response};
use netmonitor_protocol::payload::{Severity, SmtpSecurity};
use netmonitor_rules::alert::{Notice, Told};
use netmonitor_service::Secret;
use tokio::time::{Instant, timeout};

use super::{SendError, TIMEOUT, is_urgent, no_answer};
use crate::words::{Words, plain, shortened};

/// Messages to which one is an answer, for programs that show what belongs together: of more
/// alerts only the first.
const REFERENCES: usize = 10;

/// Of several recipients who are asked one by one, so long all together: once one has the mail, the
/// others must not hold up the answer.
const ALL_WITHIN: Duration = Duration::from_secs(20);

/// How long a server may take to say goodbye once it has the mail.
const GOODBYE: Duration = Duration::from_secs(2);

/// Characters of a server's answer that are shown.
const ANSWER: usize = 200;

/// A mail server, and as whom to speak to it.
pub(super) struct Server<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) security: SmtpSecurity,
    pub(super) user: Option<&'a str>,
    pub(super) password: Option<&'a Secret>,
}

pub(super) async fn send(
    server: &Server<'_>,
    from: &str,
    to: &[String],
    notice: &Notice,
    words: &Words,
) -> Result<String, SendError> {
    let from = mailbox(from)?;
    let to: Vec<Mailbox> = to.iter().map(|it| mailbox(it)).collect::<Result<_, _>>()?;
    if to.is_empty() {
        return Err(SendError::permanent(
            "nobody is named to whom the mail goes",
        ));
    }
    let mail = mail(&from, &to, notice, words)
        .map_err(|error| SendError::permanent(format!("no mail can be made of it: {error}")))?
        .formatted();
    let to: Vec<Address> = to.into_iter().map(|it| it.email).collect();
    let connection = connect(server).await?;
    match hand_over(connection, &from.email, to.clone(), &mail).await {
        // The server takes all recipients or none: one who has left must not keep it from the others.
        Err(error) if error.is_permanent && to.len() > 1 => {
            one_by_one(server, &from.email, to, &mail).await
        }
        outcome => outcome,
    }
}

async fn one_by_one(
    server: &Server<'_>,
    from: &Address,
    to: Vec<Address>,
    mail: &[u8],
) -> Result<String, SendError> {
    let count = to.len();
    let (mut accepted, mut refused) = (Vec::new(), Vec::new());
    let begin = Instant::now();
    for recipient in to {
        let deliver = async {
            let connection = connect(server).await?;
            hand_over(connection, from, vec![recipient.clone()], mail).await
        };
        // Whoever has it must not get it again because another one took too long.
        let left = if accepted.is_empty() {
            TIMEOUT
        } else {
            ALL_WITHIN.saturating_sub(begin.elapsed())
        };
        let outcome = timeout(left, deliver).await;
        let outcome = outcome.unwrap_or_else(|_| Err(no_answer(left)));
        match outcome {
            Ok(answer) => accepted.push(answer),
            Err(error) => refused.push((recipient, error)),
        }
    }
    let refusals: Vec<String> = refused
        .iter()
        .map(|(recipient, error)| format!("not for {recipient}: {}", error.text))
        .collect();
    let refusals = refusals.join("; ");
    match accepted.first() {
        // Once more would be twice for those who have it.
        Some(answer) => Ok(format!(
            "{answer} (for {} of {count}; {refusals})",
            accepted.len()
        )),
        None => Err(SendError {
            is_permanent: refused.iter().all(|(_, error)| error.is_permanent),
            text: refusals,
        }),
    }
}

fn mailbox(text: &str) -> Result<Mailbox, SendError> {
    text.parse()
        .map_err(|error| SendError::permanent(format!("{text:?} is no mail address: {error}")))
}

/// The mail, the same to the byte however often it is made.
fn mail(
    from: &Mailbox,
    to: &[Mailbox],
    notice: &Notice,
    words: &Words,
) -> Result<Message, lettre::error::Error> {
    let domain = from.email.domain();
    let first = notice.alerts.iter().take(REFERENCES);
    let threads: Vec<String> = first.map(|told| thread_id(told, domain)).collect();
    let mut builder = Message::builder()
        .from(from.clone())
        .subject(&words.title)
        .date(SystemTime::from(notice.time))
        .message_id(Some(message_id(&notice.id, domain)))
        .header(ContentType::TEXT_PLAIN);
    for recipient in to {
        builder = builder.to(recipient.clone());
    }
    if !threads.is_empty() {
        builder = builder.references(threads.join(" "));
    }
    let text = match &words.link {
        Some(link) => format!("{}\n\n{link}\n", words.text),
        None => format!("{}\n", words.text),
    };
    let mut mail = builder.body(text)?;
    let mut header = |name, value: &str| {
        let name = HeaderName::new_from_ascii_str(name);
        mail.headers_mut()
            .insert_raw(HeaderValue::new(name, value.to_owned()));
    };
    // Nobody's absence is to be told to a machine (RFC 3834).
    header("Auto-Submitted", "auto-generated");
    if notice.severity == Severity::Critical && is_urgent(notice) {
        header("Importance", "high");
    }
    Ok(mail)
}

/// The id of a mail (RFC 5322): who gets the same again knows it by this.
fn message_id(notice: &str, domain: &str) -> String {
    format!("<{}@{domain}>", dot_atom(&format!("netmonitor/{notice}")))
}

/// An id that no mail has: programs show together what refers to the same one, which begin and end
/// of a trouble do.
fn thread_id(told: &Told, domain: &str) -> String {
    let (subject, rule, since) = (&told.subject, &told.rule, told.since.as_millisecond());
    let thread = format!("netmonitor-alert/{subject}/{rule}/{since}");
    format!("<{}@{domain}>", dot_atom(&thread))
}

/// The text with what may stand before the `@` (RFC 5322, `dot-atom`); other characters as `=` and
/// two hexadecimal digits for each of their bytes.
fn dot_atom(text: &str) -> String {
    let write = |byte: u8| {
        if byte.is_ascii_alphanumeric() || b"/-_~+".contains(&byte) {
            char::from(byte).to_string()
        } else {
            format!("={byte:02X}")
        }
    };
    text.bytes().map(write).collect()
}

async fn hand_over(
    mut connection: AsyncSmtpConnection,
    from: &Address,
    to: Vec<Address>,
    mail: &[u8],
) -> Result<String, SendError> {
    let envelope = Envelope::new(Some(from.clone()), to)
        .map_err(|error| SendError::permanent(error.to_string()))?;
    let answer = connection
        .send(&envelope, mail)
        .await
        .map_err(|error| failed("the mail server does not take the mail", &error))?;
    // It has the mail, whatever becomes of the connection.
    let _too_slow = tokio::time::timeout(GOODBYE, connection.abort()).await;
    Ok(shown(&answer))
}

/// A connection on which mail can be sent.
async fn connect(server: &Server<'_>) -> Result<AsyncSmtpConnection, SendError> {
    let Server { host, port, .. } = *server;
    let hello = ClientId::default();
    let tls = match server.security {
        SmtpSecurity::None => None,
        SmtpSecurity::Tls | SmtpSecurity::StartTls => Some(
            TlsParameters::new(host.to_owned())
                .map_err(|error| failed("no encrypted connection is possible", &error))?,
        ),
    };
    let at_once = tls.clone().filter(|_| server.security == SmtpSecurity::Tls);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1((host, port), None, &hello, at_once, None)
            .await
            .map_err(|error| {
                let what = format!("the mail server {host}:{port} cannot be reached");
                failed(&what, &error)
            })?;
    if let (SmtpSecurity::StartTls, Some(tls)) = (server.security, tls) {
        if !connection.can_starttls() {
            connection.abort().await;
            return Err(SendError::permanent(format!(
                "{host}:{port} offers no STARTTLS: choose TLS (mostly port 465), or another port"
            )));
        }
        connection
            .starttls(tls, &hello)
            .await
            .map_err(|error| failed("STARTTLS fails", &error))?;
    }
    if let Some(user) = server.user {
        let password = server.password.map_or("", Secret::expose);
        let credentials = Credentials::new(user.to_owned(), password.to_owned());
        connection
            .auth(DEFAULT_MECHANISMS, &credentials)
            .await
            .map_err(|error| failed("the mail server does not accept user and password", &error))?;
    }
    Ok(connection)
}

fn failed(what: &str, error: &smtp::Error) -> SendError {
    let text = shortened(&plain(&error.to_string()), ANSWER);
    let hint = if text.contains("certificate") {
        ": if it is one of your own, add its authority to those that the hub's system trusts"
    } else {
        ""
    };
    SendError {
        // Refused for good, or something that this client cannot do.
        is_permanent: error.is_permanent() || error.is_client(),
        text: format!("{what}: {text}{hint}"),
    }
}

fn shown(answer: &Response) -> String {
    let text: Vec<&str> = answer.message().collect();
    let text = format!("{} {}", answer.code(), text.join(" "));
    shortened(&plain(&text), ANSWER)
}

#[cfg(test)]
mod tests {
    use netmonitor_rules::alert::NoticeKind;

    use super::super::tests::{notice, told, words};
    use super::*;

    fn formatted(notice: &Notice, words: &Words) -> String {
        let from: Mailbox = "NetMonitor <hub@example.org>".parse().unwrap();
        let to = ["ada@example.org", "Bob <bob@example.net>"].map(|it| it.parse().unwrap());
        let mail = mail(&from, &to, notice, words).unwrap();
        String::from_utf8(mail.formatted()).unwrap()
    }

    fn header<'a>(mail: &'a str, name: &str) -> &'a str {
        let line = mail.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.strip_prefix(": "))
            .unwrap_or_default()
    }

    #[test]
    fn a_mail_is_the_same_however_often_it_is_made() {
        let notice = notice(NoticeKind::Firing, vec![told("ws-14")]);
        let mail = formatted(&notice, &words());
        assert_eq!(formatted(&notice, &words()), mail);
        assert_eq!(
            header(&mail, "Message-ID"),
            "<netmonitor/ws-14/service-getty=40tty1=2Eservice/1@example.org>"
        );
        assert_eq!(header(&mail, "Date"), "Mon, 30 Nov 2026 11:09:12 +0000");
        assert_eq!(
            header(&mail, "To"),
            "ada@example.org, Bob <bob@example.net>"
        );
        assert_eq!(header(&mail, "Auto-Submitted"), "auto-generated");
        assert_eq!(header(&mail, "Importance"), "high");
    }

    #[test]
    fn begin_and_end_of_a_trouble_belong_together() {
        let mail = |kind| formatted(&notice(kind, vec![told("ws-14")]), &words());
        let thread = header(&mail(NoticeKind::Firing), "References").to_owned();
        assert!(
            thread.starts_with("<netmonitor-alert/ws-14/cpu/"),
            "{thread}"
        );
        let end = mail(NoticeKind::Resolved);
        assert_eq!(header(&end, "References"), thread);
        assert_eq!(header(&end, "Importance"), "");
    }

    #[test]
    fn no_text_becomes_a_header() {
        let hostile = Words {
            title: "x\r\nBcc: all@example.org".to_owned(),
            text: "é\r\n.\r\nQUIT".to_owned(),
            link: None,
        };
        let mail = formatted(&notice(NoticeKind::Firing, Vec::new()), &hostile);
        let headers = mail.split("\r\n\r\n").next().unwrap();
        assert!(!headers.contains("\nBcc"), "{headers}");
        assert!(mail.is_ascii(), "{mail}");
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        let error = mailbox("ada").unwrap_err();
        assert!(error.is_permanent && error.text.contains("\"ada\""));
    }
}
