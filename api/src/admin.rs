//! Administrative commands: what the command line and the API can have done to the hub. They
//! work on the database alone, so that they work while no hub runs.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::acl::{OwnFilters, is_grantable};
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_protocol::payload::{Address, Event, EventKind, Severity};
use netmonitor_service::{DataDir, announced, random};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::hub::{
    Account, AddError, AuditLine, MqttRole, NewJoinCode, NewMqttUser, NewToken, UserRole,
};
use netmonitor_store::password::{HashedPassword, PasswordError};
use netmonitor_store::{HubDb, StoreError};
use serde::{Deserialize, Serialize};

use crate::addresses;

/// The actor of commands that come from the command line.
pub const CONSOLE: &str = "console";

/// What can be done. Also the language of the control socket.
#[derive(Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case")]
pub enum Command {
    /// Makes an account.
    UserAdd {
        /// Its name.
        name: String,
        /// `admin`, `operator` or `viewer`.
        role: String,
        /// Its password.
        password: String,
    },
    /// Changes a password, and logs that account out everywhere.
    UserPasswd {
        /// The account.
        name: String,
        /// Its new password.
        password: String,
    },
    /// Tells the setup link.
    SetupLink,
    /// Makes an API token, and tells it.
    TokenAdd {
        /// What it is for.
        name: String,
        /// `admin`, `operator` or `viewer`.
        role: String,
    },
    /// Makes an MQTT user, and tells its password.
    MqttUserAdd {
        /// Its name.
        name: String,
        /// `reader` or `operator`; none with filters of its own only.
        role: Option<String>,
        /// What it may publish beside.
        publish: Vec<String>,
        /// What it may read beside.
        subscribe: Vec<String>,
    },
    /// Makes a join code, and tells it.
    JoinCodeAdd {
        /// How many machines may use it.
        uses: u32,
        /// For how long.
        expires_secs: u32,
    },
}

/// What a command has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// What it tells: a secret or a link. Empty if nothing.
    pub output: String,
    /// What the log shall say.
    pub event: Option<Event>,
    /// Whether the broker must read its credentials anew.
    pub credentials_changed: bool,
    /// Until when the output is good, if it is good for a time only.
    pub expires: Option<Timestamp>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// What was asked for is not possible; the text says what is.
    #[error("{0}")]
    Input(String),
    /// The name is taken.
    #[error("{0}")]
    Conflict(String),
    /// The hub has a fault.
    #[error("the hub has a fault")]
    Fault(#[source] anyhow::Error),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<PasswordError> for Refusal {
    fn from(error: PasswordError) -> Self {
        Self::Input(error.to_string())
    }
}

impl From<AddError> for Refusal {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Exists(_) => Self::Conflict(error.to_string()),
            AddError::Name(error) => Self::Input(error.to_string()),
            AddError::Store(error) => error.into(),
        }
    }
}

/// Carries out commands.
#[derive(Debug)]
pub struct Admin {
    hub: Arc<HubDb>,
    data_dir: DataDir,
    ca_fingerprint: [u8; 32],
}

impl Admin {
    /// For the hub in this data directory.
    pub fn new(hub: Arc<HubDb>, data_dir: DataDir, certificates: &Certificates) -> Self {
        Self {
            hub,
            data_dir,
            ca_fingerprint: certificates.ca_fingerprint(),
        }
    }

    /// SHA-256 of the hub's CA.
    pub fn ca_fingerprint(&self) -> [u8; 32] {
        self.ca_fingerprint
    }

