//! What an admin can set about alerts as a whole.

use std::sync::Arc;

use netmonitor_protocol::payload::AlertingSettings as Stored;
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
use crate::types::{AlertingSettings, AlertingSettingsChange};

pub(crate) struct Routes;

fn shown(stored: &Stored) -> Tagged<AlertingSettings> {
    Of::Alerting.tagged(stored.revision, stored.into())
}

#[OpenApi(tag = "Tag::Alerts")]
impl Routes {
    /// Tells what is set about alerts as a whole.
    #[oai(
        path = "/settings/alerting",
        method = "get",
        operation_id = "get_alerting_settings"
    )]
    async fn get(
        &self,
        _caller: Caller,
        app: Data<&Arc<App>>,
    ) -> Result<Tagged<AlertingSettings>, Problem> {
        Ok(shown(&app.settings().await?))
    }

    /// Changes what is set about alerts as a whole, what is named only. Needs the role admin.
    #[oai(
        path = "/settings/alerting",
        method = "patch",
        operation_id = "change_alerting_settings"
    )]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// `ETag` of the settings that the change is made to.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: Json<AlertingSettingsChange>,
    ) -> Result<Tagged<AlertingSettings>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let wish = Of::Alerting.wish(account.name, if_match.0.as_deref());
        let change = move |settings: &mut Stored| body.0.apply(settings);
        Ok(shown(&app.change_alerting(wish, change).await?))
    }
}
