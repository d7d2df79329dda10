//! Who this machine is for its hub: written at joining, read at each start.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use netmonitor_protocol::DeviceId;
use netmonitor_service::digest::hex;
use netmonitor_service::mqtt::Dial;
use netmonitor_service::tls::Fingerprint;
use netmonitor_service::{Secret, private_file};
use serde::{Deserialize, Serialize};

use crate::addresses::endpoints;
use crate::machine::Machine;
use crate::root::Root;

/// What the hub gave at joining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The device's id, which is its MQTT user name as well.
    pub device: DeviceId,
    /// The name that the admin gave, if another than the host name.
    pub name: Option<String>,
    /// The MQTT password.
    pub password: Secret,
    /// Where the hub's MQTT-over-TLS listener may be reached, `host:port`, the best first.
    pub addresses: Vec<String>,
    /// SHA-256 of the hub's CA certificate: the hub proves itself with it.
    pub ca_fingerprint: Fingerprint,
    /// The machine that the identity was made for, as far as it can be told.
    pub machine: Machine,
}

/// The file.
#[derive(Serialize, Deserialize)]
struct Stored {
    device: DeviceId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    password: String,
    addresses: Vec<String>,
    ca_fingerprint: String,
    #[serde(default)]
    machine: Machine,
}

/// Where the identity is kept.
pub(crate) fn path(state_dir: &Path) -> PathBuf {
    state_dir.join("identity.json")
}

/// Who this machine is; none if it has not joined a hub.
pub fn joined(state_dir: &Path) -> anyhow::Result<Option<Identity>> {
    let path = path(state_dir);
    let json = match std::fs::read(&path) {
        Ok(json) => json,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("cannot read {}", path.display()));
        }
    };
    let identity = serde_json::from_slice::<Stored>(&json)
        .map_err(anyhow::Error::from)
        .and_then(Identity::from_stored)
        .with_context(|| format!("{} is damaged: join again with --force", path.display()))?;
    Ok(Some(identity))
}

impl Identity {
    fn from_stored(stored: Stored) -> anyhow::Result<Self> {
        Ok(Self {
            device: stored.device,
            name: stored.name,
            password: Secret::new(stored.password),
            addresses: stored.addresses,
            ca_fingerprint: from_hex(&stored.ca_fingerprint)
                .context("the fingerprint is not 64 hexadecimal digits")?,
            machine: stored.machine,
        })
    }

    /// Keeps the identity, in a file for its owner only.
    pub fn store(&self, state_dir: &Path) -> anyhow::Result<()> {
        let stored = Stored {
            device: self.device.clone(),
            name: self.name.clone(),
            password: self.password.expose().to_owned(),
            addresses: self.addresses.clone(),
            ca_fingerprint: hex(&self.ca_fingerprint),
            machine: self.machine.clone(),
        };
        let json = serde_json::to_vec_pretty(&stored).context("cannot write the identity")?;
        private_file::create_dir(state_dir)
            .with_context(|| format!("cannot make the directory {}", state_dir.display()))?;
        let path = path(state_dir);
        private_file::write(&path, &json)
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Where and as whom to connect. Addresses that cannot be understood are left out.
    pub fn dial(&self) -> Dial {
        Dial::Fixed {
            endpoints: endpoints(self),
            user: self.device.to_string(),
            password: self.password.clone(),
        }
    }

    /// Device and hub in one word: what was taken under another one is not sent under this one.
    pub(crate) fn owner(&self) -> String {
        format!("{}@{}", self.device, hex(&self.ca_fingerprint[..8]))
    }

    /// From now on this machine is the one that the identity is for: its disk, or the files, were
    /// brought here from another one that is gone.
    pub fn keep_here(&mut self, root: &Root) {
        self.machine = Machine::this(root);
    }

    /// An error if the identity was made for another machine; else notes what could not be read
    /// before, as after joining as another user.
    pub(crate) fn check_machine(&mut self, root: &Root, state_dir: &Path) -> anyhow::Result<()> {
        let this = Machine::this(root);
        if this.differs_from(&self.machine) {
            bail!(OtherMachine(self.device.clone()));
        }
        let known = self.machine.clone().or(this);
        if known != self.machine {
            self.machine = known;
            if let Err(error) = self.store(state_dir) {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "a copy of this disk is not noticed"
                );
            }
        }
        Ok(())
    }
}

/// The identity belongs to another machine.
#[derive(Debug, thiserror::Error)]
#[error(
    "the identity of {0} was made for another machine. If this machine's disk is a copy of that \
     one's, join as a device of its own: `netmonitor-agent join --force CODE`. If that machine is \
     gone and this one takes its place: `netmonitor-agent join --keep-identity`"
)]
pub struct OtherMachine(DeviceId);

fn from_hex(text: &str) -> Option<Fingerprint> {
    let mut bytes = Fingerprint::default();
    if text.len() != bytes.len() * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            device: "ws-14".parse().unwrap(),
            name: Some("Reception".to_owned()),
            password: Secret::new("very secret"),
            addresses: vec!["192.168.1.5:8883".to_owned()],
            ca_fingerprint: [0xa7; 32],
            machine: Machine {
                system: Some("5e".repeat(32)),
                hardware: None,
            },
        }
    }

    #[test]
    fn an_identity_is_read_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("not").join("there");
        assert_eq!(joined(&state_dir).unwrap(), None);
        identity().store(&state_dir).unwrap();
        assert_eq!(joined(&state_dir).unwrap(), Some(identity()));
        let without_name = Identity {
            name: None,
            ..identity()
        };
        without_name.store(&state_dir).unwrap();
        assert_eq!(joined(&state_dir).unwrap(), Some(without_name));
    }

    #[test]
    fn an_identity_is_for_one_machine_until_someone_says_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let is = |id: &str| std::fs::write(root.path("etc/machine-id"), id).unwrap();
        let state_dir = folder.path().join("state");
        let read = || joined(&state_dir).unwrap().unwrap();
        let unknown = Identity {
            machine: Machine::default(),
            ..identity()
        };
        unknown.store(&state_dir).unwrap();

        is("3d1219c7c4c5404aaa1f6d2a48adfda4");
        read().check_machine(&root, &state_dir).unwrap();
        assert!(read().machine.system.is_some(), "it is noted");
        read().check_machine(&root, &state_dir).unwrap();

        is("99999999c4c5404aaa1f6d2a48adfda4");
        let error = read().check_machine(&root, &state_dir).unwrap_err();
        let error = error.to_string();
        for part in ["ws-14", "--force CODE", "--keep-identity"] {
            assert!(error.contains(part), "{error}");
        }
        let mut kept = read();
        kept.keep_here(&root);
        kept.store(&state_dir).unwrap();
        read().check_machine(&root, &state_dir).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let state_dir = folder.path().join("state");
        identity().store(&state_dir).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state_dir), 0o700);
        assert_eq!(mode(&path(&state_dir)), 0o600);
        assert!(!format!("{:?}", identity()).contains("very secret"));
    }

    #[test]
    fn a_damaged_file_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "{}", "{\"device\":\"UPPER\"}"] {
            std::fs::write(path(folder.path()), text).unwrap();
            let error = format!("{:#}", joined(folder.path()).unwrap_err());
            assert!(error.contains("identity.json"), "{error}");
            assert!(error.contains("--force"), "{error}");
        }
        assert_eq!(from_hex(&"é".repeat(32)), None);
    }
}
