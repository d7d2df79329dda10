//! Administrative commands: what the command line and the API can have done to the hub. They
//! work on the database alone, so that they work while no hub runs.
//!
//! - `command`: what can be asked for, and what comes of it
//! - `accounts`, `mqtt_users`, `joining`: who is let in, and who no longer
//! - `listing`: tables

mod accounts;
mod command;
mod joining;
mod listing;
mod mqtt_users;

pub use command::{Command, Outcome, Refusal};

use std::sync::Arc;

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::acl::OwnFilters;
use netmonitor_protocol::payload::{Event, EventKind, Severity};
use netmonitor_service::DataDir;
use netmonitor_store::certificates::Certificates;
use netmonitor_store::hub::AuditLine;
use netmonitor_store::{HubDb, StoreError};

use crate::agents::Agents;

/// The actor of commands that come from the command line.
pub const CONSOLE: &str = "console";

/// Carries out commands.
#[derive(Debug)]
pub struct Admin {
    hub: Arc<HubDb>,
    data_dir: DataDir,
    agents: Arc<Agents>,
    ca_fingerprint: [u8; 32],
}

impl Admin {
    /// For the hub in this data directory.
    pub fn new(hub: Arc<HubDb>, data_dir: DataDir, certificates: &Certificates) -> Self {
        Self {
            hub,
            agents: Arc::new(Agents::new(&data_dir)),
            data_dir,
            ca_fingerprint: certificates.ca_fingerprint(),
        }
    }

    /// SHA-256 of the hub's CA.
    pub fn ca_fingerprint(&self) -> [u8; 32] {
        self.ca_fingerprint
    }

    /// Whether the device is enrolled. Blocks.
    pub fn knows(&self, device: &DeviceId) -> Result<bool, StoreError> {
        self.hub.is_device(device)
    }

    /// The agent programs of this hub.
    pub(crate) fn agents(&self) -> &Arc<Agents> {
        &self.agents
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
            } => self.user_add(name, &role, &password, audit),
            Command::UserList => self.user_list(),
            Command::UserPasswd {
                name,
                password,
                keep_session,
            } => self.user_passwd(&name, &password, keep_session.as_deref(), audit),
            Command::UserRole { name, role } => self.user_role(&name, &role, audit),
            Command::UserLogOut { name } => self.user_log_out(name, audit),
            Command::UserRemove { name } => self.user_remove(&name, audit),
            Command::SetupLink => self.setup_link(),
            Command::TokenAdd {
                name,
                role,
                expires,
            } => self.token_add(name, &role, expires, audit),
            Command::TokenList => self.token_list(),
            Command::TokenRemove { name } => self.token_remove(&name, audit),
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
            Command::MqttUserList => self.mqtt_user_list(),
            Command::MqttUserRemove { name } => self.mqtt_user_remove(&name, audit),
            Command::DeviceList => self.device_list(),
            Command::DeviceRemove { id } => self.device_remove(&id, audit),
            Command::JoinCodeAdd { uses, expires_secs } => {
                self.join_code_add(uses, expires_secs, audit)
            }
            Command::InstallLine { code } => {
                let line = self.install_line(&code, None).map_err(Refusal::Fault)?;
                Ok(Outcome {
                    output: line.unwrap_or_default(),
                    ..Outcome::default()
                })
            }
        }
    }
}

fn done<const N: usize>(
    audit: AuditLine<'_>,
    kind: EventKind,
    parameters: [(&str, String); N],
) -> Outcome {
    Outcome {
        event: Some(Event {
            actor: Some(audit.actor.to_owned()),
            ..Event::new(audit.at, kind, Severity::Info, parameters)
        }),
        ..Outcome::default()
    }
}
