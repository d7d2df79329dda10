//! The sensors of `/sys/class/hwmon` (`Documentation/hwmon/sysfs-interface.rst`) and the thermal
//! zones of boards (`Documentation/driver-api/thermal/sysfs-api.rst`): what there is, by name.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::sysfs;
use crate::root::Root;

/// A zone that measures nothing: it always tells the same, so that it can be used at all.
const MADE_UP: &str = "INT3400 Thermal";

/// What a sensor measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    /// In thousandths of a degree Celsius.
    Temperature,
    /// In revolutions per minute.
    Fan,
    /// In thousandths of a volt.
    Voltage,
}

/// One sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sensor {
    pub(super) kind: Kind,
    /// The chip and what it calls the sensor.
    pub(super) name: String,
    /// Where its value is.
    pub(super) file: PathBuf,
    /// What it is a part of, if that can sleep by itself.
    pub(super) device: Option<PathBuf>,
    /// Above this the hardware is in danger, in the same unit.
    pub(super) critical: Option<i64>,
}

/// All sensors. A name that comes again gets a number, since a name is what a curve is drawn for.
pub(super) fn sensors(root: &Root) -> Vec<Sensor> {
    let chips = sysfs::entries(&root.path("sys/class/hwmon"));
    let mut names = Vec::new();
    let mut sensors = Vec::new();
    for (_, folder) in chips {
        // Until Linux 3.13 the files of most chips were with the device.
        let of_device = folder.join("device");
        let mut folders = [folder, of_device].into_iter();
        let found = folders.find_map(|it| Some((sysfs::text(&it.join("name"))?, it)));
        let Some((chip, folder)) = found else {
            continue;
        };
        let shown = of_drive(&folder, &chip).unwrap_or_else(|| chip.clone());
        sensors.extend(of_chip(&folder, &shown));
        names.push(chip);
    }
    for (_, folder) in sysfs::entries(&root.path("sys/class/thermal")) {
        let Some(zone) = sysfs::text(&folder.join("type")) else {
            continue;
        };
        // Most zones are chips as well, with underscores for hyphens.
        let is_known = |chip: &str| names.iter().any(|it| it == chip);
        let is_repeated = is_known(&zone.replace('-', "_"))
            || (zone == "x86_pkg_temp" && is_known("coretemp"))
            || zone == MADE_UP;
        let file = folder.join("temp");
        if !is_repeated && file.exists() {
            sensors.push(Sensor {
                kind: Kind::Temperature,
                name: zone,
                file,
                device: None,
                critical: None,
            });
        }
    }
    numbered(&mut sensors);
    sensors
}

/// The drive that a sensor is in: every one calls itself the same.
fn of_drive(folder: &Path, chip: &str) -> Option<String> {
    let device = folder.join("device");
    match chip {
        "drivetemp" => sysfs::entries(&device.join("block")).into_iter().next(),
        // The device is the controller itself, whose folder is named after it; from Linux 5.5 to 5.11
        // it is the slot, in which the controller is.
        "nvme" => {
            let slot = sysfs::entries(&device.join("nvme")).into_iter().next();
            slot.or_else(|| {
                let path = device.canonicalize().ok()?;
                let name = path.file_name()?.to_str()?.to_owned();
                Some((name, path))
            })
        }
        _ => None,
    }
    .map(|(name, _)| name)
}

fn of_chip(folder: &Path, chip: &str) -> Vec<Sensor> {
    let device = folder.join("device");
    let device = device
        .join("power/runtime_status")
        .exists()
        .then_some(device);
    sysfs::entries(folder)
        .into_iter()
        .filter_map(|(file, path)| {
            let channel = file.strip_suffix("_input")?;
            let (kind, is_told) = match channel.trim_end_matches(|c: char| c.is_ascii_digit()) {
                "temp" => (Kind::Temperature, true),
                "fan" => (Kind::Fan, true),
                // Without a label nobody knows what it is of, nor by what it is divided.
                "in" => (Kind::Voltage, false),
                _ => return None,
            };
            let label = sysfs::text(&folder.join(format!("{channel}_label")));
            if label.is_none() && !is_told {
                return None;
            }
            let critical = sysfs::value(&folder.join(format!("{channel}_crit")));
            Some(Sensor {
                kind,
                name: format!("{chip} {}", label.as_deref().unwrap_or(channel)),
                file: path,
                device: device.clone(),
                // Chips without a limit say 0, or more than anything withstands.
                critical: critical.filter(|it| (1_000..=200_000).contains(it)),
            })
        })
        .collect()
}

