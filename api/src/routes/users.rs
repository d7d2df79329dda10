//! Accounts of people.

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
use crate::types::{NewPassword, NewUser, User, UserChange, UserPage};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::People")]
impl Routes {
    /// Lists all accounts. Needs the role admin.
    #[oai(path = "/users", method = "get", operation_id = "list_users")]
    async fn list(&self, caller: Caller, app: Data<&Arc<App>>) -> Result<Json<UserPage>, Problem> {
        caller.at_least(UserRole::Admin)?;
        let items = users(&app).await?;
        Ok(Json(UserPage { items, next: None }))
    }

    /// Makes an account. Needs the role admin.
    ///
    /// A name that is taken is answered with 409.
    #[oai(path = "/users", method = "post", operation_id = "add_user")]
    async fn add(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        body: Json<NewUser>,
    ) -> Result<Json<User>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let Json(new) = body;
        let command = Command::UserAdd {
            name: new.name.clone(),
            role: new.role.as_str().to_owned(),
            password: new.password,
        };
        app.administer(command, account.name).await?;
        user(&app, &new.name).await
    }

    /// Gives an account another role, which counts from the next request on. Needs the role admin.
    ///
    /// The last admin stays one: that is answered with 409.
    #[oai(path = "/users/:name", method = "patch", operation_id = "change_user")]
    async fn change(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Name of the account, in any case.
        name: Path<String>,
        body: Json<UserChange>,
    ) -> Result<Json<User>, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let command = Command::UserRole {
            name: name.0.clone(),
            role: body.0.role.as_str().to_owned(),
        };
        app.administer(command, account.name).await?;
        user(&app, &name.0).await
    }

    /// Removes an account, and logs it out everywhere. Needs the role admin.
    ///
    /// Neither one's own account can be removed nor that of the last admin: that is answered with 409.
    #[oai(path = "/users/:name", method = "delete", operation_id = "remove_user")]
    async fn remove(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Name of the account, in any case.
        name: Path<String>,
    ) -> Result<Done, Problem> {
        let is_own = caller.is_person(&name.0);
        let account = caller.at_least(UserRole::Admin)?;
        if is_own {
            return Err(Problem::conflict(
                "This is your own account: another admin can remove it.",
            ));
        }
        let command = Command::UserRemove { name: name.0 };
        app.administer(command, account.name).await?;
        Ok(Done::Done)
    }

    /// Sets the password of an account, and logs it out everywhere. Needs the role admin.
    ///
    /// `POST /account/password` is for one's own.
    #[oai(
        path = "/users/:name/password",
        method = "put",
        operation_id = "set_user_password"
    )]
    async fn set_password(
        &self,
        caller: Caller,
        app: Data<&Arc<App>>,
        /// Name of the account, in any case.
        name: Path<String>,
        body: Json<NewPassword>,
    ) -> Result<Done, Problem> {
        let account = caller.at_least(UserRole::Admin)?;
        let command = Command::UserPasswd {
            name: name.0,
            password: body.0.password,
            keep_session: None,
        };
        app.administer(command, account.name).await?;
        Ok(Done::Done)
    }
}

async fn users(app: &App) -> Result<Vec<User>, Problem> {
    let known = app
        .with_hub(netmonitor_store::HubDb::accounts)
        .await
        .map_err(Problem::internal)??;
    Ok(known.into_iter().map(User::from).collect())
}

/// The account as it is now.
async fn user(app: &App, name: &str) -> Result<Json<User>, Problem> {
    let found = users(app).await?.into_iter();
    let mut found = found.filter(|user| user.name.eq_ignore_ascii_case(name));
    // Somebody else may have removed it meanwhile.
    let gone = || Problem::not_found(format!("There is no account {name:?} any more."));
    found.next().map(Json).ok_or_else(gone)
}
