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
        Ok(listed(self.hub.accounts()?))
    }

    pub(super) fn user_passwd(
        &self,
        name: String,
        password: &str,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let password = HashedPassword::new(password)?;
        if !self.hub.set_password(&name, &password, audit)? {
            return Err(no_account(&name));
        }
        Ok(Outcome {
            logged_out: Some(name.clone()),
            ..done(audit, EventKind::PasswordChanged, [("name", name)])
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
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let role: UserRole = role.parse().map_err(Refusal::Input)?;
        let token = random::token();
        let new = NewToken {
            name: &name,
            role,
            token: &token,
        };
        self.hub.add_token(new, audit)?;
        let parameters = [("name", name), ("role", role.to_string())];
        Ok(Outcome {
            output: token,
            ..done(audit, EventKind::TokenAdded, parameters)
        })
    }

    pub(super) fn token_list(&self) -> Result<Outcome, Refusal> {
        Ok(listed(self.hub.tokens()?))
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

fn listed(accounts: Vec<(Account, Timestamp)>) -> Outcome {
    let rows = accounts.into_iter().map(|(account, created_at)| {
        let created = created_at.to_string();
        [account.name, account.role.to_string(), created]
    });
    table(["NAME", "ROLE", "MADE"], rows)
}
