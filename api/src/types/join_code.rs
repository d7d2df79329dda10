//! Permission for new machines.

use poem_openapi::Object;

use super::Time;

/// What a join code shall allow.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
#[oai(deny_unknown_fields)]
pub struct NewJoinCode {
    /// How many machines may use it, from 1 to 1000.
    #[oai(
        default = "one",
        validator(minimum(value = "1"), maximum(value = "1000"))
    )]
    pub uses: u32,
    /// For how long, in seconds, from 60 to 604800 (a week).
    #[oai(
        default = "a_quarter",
        validator(minimum(value = "60"), maximum(value = "604800"))
    )]
    pub expires_secs: u32,
}

fn one() -> u32 {
    1
}

fn a_quarter() -> u32 {
    15 * 60
}

/// A join code. It is shown once.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct JoinCode {
    /// The code itself.
    pub code: String,
    /// The line to paste on a machine that has the agent.
    pub command: String,
    /// The line to paste on a Linux machine with systemd that has no agent: it gets one from this
    /// hub, checks it, and installs it as a service. Missing if the hub has none to hand out.
    #[oai(skip_serializing_if_is_none)]
    pub install_command: Option<String>,
    /// Until when it can be used.
    pub expires: Time,
}
