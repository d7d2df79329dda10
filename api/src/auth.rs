//! Who asks: a browser with a session cookie, or a program with a bearer token.

use std::sync::Arc;

use jiff::Timestamp;
use netmonitor_service::clock;
use netmonitor_store::hub::{Account, UserRole};
use poem::error::ResponseError;
use poem::http::{Method, StatusCode};
use poem::web::cookie::{Cookie, SameSite};
use poem::{FromRequest as _, Request};
use poem_openapi::SecurityScheme;
use poem_openapi::auth::{ApiKey, Bearer};
use poem_openapi::error::AuthorizationError;

use crate::app::App;
use crate::problem::Problem;

/// Name of the session cookie.
pub(crate) const COOKIE: &str = "netmonitor_session";

/// A browser sends this header only from a page of the hub itself: a form on another site
/// cannot.
pub(crate) const CSRF_HEADER: &str = "x-requested-with";

/// What the header says.
const CSRF_VALUE: &str = "netmonitor";

/// Whoever was recognised. Of whoever is not, the last kind says why: it alone has more to say
/// than that.
#[derive(SecurityScheme)]
pub(crate) enum Caller {
    /// A browser.
    Browser(BrowserCaller),
    /// A program.
    Token(TokenCaller),
}

/// The token was good once.
#[derive(Debug, thiserror::Error)]
#[error(
    "This API token was good until {0}: have an admin make a new one, with `netmonitor token add` \
     or `POST /tokens`."
)]
pub(crate) struct Expired(Timestamp);

impl ResponseError for Expired {
    fn status(&self) -> StatusCode {
        StatusCode::UNAUTHORIZED
    }
}

/// API token, made with `netmonitor token add` or `POST /tokens`.
#[derive(SecurityScheme)]
#[oai(rename = "token", ty = "bearer", checker = "check_token")]
pub(crate) struct TokenCaller(Account);

/// Session cookie of a browser that has logged in. Requests that change something also need the
/// header `X-Requested-With: netmonitor`.
#[derive(SecurityScheme)]
#[oai(
    rename = "session",
    ty = "api_key",
    key_in = "cookie",
    key_name = "netmonitor_session",
    checker = "check_cookie"
)]
pub(crate) struct BrowserCaller(Account);

impl Caller {
    /// The account, whatever it may do.
    pub(crate) fn account(self) -> Account {
        match self {
            Self::Token(TokenCaller(account)) | Self::Browser(BrowserCaller(account)) => account,
        }
    }

    /// The account of a person, who alone has a password and sessions.
    pub(crate) fn person(self) -> Result<Account, Problem> {
        match self {
            Self::Browser(BrowserCaller(account)) => Ok(account),
            Self::Token(TokenCaller(account)) => Err(Problem::forbidden(format!(
                "{:?} is an API token, which has no account: log in with name and password.",
                account.name
            ))),
        }
    }

    /// Whether it is the person with this account, named in any case.
    pub(crate) fn is_person(&self, name: &str) -> bool {
        matches!(self, Self::Browser(BrowserCaller(it)) if it.name.eq_ignore_ascii_case(name))
    }

    /// The account, if it may do what `needed` may.
    pub(crate) fn at_least(self, needed: UserRole) -> Result<Account, Problem> {
        let account = self.account();
        if account.role >= needed {
            return Ok(account);
        }
        Err(Problem::forbidden(format!(
            "This needs the role {needed}; {:?} is {}.",
            account.name, account.role
        )))
    }
}

async fn app(request: &Request) -> Option<Arc<App>> {
    let data = poem::web::Data::<&Arc<App>>::from_request_without_body(request).await;
    data.ok().map(|poem::web::Data(app)| app.clone())
}

async fn check_token(request: &Request, bearer: Bearer) -> poem::Result<Account> {
    let app = app(request).await.ok_or(AuthorizationError)?;
    by_token(&app, bearer.token).await
}

/// The account of a program with this token.
pub(crate) async fn by_token(app: &App, token: String) -> poem::Result<Account> {
    let found = or_fault(app.with_hub(move |hub| hub.token(&token)).await);
    let token = found.ok_or(AuthorizationError)?;
    match token.expires_at {
        Some(until) if token.is_expired(clock::now()) => Err(Expired(until).into()),
        _ => Ok(token.account),
    }
}

async fn check_cookie(request: &Request, cookie: ApiKey) -> Option<Account> {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    let is_own_page = request
        .headers()
        .get(CSRF_HEADER)
        .is_some_and(|it| it == CSRF_VALUE);
    if !is_safe && !is_own_page {
        return None;
    }
    let now = clock::now();
    let found = app(request)
        .await?
        .with_hub(move |hub| hub.web_session(&cookie.key, now))
        .await;
    or_fault(found)
}

/// A database that cannot be read recognises nobody.
fn or_fault<T, E: std::fmt::Display>(found: anyhow::Result<Result<Option<T>, E>>) -> Option<T> {
    match found {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => {
            tracing::error!(%error, "credential not checked");
            None
        }
        Err(error) => {
            tracing::error!(%error, "credential not checked");
            None
        }
    }
}

/// The cookie that keeps a browser logged in; for no days, the one that ends that. While the
/// hub also answers without TLS, both must be able to set it: a browser does not let the one
/// replace a `Secure` cookie of the other.
pub(crate) fn session_cookie(value: &str, days: u32, is_https_only: bool) -> Cookie {
    let mut cookie = Cookie::new_with_str(COOKIE, value);
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Strict);
    cookie.set_secure(is_https_only);
    let seconds = u64::from(days) * 24 * 3600;
    cookie.set_max_age(std::time::Duration::from_secs(seconds));
    cookie
}