    /// Carries out a command on behalf of `actor`. Blocks.
    pub fn execute(
        &self,
        command: Command,
        actor: &str,
        now: Timestamp,
    ) -> Result<Outcome, Refusal> {
        let audit = AuditLine { at: now, actor };
        match command {
            Command::UserAdd {
                name,
                role,
                password,
            } => {
                let role: UserRole = role.parse().map_err(Refusal::Input)?;
                let account = Account { name, role };
                let password = HashedPassword::new(&password)?;
                self.hub.add_account(&account, &password, audit)?;
                let parameters = [("name", account.name), ("role", role.to_string())];
                Ok(done(audit, EventKind::UserAdded, parameters))
            }
            Command::UserPasswd { name, password } => {
                let password = HashedPassword::new(&password)?;
                if !self.hub.set_password(&name, &password, audit)? {
                    return Err(Refusal::Input(format!("there is no account {name:?}")));
                }
                Ok(done(audit, EventKind::PasswordChanged, [("name", name)]))
            }
            Command::SetupLink => self.setup_link(),
            Command::TokenAdd { name, role } => {
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
            Command::MqttUserAdd {
                name,
                role,
                publish,
                subscribe,
            } => self.mqtt_user_add(
                &name,
                role.as_deref(),
                &OwnFilters { publish, subscribe },
                audit,
            ),
            Command::JoinCodeAdd { uses, expires_secs } => {
                self.join_code_add(uses, expires_secs, audit)
            }
        }
    }

    fn setup_link(&self) -> Result<Outcome, Refusal> {
        let token = self.hub.setup_token(&random::token())?.ok_or_else(|| {
            Refusal::Input(
                "this hub has an admin already; `netmonitor user passwd NAME` changes a \
                     forgotten password"
                    .to_owned(),
            )
        })?;
        let base = web_base(&announced::listeners(&self.data_dir)).ok_or_else(|| {
            let text = "the hub has no web listener: start it once, with --http or --https";
            Refusal::Input(text.to_owned())
        })?;
        Ok(Outcome {
            output: format!("{base}/setup?token={token}"),
            event: None,
            credentials_changed: false,
            expires: None,
        })
    }

    fn mqtt_user_add(
        &self,
        name: &str,
        role: Option<&str>,
        own: &OwnFilters,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        let role: Option<MqttRole> = role
            .map(|word| word.parse().map_err(Refusal::Input))
            .transpose()?;
        if role.is_none() && *own == OwnFilters::default() {
            let text = "give the user a --role, or filters with --publish and --subscribe";
            return Err(Refusal::Input(text.to_owned()));
        }
        for filter in own.publish.iter().chain(&own.subscribe) {
            if !is_grantable(filter) {
                return Err(Refusal::Input(format!(
                    "the filter {filter:?} cannot be given: it must be a valid MQTT filter whose \
                     first level is neither a wildcard nor one of the hub's own"
                )));
            }
        }
        let password = random::token();
        let new = NewMqttUser {
            name,
            role,
            password: &password,
            own,
        };
        self.hub.add_mqtt_user(new, audit)?;
        let role = role.map_or("none", MqttRole::as_str).to_owned();
        let parameters = [("name", name.to_owned()), ("role", role)];
        Ok(Outcome {
            output: password,
            credentials_changed: true,
            ..done(audit, EventKind::MqttUserAdded, parameters)
        })
    }

    fn join_code_add(
        &self,
        uses: u32,
        expires_secs: u32,
        audit: AuditLine<'_>,
    ) -> Result<Outcome, Refusal> {
        if uses == 0 || expires_secs == 0 {
            return Err(Refusal::Input(
                "a join code needs at least one use and some time".to_owned(),
            ));
        }
        let addresses = self.mqtts_addresses()?;
        let token = random::token();
        let expires = audit
            .at
            .saturating_add(SignedDuration::from_secs(expires_secs.into()))
            .unwrap_or(audit.at);
        let new = NewJoinCode {
            token: &token,
            uses,
            expires,
        };
        self.hub.add_join_code(new, audit)?;
        let code = JoinCode {
            addresses,
            ca_fingerprint: self.ca_fingerprint,
            token,
        };
        Ok(Outcome {
            output: code.to_string(),
            credentials_changed: true,
            expires: Some(expires),
            ..done(
                audit,
                EventKind::JoinCodeAdded,
                [("uses", uses.to_string())],
            )
        })
    }

    /// Where agents reach the MQTT listener with TLS.
    fn mqtts_addresses(&self) -> Result<Vec<String>, Refusal> {
        let listeners = announced::listeners(&self.data_dir);
        let bound: Vec<_> = of_listener(&listeners, "mqtts").collect();
        if bound.is_empty() {
            let text = "the hub has no MQTT listener with TLS: start it once, with --mqtts";
            return Err(Refusal::Input(text.to_owned()));
        }
        let mut reachable = Vec::new();
        for (host, port) in bound {
            let hosts = if is_any(host) {
                addresses::lan()
                    .into_iter()
                    .map(addresses::in_url)
                    .collect()
            } else {
                vec![host.to_owned()]
            };
            reachable.extend(hosts.into_iter().map(|host| format!("{host}:{port}")));
        }
        Ok(reachable)
    }
}

/// The address that a browser on the network can open.
fn web_base(listeners: &[Address]) -> Option<String> {
    let of_scheme = |scheme| Some((scheme, of_listener(listeners, scheme).next()?));
    let (scheme, (host, port)) = of_scheme("http").or_else(|| of_scheme("https"))?;
    let host = if is_any(host) {
        let lan = addresses::lan().into_iter().next();
        lan.map_or_else(|| host.to_owned(), addresses::in_url)
    } else {
        host.to_owned()
    };
    Some(format!("{scheme}://{host}:{port}"))
}

fn of_listener<'a>(
    listeners: &'a [Address],
    name: &'a str,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    listeners
        .iter()
        .filter(move |address| address.listener == name)
        .filter_map(|address| address.address.rsplit_once(':'))
}

fn is_any(host: &str) -> bool {
    host == "[::]" || host == "0.0.0.0"
}

fn done<const N: usize>(
    audit: AuditLine<'_>,
    kind: EventKind,
    parameters: [(&str, String); N],
) -> Outcome {
    Outcome {
        output: String::new(),
        event: Some(Event {
            actor: Some(audit.actor.to_owned()),
            ..Event::new(audit.at, kind, Severity::Info, parameters)
        }),
        credentials_changed: false,
        expires: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listener(name: &str, address: &str) -> Address {
        Address {
            listener: name.to_owned(),
            address: address.to_owned(),
        }
    }

    #[test]
    fn a_link_carries_an_address_that_others_can_open() {
        let all = [
            listener("http", "[::]:8080"),
            listener("https", "[::]:8443"),
        ];
        let base = web_base(&all).unwrap();
        assert!(
            base.starts_with("http://") && base.ends_with(":8080"),
            "{base}"
        );
        assert!(
            !base.contains("[::]") && !base.contains("localhost"),
            "{base}"
        );
        assert_eq!(
            web_base(&[listener("https", "192.168.1.5:444")]).as_deref(),
            Some("https://192.168.1.5:444")
        );
        assert_eq!(web_base(&[listener("mqtts", "[::]:8883")]), None);
    }
}
