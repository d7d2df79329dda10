//! What an admin can set for the hub as a whole.

use std::sync::Arc;

use netmonitor_protocol::payload::HistorySettings;
use netmonitor_store::HistoryReader;
use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Header;
use poem_openapi::payload::Json;

use super::Tag;
use super::tagged::{Of, Tagged};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{Settings, SettingsChange};

pub(crate) struct Routes;

async fn shown(app: &App, history: HistorySettings) -> Tagged<Settings> {
    let size = app.with_history(HistoryReader::overview).await;
    // A history that cannot be read can be set all the same.
    let size = size.unwrap_or_else(|error| {
        tracing::warn!(error = format!("{error:#}"), "history not read");
        None
    });
    Of::History.tagged(history.revision, Settings::new(&history, size))
}

#[OpenApi(tag = "Tag::Hub")]
impl Routes {
    /// Tells the settings of the hub.
    #[oai(path = "/settings", method = "get", operation_id = "get_settings")]
    async fn get(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Tagged<Settings>, Problem> {
        Ok(shown(&app, app.settings().await?).await)
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
    ) -> Result<Tagged<Settings>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let wish = Of::History.wish(account.name, if_match.0.as_deref());
        let change = body.0.history.unwrap_or_default();
        let change = move |settings: &mut HistorySettings| change.apply(settings);
        let history = app.change_history_settings(wish, change).await?;
        Ok(shown(&app, history).await)
    }
}
