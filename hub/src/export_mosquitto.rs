//! Everything that a mosquitto needs to take the place of the embedded broker: who may connect,
//! what each may do, and the hub's certificate. Written again, it replaces what it wrote before.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use anyhow::Context as _;
use netmonitor_protocol::JOIN_USER;
use netmonitor_protocol::acl::{MOSQUITTO_MARK, Principal, mosquitto_acl};
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::{DataDir, private_file, service_secrets};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::credentials::{Directory, Entry};
use netmonitor_store::mosquitto_hash;

use crate::console::expect_hub;

/// The file by which an earlier export is known.
const ACL: &str = "acl";

/// Writes the files for the hub in the data directory. With a join code, machines may join over
/// that mosquitto with this code, until the files are written anew without it.
pub(crate) fn export(
    data_dir: &DataDir,
    to: &Path,
    join_code: Option<&JoinCode>,
) -> anyhow::Result<()> {
    expect_hub(data_dir)?;
    let secrets = service_secrets::ensure(data_dir)
        .with_context(|| format!("cannot read {}", data_dir.secrets().display()))?;
    let entries = Directory::open(&data_dir.hub_db(), secrets)?.entries();
    let principals: Vec<&Principal> = entries.iter().map(|entry| &entry.principal).collect();
    let certificates = Certificates::open_or_create(&data_dir.tls())?;
    let (chain, key) = certificates.mqtt_server_pem()?;
    // The mark goes first: what is cut off in the middle can be written anew.
    let files = [
        (ACL, mosquitto_acl(&principals, join_code.is_some())?),
        ("passwd", passwords(&entries, join_code)),
        ("ca.pem", certificates.ca_pem().to_owned()),
        ("server.pem", chain),
        ("server.key", key),
    ];
    make_room(to, &files.each_ref().map(|(name, _)| *name))?;
    for (name, content) in files {
        let path = to.join(name);
        private_file::write(&path, content.as_bytes())
            .and_then(|()| hand_over(&path, to))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// mosquitto's password file (`mosquitto_passwd(1)`). One user has one password there, so the
/// machines that join can only have the code that is given here.
fn passwords(entries: &[Entry], join_code: Option<&JoinCode>) -> String {
    let join = join_code.map(|code| {
        let hash = mosquitto_hash::hash(code.token.as_bytes());
        format!("{JOIN_USER}:{hash}\n")
    });
    let lines = entries
        .iter()
        .map(|entry| format!("{}:{}\n", entry.principal.user, entry.password_hash));
    lines.chain(join).collect()
}

/// Makes the directory, for its owner only. What another program has put there is not replaced.
fn make_room(to: &Path, names: &[&str]) -> anyhow::Result<()> {
    if to.exists() {
        let is_ours = fs::read_to_string(to.join(ACL))
            .is_ok_and(|text| text.lines().next() == Some(MOSQUITTO_MARK));
        let foreign = names.iter().map(|name| to.join(name));
        if let Some(path) = foreign.filter(|_| !is_ours).find(|path| path.exists()) {
            anyhow::bail!(
                "{} is there already and was not written by this command: choose an empty \
                 directory",
                path.display()
            );
        }
    }
    private_file::create_dir(to).with_context(|| {
        let to = to.display();
        format!("cannot make the directory {to}: choose another")
    })
}

/// A directory that was given to mosquitto's user keeps its owner, and so do the files in it.
fn hand_over(file: &Path, directory: &Path) -> std::io::Result<()> {
    let (file_owner, owner) = (fs::metadata(file)?, fs::metadata(directory)?);
    if file_owner.uid() == owner.uid() {
        return Ok(());
    }
    chown(file, Some(owner.uid()), Some(owner.gid()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_others_are_left_alone_and_our_own_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("export");
        make_room(&to, &["passwd", ACL]).unwrap();
        fs::write(to.join("passwd"), "somebody's").unwrap();
        let error = make_room(&to, &["passwd", ACL]).unwrap_err().to_string();
        assert!(error.contains("passwd is there already"), "{error}");
        fs::write(to.join(ACL), format!("{MOSQUITTO_MARK}\nuser x\n")).unwrap();
        make_room(&to, &["passwd", ACL]).unwrap();
    }
}