fn numbered(sensors: &mut [Sensor]) {
    let mut counts: HashMap<(Kind, String), u32> = HashMap::new();
    for sensor in sensors {
        let count = counts
            .entry((sensor.kind, sensor.name.clone()))
            .or_default();
        *count += 1;
        if *count > 1 {
            sensor.name = format!("{} {count}", sensor.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(files: &[(&str, &str)]) -> (tempfile::TempDir, Root) {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let root = Root::new(folder.path());
        (folder, root)
    }

    #[test]
    fn sensors_have_the_names_of_chip_and_label_and_each_name_stands_once() {
        let (_folder, root) = root(&[
            ("sys/class/hwmon/hwmon0/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon0/temp1_input", "51000\n"),
            ("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n"),
            ("sys/class/hwmon/hwmon0/temp1_crit", "100000\n"),
            ("sys/class/hwmon/hwmon1/name", "nct6775\n"),
            ("sys/class/hwmon/hwmon1/fan1_input", "1180\n"),
            ("sys/class/hwmon/hwmon1/in0_input", "1096\n"),
            ("sys/class/hwmon/hwmon1/in1_input", "3300\n"),
            ("sys/class/hwmon/hwmon1/in1_label", "AVCC\n"),
            ("sys/class/hwmon/hwmon1/temp1_input", "30000\n"),
            ("sys/class/hwmon/hwmon1/temp1_crit", "0\n"),
            ("sys/class/hwmon/hwmon2/name", "drivetemp\n"),
            ("sys/class/hwmon/hwmon2/device/block/sda/size", "1\n"),
            ("sys/class/hwmon/hwmon2/temp1_input", "30000\n"),
            ("sys/class/hwmon/hwmon3/name", "coretemp\n"),
            ("sys/class/hwmon/hwmon3/temp1_input", "50000\n"),
            ("sys/class/hwmon/hwmon3/temp1_label", "Package id 0\n"),
            ("sys/class/thermal/thermal_zone0/type", "pch_cannonlake\n"),
            ("sys/class/thermal/thermal_zone0/temp", "51000\n"),
            ("sys/class/thermal/thermal_zone1/type", "coretemp\n"),
            ("sys/class/thermal/thermal_zone1/temp", "51000\n"),
            ("sys/class/thermal/cooling_device0/type", "Fan\n"),
        ]);
        let sensors = sensors(&root);
        let found: Vec<_> = sensors
            .iter()
            .map(|it| (it.kind, it.name.as_str(), it.critical))
            .collect();
        let expected = [
            (Kind::Temperature, "coretemp Package id 0", Some(100_000)),
            (Kind::Fan, "nct6775 fan1", None),
            (Kind::Voltage, "nct6775 AVCC", None),
            (Kind::Temperature, "nct6775 temp1", None),
            (Kind::Temperature, "sda temp1", None),
            (Kind::Temperature, "coretemp Package id 0 2", None),
            (Kind::Temperature, "pch_cannonlake", None),
        ];
        assert_eq!(found, expected);
    }

    #[cfg(unix)]
    #[test]
    fn the_sensor_of_an_nvme_drive_has_the_name_of_the_drive() {
        let (folder, root) = root(&[
            ("sys/devices/pci/nvme/nvme1/hwmon4/name", "nvme\n"),
            ("sys/devices/pci/nvme/nvme1/hwmon4/temp1_input", "40000\n"),
            (
                "sys/devices/pci/nvme/nvme1/hwmon4/temp1_label",
                "Composite\n",
            ),
            ("sys/class/hwmon/.keep", ""),
        ]);
        let chip = folder.path().join("sys/devices/pci/nvme/nvme1/hwmon4");
        std::os::unix::fs::symlink("..", chip.join("device")).unwrap();
        std::os::unix::fs::symlink(&chip, folder.path().join("sys/class/hwmon/hwmon4")).unwrap();
        assert_eq!(sensors(&root)[0].name, "nvme1 Composite");
    }
}
