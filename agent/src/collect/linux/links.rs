//! Links of network hardware, as far as only the driver knows: the speed (`speed` in
//! `Documentation/ABI/testing/sysfs-class-net`) and the signal of a radio. A driver whose hardware
//! hangs answers after seconds, and so this is asked apart from the traffic.

use std::collections::BTreeMap;
use std::time::Instant;

use super::super::{Collector, Part};
use super::interface::Link;
use super::sysfs;
use crate::root::Root;

struct Links {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Links { root: root.clone() }))
}

impl Collector for Links {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let interfaces = sysfs::entries(&self.root.path("sys/class/net"));
        // Software has whatever speed its driver says.
        let hardware = interfaces.into_iter().filter(|(name, _)| {
            let link = Link::read(&self.root, name);
            !link.is_virtual && link.carrier == Some(true)
        });
        let speeds = hardware.filter_map(|(name, folder)| {
            let speed = sysfs::value(&folder.join("speed")).and_then(speed)?;
            Some((name, speed))
        });
        // Only where there is radio.
        let wireless = self.root.read("proc/net/wireless").unwrap_or_default();
        let signals: BTreeMap<String, i32> = wireless.lines().filter_map(signal).collect();
        Ok(Part::Links {
            mbit_per_sec: speeds.collect(),
            signal_dbm: signals,
        })
    }
}

/// -1, or the same without a sign, where nobody knows.
fn speed(mbit_per_sec: i64) -> Option<u32> {
    u32::try_from(mbit_per_sec)
        .ok()
        .filter(|speed| *speed > 0 && *speed != u32::MAX)
}

/// Name and strength of the signal in a line of `/proc/net/wireless`, which has it as third
/// number: in dBm if it is negative.
fn signal(line: &str) -> Option<(String, i32)> {
    let (name, rest) = line.rsplit_once(':')?;
    let level = rest.split_ascii_whitespace().nth(2)?;
    let dbm: i32 = level.trim_end_matches('.').parse().ok()?;
    (dbm < 0).then(|| (name.trim().to_owned(), dbm))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hardware_with_a_link_has_a_speed() {
        let folder = tempfile::tempdir().unwrap();
        let net = folder.path().join("sys/class/net");
        let write = |file: &str, text: &str| {
            let path = net.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        for (name, state, speed) in [
            ("eth0", "up\n", "1000\n"),
            ("eth1", "down\n", "100\n"),
            ("eth2", "up\n", "-1\n"),
            ("veth12", "up\n", "10000\n"),
        ] {
            write(&format!("{name}/operstate"), state);
            write(&format!("{name}/speed"), speed);
            if name != "veth12" {
                write(&format!("{name}/device/vendor"), "0x8086\n");
            }
        }
        let found = open(&Root::new(folder.path()))
            .unwrap()
            .read(Instant::now());
        let expected = Part::Links {
            mbit_per_sec: BTreeMap::from([("eth0".to_owned(), 1000)]),
            signal_dbm: BTreeMap::new(),
        };
        assert_eq!(found.unwrap(), expected);
        assert_eq!(speed(i64::from(u32::MAX)), None);
    }

    #[test]
    fn a_signal_is_in_dbm() {
        let line = " wlan0: 0000   58.  -52.  -256        0      0      0      0      7        0";
        assert_eq!(signal(line), Some(("wlan0".to_owned(), -52)));
        assert_eq!(
            signal("wlan0: 0000 58. 70. 0"),
            None,
            "in parts of something"
        );
        assert_eq!(signal("face | tus | link level noise"), None);
    }
}
