//! Logging in and out.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::SignedDuration;
use netmonitor_protocol::payload::{Event, EventKind, Severity};
use netmonitor_service::{clock, random};
use netmonitor_store::hub;
use netmonitor_store::password::HashedPassword;
use poem::Request;
use poem::web::Data;
use poem::web::cookie::CookieJar;
use poem_openapi::OpenApi;
use poem_openapi::payload::Json;

use super::{Done, Tag};
use crate::app::App;
use crate::auth::{self, Caller};
use crate::problem::Problem;
use crate::types::{Account, Login};

pub(crate) struct Routes;

#[OpenApi(tag = "Tag::Login")]
impl Routes {
    /// Logs a browser in: it gets a session cookie.
    #[oai(path = "/login", method = "post", operation_id = "log_in")]
    async fn log_in(
        &self,
        app: Data<&Arc<App>>,
        request: &Request,
        cookies: &CookieJar,
        body: Json<Login>,
    ) -> Result<Json<Account>, Problem> {
        let Json(Login { name, password }) = body;
        if hub::check_name(&name).is_err() {
            // Nobody is called so: not worth a line in the log, nor a place in the memory.
            return Err(Problem::unauthorized("Name or password is wrong."));
        }
        app.limiter
            .attempt(&name, peer(request))
            .map_err(Problem::too_many)?;
        let Some(account) = check(&app, name.clone(), password).await? else {
            let tried = [("name", name), ("address", peer_text(request))];
            app.log(event(
                EventKind::LoginFailed,
                Severity::Warning,
                None,
                tried,
            ))
            .await;
            return Err(Problem::unauthorized("Name or password is wrong."));
        };
        start_session(&app, request, cookies, &account).await?;
        Ok(Json(account.into()))
    }

    /// Logs this browser out.
    #[oai(path = "/logout", method = "post", operation_id = "log_out")]
    async fn log_out(
        &self,
        app: Data<&Arc<App>>,
        cookies: &CookieJar,
        caller: Caller,
    ) -> Result<Done, Problem> {
        let account = caller.account();
        if let Some(cookie) = cookies.get(auth::COOKIE) {
            let value = cookie.value_str().to_owned();
            app.with_hub(move |hub| hub.remove_web_session(&value))
                .await
                .map_err(Problem::internal)??;
            cookies.add(auth::session_cookie("", 0, app.is_https_only()));
        }
        app.end_streams(&account.name);
        let actor = Some(account.name);
        app.log(event(EventKind::LoggedOut, Severity::Info, actor, []))
            .await;
        Ok(Done::Done)
    }
}

/// The account, if name and password are right. Takes as long for a name that does not exist.
pub(super) async fn check(
    app: &App,
    name: String,
    password: String,
) -> Result<Option<hub::Account>, Problem> {
    let _turn = app
        .password_turn
        .acquire()
        .await
        .map_err(Problem::internal)?;
    let checked = app
        .with_hub(move |hub| {
            let Some((account, stored)) = hub.account(&name)? else {
                HashedPassword::verify_nothing(&password);
                return Ok::<_, netmonitor_store::StoreError>(None);
            };
            Ok(stored.verify(&password).then_some(account))
        })
        .await
        .map_err(Problem::internal)?;
    Ok(checked?)
}

/// Gives the browser a new session, whatever cookie it had before.
pub(super) async fn start_session(
    app: &App,
    request: &Request,
    cookies: &CookieJar,
    account: &hub::Account,
) -> Result<(), Problem> {
    let cookie = random::token();
    let days = app.config.session_days.max(1);
    let now = clock::now();
    let expires = now
        .saturating_add(SignedDuration::from_hours(i64::from(days) * 24))
        .unwrap_or(now);
    let (value, name) = (cookie.clone(), account.name.clone());
    app.with_hub(move |hub| hub.add_web_session(&value, &name, now, expires))
        .await
        .map_err(Problem::internal)??;
    cookies.add(auth::session_cookie(&cookie, days, app.is_https_only()));
    let actor = Some(account.name.clone());
    let from = [("address", peer_text(request))];
    app.log(event(EventKind::LoggedIn, Severity::Info, actor, from))
        .await;
    Ok(())
}

pub(super) fn peer(request: &Request) -> Option<IpAddr> {
    request
        .remote_addr()
        .as_socket_addr()
        .map(std::net::SocketAddr::ip)
}

pub(super) fn peer_text(request: &Request) -> String {
    peer(request).map_or_else(String::new, |ip| ip.to_canonical().to_string())
}

pub(super) fn event<const N: usize>(
    kind: EventKind,
    severity: Severity,
    actor: Option<String>,
    parameters: [(&str, String); N],
) -> Event {
    Event {
        actor,
        ..Event::new(clock::now(), kind, severity, parameters)
    }
}
