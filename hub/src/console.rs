//! Administrative commands: the running hub carries them out, or this process does while no
//! hub runs.

use std::sync::Arc;

use netmonitor_api::admin::{Admin, CONSOLE, Command};
use netmonitor_api::control;
use netmonitor_service::{DataDir, clock, private_file};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::{HubDb, WriteLock};

/// Carries out the command and returns what it tells.
pub(crate) fn execute(command: Command, data_dir: &DataDir) -> anyhow::Result<String> {
    if let Some(answer) = control::ask(&data_dir.control_socket(), &command)? {
        return answer.map_err(anyhow::Error::msg);
    }
    private_file::create_dir(data_dir.path())?;
    let _lock = WriteLock::take(&data_dir.hub_lock())?;
    let hub = Arc::new(HubDb::open(&data_dir.hub_db())?);
    let certificates = Certificates::open_or_create(&data_dir.tls())?;
    let admin = Admin::new(hub, data_dir.clone(), &certificates);
    match admin.execute(command, CONSOLE, clock::now()) {
        Ok(outcome) => Ok(outcome.output),
        Err(refusal) => Err(anyhow::Error::msg(control::reason(&refusal))),
    }
}
