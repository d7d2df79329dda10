//! What an admin can set for the hub as a whole.

use std::sync::Arc;

use netmonitor_protocol::payload::HistorySettings;
use netmonitor_store::HistoryReader;
use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::param::Header;
use poem_openapi::payload::Json;
use poem_openapi::{ApiResponse, OpenApi};

use super::Tag;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{self, Settings, SettingsChange};

pub(crate) struct Routes;

/// The settings, and the name of their state.
#[derive(ApiResponse)]
enum Answer {
    /// The settings.
    #[oai(status = 200)]
    Settings(
        Json<Settings>,
        /// Names this state of the settings, for `If-Match`.
        #[oai(header = "ETag")]
        String,
    ),
}

impl Answer {
    async fn new(app: &App, history: HistorySettings) -> Self {
        let size = app.with_history(HistoryReader::overview).await;
        // A history that cannot be read can be set all the same.
        let size = size.unwrap_or_else(|error| {
            tracing::warn!(error = format!("{error:#}"), "history not read");
            None
        });
        let settings = Settings::new(&history, size);
        let etag = settings.etag();
        Self::Settings(Json(settings), etag)
    }
}

#[OpenApi(tag = "Tag::Hub")]
impl Routes {
    /// Tells the settings of the hub.
    #[oai(path = "/settings", method = "get", operation_id = "get_settings")]
    async fn get(&self, _caller: Caller, app: Data<&Arc<App>>) -> Result<Answer, Problem> {
        let history = app
            .with_hub(netmonitor_store::HubDb::history_settings)
            .await
            .map_err(Problem::internal)??;
        Ok(Answer::new(&app, history).await)
    }

    /// Changes the settings of the hub, those that are named only. Needs the role admin.
    ///
    /// With `If-Match` and the `ETag` of the answer that was read, nobody overwrites what
    /// somebody else has changed meanwhile: that is answered with 412.
    #[oai(path = "/settings", method = "patch", operation_id = "change_settings")]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// `ETag` of the settings that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<SettingsChange>,
    ) -> Result<Answer, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let change = body.0.history.unwrap_or_default();
        let expected = if_match.0.as_deref().and_then(types::revisions);
        let history = app
            .change_history_settings(change.into(), expected, account.name)
            .await?;
        Ok(Answer::new(&app, history).await)
    }
}
