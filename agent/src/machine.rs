//! Which machine this is, as far as it can be told: so that a copy of its disk is noticed.

use netmonitor_service::digest::{hex, sha256};
use serde::{Deserialize, Serialize};

use crate::root::Root;

/// Where the system's id is: random for each installation, and confidential, so that only a
/// digest of it is kept (machine-id(5)).
const SYSTEM: [&str; 2] = ["etc/machine-id", "var/lib/dbus/machine-id"];

/// Where the hardware's id is: for root only on PCs and virtual machines, for everyone on
/// boards such as the Raspberry Pi.
const HARDWARE: [&str; 2] = [
    "sys/class/dmi/id/product_uuid",
    "proc/device-tree/serial-number",
];

/// Digests of the ids that could be read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Of the installed system: differs in a copy whose system was prepared for copying.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// Of the hardware: differs in every copy that runs elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<String>,
}

impl Machine {
    /// The machine that this program runs on.
    pub fn this(root: &Root) -> Self {
        let read = |purpose: &str, files: [&str; 2]| {
            let id = files.iter().find_map(|file| id(&root.read(file).ok()?))?;
            Some(hex(&sha256(
                format!("netmonitor {purpose} {id}").as_bytes(),
            )))
        };
        Self {
            system: read("system", SYSTEM),
            hardware: read("hardware", HARDWARE),
        }
    }

    /// Whether it is certainly another machine than `other`: an id that both have differs. An id
    /// that only one has says nothing: the agent may have joined as root and run as another user.
    pub fn differs_from(&self, other: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        differ(&self.system, &other.system) || differ(&self.hardware, &other.hardware)
    }

    /// With what `other` knows where this one knows nothing.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            system: self.system.or(other.system),
            hardware: self.hardware.or(other.hardware),
        }
    }
}

/// The id in a file; none where there is only a placeholder, as in an image that was not
/// started yet (`uninitialized`) or on hardware without one.
fn id(text: &str) -> Option<String> {
    let id = text.trim_matches(['\0', '\n', ' ']).to_ascii_lowercase();
    let digits: Vec<char> = id.chars().filter(char::is_ascii_hexdigit).collect();
    let is_one = id.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
        && digits.len() >= 8
        && digits.windows(2).any(|pair| pair[0] != pair[1]);
    is_one.then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_and_placeholders_are_none() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(id(text).as_deref(), expected, "{text:?}");
        };
        let system = "3d1219c7c4c5404aaa1f6d2a48adfda4";
        check(&format!("{system}\n"), Some(system));
        check("00000000A1B2C3D4\0", Some("00000000a1b2c3d4"));
        check(
            "03AA02FC-0414-0569-7E06-E80700080009\n",
            Some("03aa02fc-0414-0569-7e06-e80700080009"),
        );
        check("uninitialized\n", None);
        check("", None);
        check("00000000-0000-0000-0000-000000000000", None);
        check("Not Settable", None);
    }

    #[test]
    fn a_machine_is_read_from_files_and_kept_as_digests() {
        let folder = tempfile::tempdir().unwrap();
        let root = Root::new(folder.path());
        assert_eq!(Machine::this(&root), Machine::default());
        let id = "3d1219c7c4c5404aaa1f6d2a48adfda4";
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        std::fs::write(root.path("etc/machine-id"), id).unwrap();
        let machine = Machine::this(&root);
        assert_eq!(machine.hardware, None);
        let system = machine.system.unwrap();
        assert!(system.len() == 64 && !system.contains(id), "{system}");
    }

    #[test]
    fn only_an_id_that_both_have_tells_two_machines_apart() {
        let machine = |system: &str, hardware: &str| {
            let id = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            Machine {
                system: id(system),
                hardware: id(hardware),
            }
        };
        let joined = machine("a", "1");
        assert!(!machine("a", "1").differs_from(&joined));
        assert!(!machine("a", "").differs_from(&joined));
        assert!(!machine("", "").differs_from(&joined));
        assert!(machine("b", "").differs_from(&joined));
        assert!(machine("a", "2").differs_from(&joined), "a copied card");
        assert!(machine("b", "1").differs_from(&joined));
        assert!(!machine("b", "2").differs_from(&Machine::default()));
        assert_eq!(machine("", "1").or(machine("a", "2")), joined);
    }
}
