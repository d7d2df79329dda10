//! `netmonitor-agent notify`: shows on the desktop what the agent, which is a service and cannot
//! reach one, tells over its socket.

mod texts;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use netmonitor_protocol::payload::{Notification, Severity};
use netmonitor_service::language::Language;
use netmonitor_service::{clock, environment};
use notify_rust::{Timeout, Urgency};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::local::{Listening, listen};
use crate::notices::Notice;
use texts::{Texts, texts};

/// The wait before the agent is looked for again: it may be started later, or anew.
const AGAIN: Duration = Duration::from_secs(5);

/// Alerts whose notification can be replaced; more are shown beside the older ones.
const ALERTS: usize = 256;

/// What waits to be shown: of more the oldest goes.
const WAITING: usize = 16;

/// Characters of a title that are shown: of more nobody reads the end.
const TITLE: usize = 200;

/// The same of a text.
const TEXT: usize = 2000;

/// How long a notification stays that is only good to know.
const STAYS: Duration = Duration::from_secs(10);

/// Whether what shows notifications takes their text for markup, in which whoever sends one could hide
/// links and images (Desktop Notifications Specification, `body-markup`).
async fn reads_markup() -> bool {
    let asked = tokio::task::spawn_blocking(notify_rust::get_capabilities).await;
    // If it does not say so, it may.
    !matches!(asked, Ok(Ok(can)) if can.iter().all(|it| it != "body-markup"))
}

/// The text as markup that shows it as it is.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Shows notices until told to stop.
pub(crate) async fn notify(sockets: &[PathBuf], stop: CancellationToken) {
    let mut desktop = Desktop::new(Language::of(environment::language().as_deref()));
    let work = async {
        loop {
            match listen(sockets).await {
                Ok(notices) => desktop.follow(notices).await,
                Err(error) => tracing::debug!(%error, "no agent answers; trying again"),
            }
            sleep(AGAIN).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// The desktop of whoever is logged in.
struct Desktop {
    texts: &'static Texts,
    /// What is shown of the connection: a newer one takes its place.
    connection: Option<u32>,
    /// The same of each alert.
    alerts: HashMap<String, u32>,
    /// What could not be shown: at the begin of a session what shows it may be started later.
    waiting: VecDeque<Notice>,
    /// It was said that nothing can be shown.
    is_told: bool,
}

impl Desktop {
    fn new(language: Language) -> Self {
        Self {
            texts: texts(language),
            connection: None,
            alerts: HashMap::new(),
            waiting: VecDeque::new(),
            is_told: false,
        }
    }

    /// Shows what comes, until the agent ends.
    async fn follow(&mut self, mut notices: Listening) {
        loop {
            let notice = tokio::select! {
                notice = notices.next() => notice,
                () = sleep(AGAIN), if !self.waiting.is_empty() => {
                    for notice in std::mem::take(&mut self.waiting) {
                        self.show(notice).await;
                    }
                    continue;
                }
            };
            match notice {
                Ok(Some(notice)) => self.show(notice).await,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "a notice is not understood");
                    return;
                }
            }
        }
    }

    async fn show(&mut self, notice: Notice) {
        let mut shown = notify_rust::Notification::new();
        shown.appname("NetMonitor").icon("network-server");
        let is_shown = match &notice {
            Notice::Connected { hub } => {
                shown
                    .summary(self.texts.connected)
                    .body(&(self.texts.connected_to)(hub))
                    .urgency(Urgency::Low)
                    .timeout(Timeout::from(STAYS));
                self.of_connection(&mut shown).await
            }
            Notice::Unreachable { since } => {
                let since = since.to_zoned(jiff::tz::TimeZone::system());
                let since = since.strftime("%H:%M").to_string();
                shown
                    .summary(self.texts.unreachable)
                    .body(&(self.texts.unreachable_since)(&since))
                    .urgency(Urgency::Normal);
                self.of_connection(&mut shown).await
            }
            Notice::Message(message) => self.message(&mut shown, message).await,
            Notice::Unknown => true,
        };
        if !is_shown {
            self.keep(notice);
        }
    }

    /// Keeps what could not be shown: of the connection only the newest, since it is over.
    fn keep(&mut self, notice: Notice) {
        if !matches!(notice, Notice::Message(_)) {
            self.waiting.retain(|it| matches!(it, Notice::Message(_)));
        }
        if self.waiting.len() >= WAITING {
            self.waiting.pop_front();
        }
        self.waiting.push_back(notice);
    }

    /// Whether it is shown.
    async fn of_connection(&mut self, shown: &mut notify_rust::Notification) -> bool {
        let number = self.replace(shown, self.connection).await;
        self.connection = number.or(self.connection);
        number.is_some()
    }

    /// Whether it is shown, or is not worth it any more.
    async fn message(
        &mut self,
        shown: &mut notify_rust::Notification,
        message: &Notification,
    ) -> bool {
        if message
            .expires
            .is_some_and(|expires| expires <= clock::now())
        {
            return true;
        }
        let text: String = message.text.chars().take(TEXT).collect();
        let title: String = message.title.chars().take(TITLE).collect();
        let text = if reads_markup().await {
            without_markup(&text)
        } else {
            text
        };
        shown.summary(&title).body(&text);
        match message.severity {
            Severity::Critical => shown.urgency(Urgency::Critical).timeout(Timeout::Never),
            Severity::Warning => shown.urgency(Urgency::Normal),
            Severity::Info | Severity::Unknown => {
                shown.urgency(Urgency::Low).timeout(Timeout::from(STAYS))
            }
        };
        let before = message.alert.as_ref().and_then(|it| self.alerts.get(it));
        let Some(number) = self.replace(shown, before.copied()).await else {
            return false;
        };
        if let Some(alert) = &message.alert {
            if self.alerts.len() >= ALERTS {
                self.alerts.clear();
            }
            self.alerts.insert(alert.clone(), number);
        }
        true
    }

    /// Shows it, in place of an older one if that is still there, and returns its number. None if
    /// nothing can be shown now.
    async fn replace(
        &mut self,
        shown: &mut notify_rust::Notification,
        before: Option<u32>,
    ) -> Option<u32> {
        if let Some(before) = before {
            shown.id(before);
        }
        match shown.show_async().await {
            Ok(handle) => {
                self.is_told = false;
                Some(handle.id())
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_told, true) {
                    let error = error.to_string();
                    tracing::warn!(error, "the desktop shows no notifications; trying again");
                }
                None
            }
        }
    }
}
