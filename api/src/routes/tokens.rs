//! Tokens of programs.

use std::sync::Arc;

use netmonitor_store::hub::UserRole;
use poem::web::Data;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Json;

use super::{Done, Tag};
use crate::admin::Command;
use crate::app::App;
use crate::auth::Caller;
use crate::problem::Problem;
use crate::types::{NewToken, Time, Token, TokenPage, TokenSecret};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::People")]
impl Routes {
    /// Lists all API tokens, but not what they are. Needs the role admin.
    #[oai(path = "/tokens", method = "get", operation_id = "list_tokens")]
    async fn list(&self, caller: Caller, app: Data<&Arc<App>>) -> Result<Json<TokenPage>, Problem> {
        caller.at_least(UserRole::Admin)?;
        let tokens = app
            .with_hub(netmonitor_store::HubDb::tokens)
            .await
            .map_err(Problem::internal)??;
        let items = tokens.into_iter().map(Token::from).collect();
        Ok(Json(TokenPage { items, next: None }))
    }

    /// Makes an API token, and tells it once. Needs the role admin.
    ///
    /// A name that is taken is answered with 409.
    #[oai(path = "/tokens", method = "post", operation_id = "add_token")]
    async fn add(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<NewToken>,
    ) -> Result<Json<TokenSecret>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let Json(new) = body;
        let command = Command::TokenAdd {
            name: new.name.clone(),
            role: new.role.as_str().to_owned(),
            expires: new.expires.map(|until| until.0),
        };
        let outcome = app.administer(command, account.name).await?;
        Ok(Json(TokenSecret {
            name: new.name,
            token: outcome.output,
            expires: outcome.expires.map(Time),
        }))
    }

    /// Removes an API token: it is worth nothing any more. Needs the role admin.
    #[oai(
        path = "/tokens/:name",
        method = "delete",
        operation_id = "remove_token"
    )]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Name of the token, in any case.
        name: Path<String>,
    ) -> Result<Done, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let command = Command::TokenRemove { name: name.0 };
        app.administer(command, account.name).await?;
        Ok(Done::Done)
    }
}
