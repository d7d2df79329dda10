//! Accounts of people, and tokens of programs.

use jiff::Timestamp;
use netmonitor_protocol::payload::EventKind;
use netmonitor_service::random;
use netmonitor_store::hub::{Account, AuditLine, NewToken, UserRole};
use netmonitor_store::password::HashedPassword;

use super::listing::table;
use super::{Admin, Outcome, Refusal, done};
use crate::reach;

impl Admin {
    pub(super) fn user_add(
        &self,
        name: String,
        role: &str,
        password: &str,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let role: UserRole = role.parse().map_err(Refusal::Input)?;
        let account = Account { name, role };
        let password = HashedPassword::new(password)?;
        self.hub.add_account(&account, &password, audit)?;
        let parameters = [("name", account.name), ("role", role.to_string())];
        Ok(done(audit, EventKind::UserAdded, parameters))
    }

    pub(super) fn user_list(&self) -> Result<Outcome, Refusal> {
        let rows = self.hub.accounts()?.into_iter().map(|known| {
            let (created, role) = (known.created_at.to_string(), known.account.role);
            [known.account.name, role.to_string(), created]
        });
        Ok(table(["NAME", "ROLE", "MADE"], rows))
    }

    pub(super) fn user_passwd(
        &self,
        name: &str,
        password: &str,
        keep_session: Option<&str>,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let password = HashedPassword::new(password)?;
        let changed = self
            .hub
            .set_password(name, &password, keep_session, audit)?;
        let name = changed.ok_or_else(|| no_account(name))?;
        Ok(Outcome {
            logged_out: Some(name.clone()),
            ..done(audit, EventKind::PasswordChanged, [("name", name)])
        })
    }

    pub(super) fn user_role(
        &self,
        name: &str,
        role: &str,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let role: UserRole = role.parse().map_err(Refusal::Input)?;
        let changed = self.hub.set_role(name, role, audit)?;
        let (account, was) = changed.ok_or_else(|| no_account(name))?;
        if was == role {
            return Ok(Outcome::default());
        }
        let parameters = [
            ("name", account.name),
            ("role", role.to_string()),
            ("was", was.to_string()),
        ];
        Ok(done(audit, EventKind::UserChanged, parameters))
    }

    pub(super) fn user_log_out(
        &self,
        name: String,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        self.hub.remove_web_sessions(&name, audit)?;
        let everywhere = [("everywhere", "yes".to_owned())];
        Ok(Outcome {
            logged_out: Some(name),
            ..done(audit, EventKind::LoggedOut, everywhere)
        })
    }

    pub(super) fn user_remove(&self, name: &str, audit: AuditLine<'_>) -> Result<Outcome, Refusal> {
        let removed = self.hub.remove_account(name, audit)?;
        let name = removed.ok_or_else(|| no_account(name))?;
        Ok(Outcome {
            logged_out: Some(name.clone()),
            ..done(audit, EventKind::UserRemoved, [("name", name)])
        })
    }

    pub(super) fn token_add(
        &self,
        name: String,
        role: &str,
        expires: Option<Timestamp>,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let role: UserRole = role.parse().map_err(Refusal::Input)?;
        if let Some(past) = expires.filter(|it| *it <= audit.at) {
            return Err(Refusal::Input(format!(
                "{past} is over by the hub's clock ({}): choose a time to come",
                audit.at
            )));
        }
        let token = random::token();
        let new = NewToken {
            name: &name,
            role,
            token: &token,
            expires,
        };
        self.hub.add_token(new, audit)?;
        let parameters = [("name", name), ("role", role.to_string())];
        Ok(Outcome {
            output: token,
            expires,
            ..done(audit, EventKind::TokenAdded, parameters)
        })
    }

    pub(super) fn token_list(&self) -> Result<Outcome, Refusal> {
        let rows = self.hub.tokens()?.into_iter().map(|token| {
            let expires = token.expires_at.map(|until| until.to_string());
            [
                token.account.name,
                token.account.role.to_string(),
                token.created_at.to_string(),
                expires.unwrap_or_default(),
            ]
        });
        Ok(table(["NAME", "ROLE", "MADE", "EXPIRES"], rows))
    }

    pub(super) fn token_remove(
        &self,
        name: &str,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let removed = self.hub.remove_token(name, audit)?;
        let no_token = || Refusal::NotFound {
            what: format!("there is no token {name:?}"),
            list: "token list",
        };
        let name = removed.ok_or_else(no_token)?;
        Ok(Outcome {
            logged_out: Some(name.clone()),
            ..done(audit, EventKind::TokenRemoved, [("name", name)])
        })
    }

    pub(super) fn setup_link(&self) -> Result<Outcome, Refusal> {
        let token = self.hub.setup_token(&random::token())?.ok_or_else(|| {
            Refusal::Input(
                "this hub has an admin already; `netmonitor user passwd NAME` changes a \
                     forgotten password"
                    .to_owned(),
            )
        })?;
        let base = reach::web(&self.data_dir).ok_or_else(|| {
            let text = "the hub has no web listener: start it once, with --http or --https";
            Refusal::Input(text.to_owned())
        })?;
        Ok(Outcome {
            output: format!("{base}/setup?token={token}"),
            ..Outcome::default()
        })
    }
}

fn no_account(name: &str) -> Refusal {
    Refusal::NotFound {
        what: format!("there is no account {name:?}"),
        list: "user list",
    }
}
