//! Where this machine belongs: to a hub that it has joined, or to a broker of somebody else.

use std::path::Path;

use netmonitor_protocol::DeviceId;
use netmonitor_service::mqtt::{Dial, Endpoint};
use netmonitor_service::{Secret, digest};

use crate::addresses::{Addresses, endpoints};
use crate::config::Account;
use crate::{Config, Identity, joined};

/// Where this machine belongs.
#[derive(Debug, Clone)]
pub(crate) enum Home {
    /// It has joined a hub.
    Hub(Identity),
    /// It uses a broker that is not the hub's own, with an account that somebody made there.
    Broker(Account),
}

/// This machine belongs nowhere yet.
#[derive(Debug, thiserror::Error)]
#[error(
    "this machine is not joined to a hub yet: run `netmonitor-agent join CODE` with a code from \
     the dashboard or from `netmonitor join-code`, or `netmonitor-agent setup`"
)]
pub(crate) struct NotJoined;

impl Home {
    /// The broker that the configuration names, else the hub.
    pub(crate) fn known(config: &Config) -> anyhow::Result<Self> {
        Ok(match &config.broker {
            Some(account) => Self::Broker(account.clone()),
            None => Self::Hub(joined(&config.state_dir)?.ok_or(NotJoined)?),
        })
    }

    /// The same, for this machine: an error if the identity was made for another one.
    pub(crate) fn find(config: &Config) -> anyhow::Result<Self> {
        let mut home = Self::known(config)?;
        home.check_machine(config)?;
        Ok(home)
    }

    /// An error if the identity was made for another machine; an account is for any.
    pub(crate) fn check_machine(&mut self, config: &Config) -> anyhow::Result<()> {
        match self {
            Self::Hub(identity) => identity.check_machine(&config.root, &config.state_dir),
            Self::Broker(_) => Ok(()),
        }
    }

    pub(crate) fn device(&self) -> &DeviceId {
        match self {
            Self::Hub(identity) => &identity.device,
            Self::Broker(account) => &account.device,
        }
    }

    /// The name that people see, if it is not the host name.
    pub(crate) fn name(&self) -> Option<String> {
        match self {
            Self::Hub(identity) => identity.name.clone(),
            Self::Broker(account) => account.name.clone(),
        }
    }

    /// Whose samples they are that wait.
    pub(crate) fn owner(&self) -> String {
        match self {
            Self::Hub(identity) => identity.owner(),
            Self::Broker(account) => {
                let text = format!("{} {}", account.endpoint, account.device);
                digest::hex(&digest::sha256(text.as_bytes())[..8])
            }
        }
    }

    /// Where to connect, the best first.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        match self {
            Self::Hub(identity) => endpoints(identity),
            Self::Broker(account) => vec![account.endpoint.clone()],
        }
    }

    /// As whom: MQTT user and password.
    pub(crate) fn credentials(&self) -> (String, Secret) {
        match self {
            Self::Hub(identity) => (identity.device.to_string(), identity.password.clone()),
            Self::Broker(account) => (account.user.clone(), account.password.clone()),
        }
    }

    /// Where and as whom to connect. The addresses of a hub may change while the agent runs.
    pub(crate) fn dial(&self, state_dir: &Path) -> (Dial, Option<Addresses>) {
        match self {
            Self::Hub(identity) => {
                let addresses = Addresses::new(identity.clone(), state_dir.to_owned());
                (addresses.dial(), Some(addresses))
            }
            Self::Broker(account) => {
                let dial = Dial::Fixed {
                    endpoints: vec![account.endpoint.clone()],
                    user: account.user.clone(),
                    password: account.password.clone(),
                };
                (dial, None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_brokers_do_not_share_what_waits() {
        let home = |address: &str| {
            Home::Broker(Account {
                endpoint: Endpoint::parse(address, None).unwrap(),
                device: "ws-14".parse().unwrap(),
                name: None,
                user: String::new(),
                password: Secret::new(""),
            })
        };
        assert_eq!(home("a:1").owner(), home("a:1").owner());
        assert_ne!(home("a:1").owner(), home("b:1").owner());
    }
}
