//! Settings on their way from an admin to the other services: stored first, then published.

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{Event, EventKind, HistorySettings, Severity};
use netmonitor_service::clock;
use netmonitor_store::HubDb;
use netmonitor_store::hub::{AuditLine, HistoryChange, SettingsError};

use crate::app::App;
use crate::problem::Problem;

impl From<SettingsError> for Problem {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Changed { .. } => Self::precondition_failed(
                "Somebody else has changed the settings meanwhile. Nothing was changed: read \
                 them anew and try again.",
            ),
            SettingsError::Value(text) => Self::bad_request(format!("{text}.")),
            SettingsError::Store(error) => error.into(),
        }
    }
}

impl App {
    /// Changes how long the history is kept, and tells the other services and the log.
    /// `expected`: the revisions of which one must be the present one.
    pub(crate) async fn change_history_settings(
        &self,
        change: HistoryChange,
        expected: Option<Vec<u64>>,
        actor: String,
    ) -> Result<HistorySettings, Problem> {
        let at = clock::now();
        let who = actor.clone();
        let work = move |hub: &HubDb| {
            let audit = AuditLine { at, actor: &who };
            let before = hub.history_settings()?.revision;
            let after = hub.change_history_settings(change, expected.as_deref(), audit)?;
            Ok::<_, SettingsError>((after.revision != before, after))
        };
        let (is_changed, settings) = self.with_hub(work).await.map_err(Problem::internal)??;
        if is_changed {
            self.publish_settings().await;
            let section = [("section", "history".to_owned())];
            self.log(Event {
                actor: Some(actor),
                ..Event::new(at, EventKind::SettingsChanged, Severity::Info, section)
            })
            .await;
        }
        Ok(settings)
    }

    /// Publishes the settings as they are stored. One at a time, so that the newest is what
    /// stays retained.
    pub(crate) async fn publish_settings(&self) {
        let _turn = self.settings_turn.lock().await;
        match self.with_hub(HubDb::history_settings).await {
            Ok(Ok(history)) => self.send(Message::HistorySettings(history)).await,
            Ok(Err(error)) => tracing::error!(%error, "settings not published"),
            Err(error) => tracing::error!(%error, "settings not published"),
        }
    }
}
