//! The log as comma-separated values (RFC 4180), for spreadsheets.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream;
use netmonitor_store::history::{EventFilter, StoredEvent};
use poem::Body;

use crate::app::App;

/// Lines that are read and written at once: so many are in memory.
const PAGE: u32 = 1000;

const HEADING: [&str; 7] = [
    "id",
    "time",
    "severity",
    "kind",
    "device",
    "actor",
    "parameters",
];

/// All lines of the log that the filter lets through, the newest first, read page by page as they are
/// taken.
pub(crate) fn body(app: Arc<App>, filter: EventFilter) -> Body {
    let begin = Pages {
        app,
        filter: EventFilter {
            limit: PAGE,
            ..filter
        },
        is_first: true,
        is_over: false,
    };
    let pages = stream::unfold(begin, |mut pages| async move {
        let page = pages.next().await?;
        Some((page, pages))
    });
    Body::from_bytes_stream(pages)
}

struct Pages {
    app: Arc<App>,
    filter: EventFilter,
    is_first: bool,
    is_over: bool,
}

impl Pages {
    /// What breaks off is seen to be broken off: the connection is closed.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.is_over {
            return None;
        }
        let filter = self.filter.clone();
        let events = self
            .app
            .with_history(move |history| history.events(&filter))
            .await;
        let events = match events {
            Ok(events) => events,
            Err(error) => {
                tracing::error!(
                    error = format!("{error:#}"),
                    "the log is not read to its end"
                );
                self.is_over = true;
                return Some(Err(io::Error::other("the log cannot be read")));
            }
        };
        self.is_over = events.len() < PAGE as usize;
        self.filter.before = events.last().map(|event| event.id);
        let written = write(std::mem::take(&mut self.is_first), events.into_iter());
        Some(written.map(Bytes::from))
    }
}

fn write(with_heading: bool, events: impl Iterator<Item = StoredEvent>) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    if with_heading {
        writer.write_record(HEADING)?;
    }
    for StoredEvent { id, event } in events {
        let parameters = event.parameters.iter();
        let parameters: Vec<String> = parameters
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let device = event.device.map(String::from).unwrap_or_default();
        let actor = event.actor.unwrap_or_default();
        writer.write_record([
            id.to_string(),
            event.time.to_string(),
            event.severity.as_str().to_owned(),
            harmless(event.kind.as_str()),
            harmless(&device),
            harmless(&actor),
            harmless(&parameters.join("; ")),
        ])?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// A text that begins like a formula is none: spreadsheets would carry it out
/// (<https://owasp.org/www-community/attacks/CSV_Injection>).
fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::{Event, EventKind, Severity};

    use super::*;

    #[test]
    fn a_line_of_the_log_is_a_line_of_the_table_and_no_formula() {
        let parameters = [
            ("name", "a, \"b\"".to_owned()),
            ("role", "admin".to_owned()),
        ];
        let time = "2026-11-22T10:00:00Z".parse().unwrap();
        let event = Event {
            device: Some("-ws".parse().unwrap()),
            actor: Some("=HYPERLINK(\"http://x\")".to_owned()),
            ..Event::new(time, EventKind::UserAdded, Severity::Info, parameters)
        };
        let text = write(true, std::iter::once(StoredEvent { id: 7, event })).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "id,time,severity,kind,device,actor,parameters\r\n\
             7,2026-11-22T10:00:00Z,info,user_added,'-ws,\"'=HYPERLINK(\"\"http://x\"\")\",\
             \"name=a, \"\"b\"\"; role=admin\"\r\n"
        );
    }
}
