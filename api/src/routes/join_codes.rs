//! Permission for new machines.

use std::sync::Arc;

use netmonitor_store::hub::UserRole;
use poem::Request;
use poem::http::header;
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
        request: &Request,
        body: Json<NewJoinCode>,
    ) -> Result<Json<JoinCode>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let origin = origin(request);
        let command = Command::JoinCodeAdd {
            uses: body.uses,
            expires_secs: body.expires_secs,
        };
        let outcome = app.administer(command, account.name).await?;
        let (admin, code) = (app.admin.clone(), outcome.output.clone());
        let ask = move || admin.install_line(&code, origin.as_deref());
        let told = tokio::task::spawn_blocking(ask).await;
        let install_command = told.map_err(Problem::internal)?.unwrap_or_else(|error| {
            // The code is made, and good without.
            let error = format!("{error:#}");
            tracing::warn!(error, "no agent can be handed out");
            None
        });
        Ok(Json(JoinCode {
            install_command,
            command: format!("netmonitor-agent join {}", outcome.output),
            code: outcome.output,
            expires: outcome.expires.unwrap_or_default().into(),
        }))
    }
}

/// The address at which a browser has opened the dashboard, or a program has found the API.
fn origin(request: &Request) -> Option<String> {
    if let Some(origin) = request.header(header::ORIGIN) {
        return Some(origin.to_owned());
    }
    let host = request.header(header::HOST)?;
    Some(format!("{}://{host}", request.scheme()))
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
