//! On the hub's own desktop.

use netmonitor_rules::alert::Notice;

use super::SendError;
use crate::words::Words;

#[cfg(unix)]
pub(super) use shown::Desktop;

/// The desktop of whoever is logged in as the user that runs the hub.
#[cfg(not(unix))]
#[derive(Debug, Default)]
pub(super) struct Desktop;

#[cfg(not(unix))]
impl Desktop {
    pub(super) async fn show(&self, _: &Notice, _: &Words) -> Result<String, SendError> {
        Err(SendError::permanent(
            "on this system the hub shows no notifications on its own desktop",
        ))
    }
}

#[cfg(unix)]
mod shown {
    use std::collections::HashMap;
    use std::sync::{Mutex, PoisonError};

    use netmonitor_protocol::payload::Severity;
    use notify_rust::{Notification, Timeout, Urgency};

    use super::super::{about, is_urgent};
    use super::{Notice, SendError, Words};

    /// Alerts whose notification can be replaced; when there are more all are forgotten, and newer
    /// ones are shown beside the older.
    const REPLACEABLE: usize = 256;

    /// The desktop of whoever is logged in as the user that runs the hub.
    #[derive(Debug, Default)]
    pub(in super::super) struct Desktop {
        /// By what it is about, the number of what is shown.
        numbers: Mutex<HashMap<String, u32>>,
    }

    impl Desktop {
        pub(in super::super) async fn show(
            &self,
            notice: &Notice,
            words: &Words,
        ) -> Result<String, SendError> {
            let about = about(notice);
            let body = body(words).await?;
            let mut shown = Notification::new();
            shown
                .appname("NetMonitor")
                .icon("network-server")
                .summary(&words.title)
                .body(&body);
            match notice.severity {
                Severity::Critical if is_urgent(notice) => {
                    shown.urgency(Urgency::Critical).timeout(Timeout::Never)
                }
                Severity::Warning if is_urgent(notice) => shown.urgency(Urgency::Normal),
                _ => shown.urgency(Urgency::Low),
            };
            if let Some(before) = self.numbers().get(&about) {
                shown.id(*before);
            }
            let handle = shown
                .show_async()
                .await
                .map_err(|error| no_desktop(&error))?;
            let mut numbers = self.numbers();
            if numbers.len() >= REPLACEABLE {
                numbers.clear();
            }
            numbers.insert(about, handle.id());
            Ok("shown on the hub's desktop".to_owned())
        }

        fn numbers(&self) -> std::sync::MutexGuard<'_, HashMap<String, u32>> {
            self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
        }
    }

    /// The text as what shows it takes it: plain, or as markup (Desktop Notifications Specification,
    /// `body-markup`), in which nothing must be that looks like a tag.
    async fn body(words: &Words) -> Result<String, SendError> {
        let asked = tokio::task::spawn_blocking(notify_rust::get_capabilities).await;
        let can = match asked {
            Ok(can) => can.map_err(|error| no_desktop(&error))?,
            Err(error) => return Err(SendError::passing(error.to_string())),
        };
        let text = match &words.link {
            Some(link) => format!("{}\n{link}", words.text),
            None => words.text.clone(),
        };
        if can.iter().all(|it| it != "body-markup") {
            return Ok(text);
        }
        Ok(text
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;"))
    }

    /// There may be one later, when somebody has logged in.
    fn no_desktop(error: &notify_rust::error::Error) -> SendError {
        SendError::passing(format!(
            "there is no desktop here that shows notifications: the hub must run as a user who is \
             logged in to one ({error})"
        ))
    }
}
