//! Permission for new machines.

use std::sync::Arc;

use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::Tag;
use crate::admin::{Command, Refusal};
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{JoinCode, NewJoinCode};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Devices")]
impl Routes {
    /// Makes a join code: with it a new machine becomes a device. Needs the role admin.
    #[oai(path = "/join-codes", method = "post", operation_id = "add_join_code")]
    async fn add(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<NewJoinCode>,
    ) -> Result<Json<JoinCode>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let command = Command::JoinCodeAdd {
            uses: body.uses,
            expires_secs: body.expires_secs,
        };
        let outcome = app.administer(command, account.name).await?;
        Ok(Json(JoinCode {
            command: format!("netmonitor-agent join {}", outcome.output),
            code: outcome.output,
            expires: outcome.expires.unwrap_or_default().into(),
        }))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Input(text) => Self::bad_request(text),
            Refusal::NotFound { what, .. } => Self::not_found(what),
            Refusal::Conflict(text) => Self::conflict(text),
            Refusal::Fault(error) => Self::internal(error),
        }
    }
}
