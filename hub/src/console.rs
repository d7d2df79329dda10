//! Administrative commands: the running hub carries them out, or this process does while no
//! hub runs.

use std::sync::Arc;

use anyhow::Context as _;
use netmonitor_api::admin::{Admin, CONSOLE, Command};
use netmonitor_api::control;
use netmonitor_service::{DataDir, clock, private_file};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::{HubDb, WriteLock};

/// Carries out the command and returns what it tells. Where no hub has been yet, only those that
/// add something make one: whoever asks or removes is in the wrong directory.
pub(crate) fn execute(command: Command, data_dir: &DataDir) -> anyhow::Result<String> {
    if let Some(answer) = control::ask(&data_dir.control_socket(), &command)? {
        return answer.map_err(anyhow::Error::msg);
    }
    if !makes_hub(&command) {
        expect_hub(data_dir)?;
    }
    private_file::create_dir(data_dir.path()).with_context(|| {
        let path = data_dir.path().display();
        format!("cannot make the data directory {path}: choose another with --data-dir")
    })?;
    let _lock = WriteLock::take(&data_dir.hub_lock())?;
    let hub = Arc::new(HubDb::open(&data_dir.hub_db())?);
    let certificates = Certificates::open_or_create(&data_dir.tls())?;
    let admin = Admin::new(hub, data_dir.clone(), &certificates);
    match admin.execute(command, CONSOLE, clock::now()) {
        Ok(outcome) => Ok(outcome.output),
        Err(refusal) => Err(anyhow::Error::msg(control::reason(&refusal))),
    }
}

/// Fails if no hub has ever been in this directory.
pub(crate) fn expect_hub(data_dir: &DataDir) -> anyhow::Result<()> {
    anyhow::ensure!(
        data_dir.hub_db().exists(),
        "there is no hub in {}: start it once, or say with --data-dir where it is",
        data_dir.path().display()
    );
    Ok(())
}

/// Whether it makes sense before the first start: accounts may be made beforehand.
fn makes_hub(command: &Command) -> bool {
    match command {
        Command::UserAdd { .. } | Command::TokenAdd { .. } | Command::MqttUserAdd { .. } => true,
        Command::UserPasswd { .. }
        | Command::SetupLink
        | Command::UserRole { .. }
        | Command::UserLogOut { .. }
        | Command::UserList
        | Command::UserRemove { .. }
        | Command::TokenList
        | Command::TokenRemove { .. }
        | Command::MqttUserList
        | Command::MqttUserRemove { .. }
        | Command::DeviceList
        | Command::DeviceRemove { .. }
        | Command::JoinCodeAdd { .. }
        | Command::InstallLine { .. } => false,
    }
}
