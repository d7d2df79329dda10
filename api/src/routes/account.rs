//! One's own account.

use std::sync::Arc;

use netmonitor_protocol::payload::{EventKind, Severity};
use poem::Request;
use poem::web::Data;
use poem::web::cookie::CookieJar;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::{Done, Tag, login};
use crate::admin::Command;
use crate::app::App;
use crate::auth::{self, Caller};
use crate::problem::Problem;
use crate::types::{Account, PasswordChange};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Login")]
impl Routes {
    /// Tells who is logged in.
    #[oai(path = "/account", method = "get", operation_id = "get_account")]
    async fn account(&self, caller: Caller) -> Result<Json<Account>, Problem> {
        Ok(Json(caller.account().into()))
    }

    /// Changes one's own password, and logs all other browsers of this person out.
    ///
    /// A wrong old password, and an API token, which has no account, are answered with 403. Attempts
    /// are limited together with those to log in.
    #[oai(
        path = "/account/password",
        method = "post",
        operation_id = "change_password"
    )]
    async fn change_password(
        &self,
        app: Data<&Arc<App>>,
        request: &Request,
        cookies: &CookieJar,
        caller: Caller,
        body: Json<PasswordChange>,
    ) -> Result<Done, Problem> {
        let name = caller.person()?.name;
        let Json(PasswordChange { old, new }) = body;
        app.limiter
            .attempt(&name, login::peer(request))
            .map_err(Problem::too_many)?;
        if login::check(&app, name.clone(), old).await?.is_none() {
            let tried = [
                ("name", name.clone()),
                ("address", login::peer_text(request)),
            ];
            let failed = EventKind::LoginFailed;
            app.log(login::event(failed, Severity::Warning, Some(name), tried))
                .await;
            return Err(Problem::forbidden(
                "The old password is wrong: nothing was changed.",
            ));
        }
        let cookie = cookies.get(auth::COOKIE);
        let command = Command::UserPasswd {
            name: name.clone(),
            password: new,
            keep_session: cookie.map(|cookie| cookie.value_str().to_owned()),
        };
        app.administer(command, name).await?;
        Ok(Done::Done)
    }

    /// Logs this person out in all browsers, this one included.
    ///
    /// An API token has no account: that is answered with 403.
    #[oai(
        path = "/account/logout-everywhere",
        method = "post",
        operation_id = "log_out_everywhere"
    )]
    async fn log_out_everywhere(
        &self,
        app: Data<&Arc<App>>,
        cookies: &CookieJar,
        caller: Caller,
    ) -> Result<Done, Problem> {
        let name = caller.person()?.name;
        let command = Command::UserLogOut { name: name.clone() };
        app.administer(command, name).await?;
        cookies.add(auth::session_cookie("", 0, app.is_https_only()));
        Ok(Done::Done)
    }
}
