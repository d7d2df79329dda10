//! The first admin of a new hub.

use std::sync::Arc;

use netmonitor_service::clock;
use netmonitor_store::hub::{AddError, AuditLine, SetupError};
use netmonitor_store::password::HashedPassword;
use poem::Request;
use poem::web::Data;
use poem::web::cookie::CookieJar;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::payload::Json;

use super::{Tag, login};
use crate::app::App;
use crate::problem::Problem;
use crate::types::{Account, Setup, SetupStatus};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Setup")]
impl Routes {
    /// Tells whether the hub still needs its first admin.
    ///
    /// With the token of a setup link it also tells whether that link is still good.
    #[oai(path = "/setup", method = "get", operation_id = "get_setup")]
    async fn status(
        &self,
        app: Data<&Arc<App>>,
        /// The token of the setup link.
        token: Query<Option<String>>,
    ) -> Result<Json<SetupStatus>, Problem> {
        let ask = move |hub: &netmonitor_store::HubDb| {
            let needed = !hub.has_admin()?;
            let token_valid = token
                .0
                .map(|token| hub.is_setup_token(&token))
                .transpose()?;
            Ok::<_, netmonitor_store::StoreError>(SetupStatus {
                needed,
                token_valid,
            })
        };
        let status = app.with_hub(ask).await.map_err(Problem::internal)??;
        Ok(Json(status))
    }

    /// Makes the first admin and logs the browser in. The setup link dies with it.
    #[oai(path = "/setup", method = "post", operation_id = "set_up")]
    async fn set_up(
        &self,
        app: Data<&Arc<App>>,
        request: &Request,
        cookies: &CookieJar,
        body: Json<Setup>,
    ) -> Result<Json<Account>, Problem> {
        let now = clock::now();
        let Json(Setup {
            token,
            name,
            password,
        }) = body;
        let _turn = app
            .password_turn
            .acquire()
            .await
            .map_err(Problem::internal)?;
        let made = app
            .with_hub(move |hub| {
                let is_good = hub.is_setup_token(&token).map_err(AddError::from)?;
                if !is_good {
                    return Err(SetupError::Token.into());
                }
                let password = HashedPassword::new(&password)?;
                let audit = AuditLine {
                    at: now,
                    actor: "setup",
                };
                Ok::<_, Failure>(hub.set_up(&token, &name, &password, audit)?)
            })
            .await
            .map_err(Problem::internal)?;
        let account = made.map_err(Failure::into_problem)?;
        login::start_session(&app, request, cookies, &account).await?;
        Ok(Json(account.into()))
    }
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Add(#[from] AddError),
    #[error(transparent)]
    Password(#[from] netmonitor_store::password::PasswordError),
}

impl Failure {
    fn into_problem(self) -> Problem {
        match self {
            Self::Setup(error @ SetupError::Token) => Problem::forbidden(sentence(&error)),
            Self::Setup(SetupError::Add(error)) | Self::Add(error) => match error {
                AddError::Store(error) => error.into(),
                error => Problem::bad_request(sentence(&error)),
            },
            Self::Password(error) => Problem::bad_request(sentence(&error)),
        }
    }
}

/// Errors begin with a small letter for the log; people read sentences.
fn sentence(error: &impl ToString) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
