//! Codes with which machines become devices, and the end of a device.

use jiff::SignedDuration;
use netmonitor_protocol::DeviceId;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_protocol::payload::{Event, EventKind};
use netmonitor_service::digest::{hex, sha256};
use netmonitor_service::random;
use netmonitor_store::hub::{AuditLine, NewJoinCode};

use super::listing::table;
use super::{Admin, Outcome, Refusal, done};
use crate::agents::install_line;
use crate::reach;

/// A code without an address leads nowhere.
const NO_ADDRESS: &str = "the hub has no MQTT listener with TLS: start it once, with --mqtts, or \
     name its address in hub.public_addresses";

impl Admin {
    pub(super) fn join_code_add(
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
        let addresses = reach::agents(&self.data_dir);
        if addresses.is_empty() {
            return Err(Refusal::Input(NO_ADDRESS.to_owned()));
        }
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

    /// The line that installs an agent on a machine that has none. `origin` is the address under
    /// which the dashboard was opened, if one has asked. None if no agent can be had from this hub.
    /// Blocks.
    pub(crate) fn install_line(
        &self,
        code: &str,
        origin: Option<&str>,
    ) -> anyhow::Result<Option<String>> {
        // Without an admin nothing is handed out.
        if !self.hub.has_admin()? {
            return Ok(None);
        }
        let script = self.agents.script()?;
        let hub = reach::web_as_seen(&self.data_dir, origin);
        Ok(script.zip(hub).map(|(script, hub)| {
            let sha256 = hex(&sha256(script.as_bytes()));
            install_line(&hub, &sha256, code)
        }))
    }

    pub(super) fn device_list(&self) -> Result<Outcome, Refusal> {
        let rows = self.hub.devices()?.into_iter().map(|device| {
            let joined = device.joined_at.to_string();
            [device.id.to_string(), joined, device.name]
        });
        Ok(table(["ID", "JOINED", "NAME"], rows))
    }

    pub(super) fn device_remove(&self, id: &str, audit: AuditLine<'_>) -> Result<Outcome, Refusal> {
        let no_device = || Refusal::NotFound {
            what: format!("there is no device {id:?}"),
            list: "device list",
        };
        let id: DeviceId = id.parse().map_err(|_| no_device())?;
        let device = self.hub.remove_device(&id, audit)?.ok_or_else(no_device)?;
        let outcome = done(audit, EventKind::DeviceRevoked, [("name", device.name)]);
        let event = outcome.event.map(|event| Event {
            device: Some(id.clone()),
            ..event
        });
        Ok(Outcome {
            event,
            credentials_changed: true,
            revoked: Some(id),
            ..outcome
        })
    }
}
