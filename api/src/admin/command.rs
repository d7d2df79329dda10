//! What can be asked for, and what comes of it.

use jiff::Timestamp;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::payload::Event;
use netmonitor_store::StoreError;
use netmonitor_store::hub::{AddError, LastAdminError};
use netmonitor_store::password::PasswordError;
use serde::{Deserialize, Serialize};

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
        /// The session of a browser that is not logged out.
        #[serde(default)]
        keep_session: Option<String>,
    },
    /// Gives an account another role.
    UserRole {
        /// The account.
        name: String,
        /// `admin`, `operator` or `viewer`.
        role: String,
    },
    /// Logs an account out everywhere.
    UserLogOut {
        /// The account.
        name: String,
    },
    /// Tells the setup link.
    SetupLink,
    /// Makes an API token, and tells it.
    TokenAdd {
        /// What it is for.
        name: String,
        /// `admin`, `operator` or `viewer`.
        role: String,
        /// Until when it is good; for ever without.
        #[serde(default)]
        expires: Option<Timestamp>,
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
    /// Tells all accounts.
    UserList,
    /// Removes an account, and logs it out everywhere.
    UserRemove {
        /// The account.
        name: String,
    },
    /// Tells all API tokens, but not what they are.
    TokenList,
    /// Removes an API token.
    TokenRemove {
        /// Its name.
        name: String,
    },
    /// Tells all MQTT users.
    MqttUserList,
    /// Removes an MQTT user, and ends its connections.
    MqttUserRemove {
        /// Its name.
        name: String,
    },
    /// Tells all devices.
    DeviceList,
    /// Removes a device: its credential is worth nothing any more.
    DeviceRemove {
        /// Its id.
        id: String,
    },
    /// Makes a join code, and tells it.
    JoinCodeAdd {
        /// How many machines may use it.
        uses: u32,
        /// For how long.
        expires_secs: u32,
    },
    /// Tells the line that installs an agent with a join code. Nothing if there is no agent to
    /// install.
    InstallLine {
        /// The code.
        code: String,
    },
}

impl Command {
    /// Whether it costs the memory and the time of a password.
    pub(crate) fn hashes_password(&self) -> bool {
        matches!(self, Self::UserAdd { .. } | Self::UserPasswd { .. })
    }
}

/// What a command has done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What it tells: a secret, a link or a table. Empty if nothing.
    pub output: String,
    /// What the log shall say.
    pub event: Option<Event>,
    /// Whether the broker must read its credentials anew.
    pub credentials_changed: bool,
    /// The device that is none any more.
    pub revoked: Option<DeviceId>,
    /// The account or token whose live streams have to end.
    pub logged_out: Option<String>,
    /// Until when the output is good, if it is good for a time only.
    pub expires: Option<Timestamp>,
}

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// What was asked for is not possible; the text says what is.
    #[error("{0}")]
    Input(String),
    /// There is no such thing.
    #[error("{what}")]
    NotFound {
        /// A sentence that names it.
        what: String,
        /// The command that tells what there is.
        list: &'static str,
    },
    /// It does not fit what there is.
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

impl From<LastAdminError> for Refusal {
    fn from(error: LastAdminError) -> Self {
        match error {
            LastAdminError::LastAdmin(_) => Self::Conflict(error.to_string()),
            LastAdminError::Store(error) => error.into(),
        }
    }
}
