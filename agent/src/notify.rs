//! `netmonitor-agent notify`: shows on the desktop what the agent, which is a service and cannot
//! reach one, tells over its socket.

mod texts;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use netmonitor_protocol::payload::{Notification, Severity};
use netmonitor_service::environment;
use notify_rust::{Timeout, Urgency};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::language::Language;
use crate::local::listen;
use crate::notices::Notice;
use texts::{Texts, texts};

/// The wait before the agent is looked for again: it may be started later, or anew.
const AGAIN: Duration = Duration::from_secs(5);

/// Alerts whose notification can be replaced; more are shown beside the older ones.
const ALERTS: usize = 256;

/// How long a notification stays that is only good to know.
const STAYS: Duration = Duration::from_secs(10);

/// Shows notices until told to stop.
pub(crate) async fn notify(sockets: &[PathBuf], stop: CancellationToken) {
    let mut desktop = Desktop::new(Language::of(environment::language().as_deref()));
    let work = async {
        loop {
            match listen(sockets).await {
                Ok(mut notices) => loop {
                    match notices.next().await {
                        Ok(Some(notice)) => desktop.show(notice).await,
                        Ok(None) => break,
                        Err(error) => {
                            tracing::warn!(%error, "a notice is not understood");
                            break;
                        }
                    }
                },
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
    /// It was said that nothing can be shown.
    is_told: bool,
}

impl Desktop {
    fn new(language: Language) -> Self {
        Self {
            texts: texts(language),
            connection: None,
            alerts: HashMap::new(),
            is_told: false,
        }
    }

    async fn show(&mut self, notice: Notice) {
        let mut shown = notify_rust::Notification::new();
        shown.appname("NetMonitor").icon("network-server");
        match notice {
            Notice::Connected { hub } => {
                shown
                    .summary(self.texts.connected)
                    .body(&(self.texts.connected_to)(&hub))
                    .urgency(Urgency::Low)
                    .timeout(Timeout::from(STAYS));
                self.connection = self.replace(&mut shown, self.connection).await;
            }
            Notice::Unreachable { since } => {
                let since = since.to_zoned(jiff::tz::TimeZone::system());
                let since = since.strftime("%H:%M").to_string();
                shown
                    .summary(self.texts.unreachable)
                    .body(&(self.texts.unreachable_since)(&since))
                    .urgency(Urgency::Normal);
                self.connection = self.replace(&mut shown, self.connection).await;
            }
            Notice::Message(message) => self.message(&mut shown, message).await,
            Notice::Unknown => {}
        }
    }

    async fn message(&mut self, shown: &mut notify_rust::Notification, message: Notification) {
        shown.summary(&message.title).body(&message.text);
        match message.severity {
            Severity::Critical => shown.urgency(Urgency::Critical).timeout(Timeout::Never),
            Severity::Warning => shown.urgency(Urgency::Normal),
            Severity::Info | Severity::Unknown => {
                shown.urgency(Urgency::Low).timeout(Timeout::from(STAYS))
            }
        };
        let before = message.alert.as_ref().and_then(|it| self.alerts.get(it));
        let id = self.replace(shown, before.copied()).await;
        if let (Some(alert), Some(id)) = (message.alert, id) {
            if self.alerts.len() >= ALERTS {
                self.alerts.clear();
            }
            self.alerts.insert(alert, id);
        }
    }

    /// Shows it, in place of an older one if that is still there, and returns its number.
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
                    tracing::warn!(error, "the desktop shows no notifications");
                }
                before
            }
        }
    }
}
