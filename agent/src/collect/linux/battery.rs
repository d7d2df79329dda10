//! Batteries and mains power from `/sys/class/power_supply`
//! (`Documentation/ABI/testing/sysfs-class-power`).

use std::path::Path;
use std::time::Instant;

use netmonitor_protocol::payload::{Battery, ChargeState};

use super::super::{Collector, Part, percent, rounded};
use super::sysfs;
use crate::root::Root;

struct Supplies {
    root: Root,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Supplies { root: root.clone() }))
}

impl Collector for Supplies {
    fn read(&mut self, _now: Instant) -> anyhow::Result<Part> {
        let (mut batteries, mut on_mains) = (Vec::new(), None);
        for (name, folder) in sysfs::entries(&self.root.path("sys/class/power_supply")) {
            // Mice and headsets have batteries of their own.
            if sysfs::text(&folder.join("scope")).as_deref() == Some("Device") {
                continue;
            }
            match sysfs::text(&folder.join("type")).as_deref() {
                Some("Battery") => batteries.extend(battery(name, &folder)),
                Some("Mains" | "USB") => {
                    let online: Option<u8> = sysfs::value(&folder.join("online"));
                    let is_on = online.map(|online| online != 0);
                    on_mains = match (on_mains, is_on) {
                        (Some(a), Some(b)) => Some(a || b),
                        (known, is_on) => known.or(is_on),
                    };
                }
                _ => {}
            }
        }
        // A board that is fed over USB has no other source: that it is on says nothing.
        let on_mains = on_mains.filter(|_| !batteries.is_empty());
        Ok(Part::Power(batteries, on_mains))
    }
}

/// None where there is a place for one and none in it.
fn battery(name: String, folder: &Path) -> Option<Battery> {
    let number = |file: &str| sysfs::value::<i64>(&folder.join(file)).map(|it| it as f64);
    if number("present") == Some(0.0) {
        return None;
    }
    // In millionths of a watt-hour, or of an ampere-hour.
    let of_energy = (
        number("energy_now"),
        number("energy_full"),
        number("energy_full_design"),
    );
    let of_charge = (
        number("charge_now"),
        number("charge_full"),
        number("charge_full_design"),
    );
    let (now, full, new) = if of_energy.1.is_some() {
        of_energy
    } else {
        of_charge
    };
    let full_share = || percent(now?, full?);
    // In millionths of a watt; else what volts and amperes make.
    let watts = number("power_now")
        .map(|it| it / 1e6)
        .or_else(|| Some(number("current_now")? / 1e6 * (number("voltage_now")? / 1e6)));
    Some(Battery {
        name,
        percent: number("capacity").or_else(full_share)?.clamp(0.0, 100.0),
        state: state(sysfs::text(&folder.join("status")).as_deref()),
        // Some say by its sign whether it goes in or out: the state says so.
        watts: watts.map(|it| rounded(it.abs())),
        health_percent: full.zip(new).and_then(|(full, new)| percent(full, new)),
    })
}

fn state(word: Option<&str>) -> ChargeState {
    match word {
        Some("Charging") => ChargeState::Charging,
        Some("Discharging") => ChargeState::Discharging,
        Some("Full") => ChargeState::Full,
        Some("Not charging") => ChargeState::NotCharging,
        _ => ChargeState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> Part {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join("sys/class/power_supply").join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut collector = open(&Root::new(folder.path())).unwrap();
        collector.read(Instant::now()).unwrap()
    }

    #[test]
    fn a_battery_is_told_with_its_state_its_power_and_its_health() {
        let part = read(&[
            ("AC/type", "Mains\n"),
            ("AC/online", "0\n"),
            ("BAT0/type", "Battery\n"),
            ("BAT0/present", "1\n"),
            ("BAT0/status", "Discharging\n"),
            ("BAT0/capacity", "81\n"),
            ("BAT0/energy_now", "40500000\n"),
            ("BAT0/energy_full", "50000000\n"),
            ("BAT0/energy_full_design", "54000000\n"),
            ("BAT0/power_now", "7430000\n"),
            ("BAT1/type", "Battery\n"),
            ("BAT1/present", "0\n"),
            ("hidpp_battery_0/type", "Battery\n"),
            ("hidpp_battery_0/scope", "Device\n"),
            ("hidpp_battery_0/capacity", "50\n"),
        ]);
        let expected = Battery {
            name: "BAT0".to_owned(),
            percent: 81.0,
            state: ChargeState::Discharging,
            watts: Some(7.4),
            health_percent: Some(92.6),
        };
        assert_eq!(part, Part::Power(vec![expected], Some(false)));
    }

    #[test]
    fn one_that_counts_charge_tells_the_same() {
        let part = read(&[
            ("BAT0/type", "Battery\n"),
            ("BAT0/status", "Not charging\n"),
            ("BAT0/charge_now", "2000000\n"),
            ("BAT0/charge_full", "4000000\n"),
            ("BAT0/current_now", "-500000\n"),
            ("BAT0/voltage_now", "12000000\n"),
            ("ucsi/type", "USB\n"),
            ("ucsi/online", "1\n"),
        ]);
        let expected = Battery {
            name: "BAT0".to_owned(),
            percent: 50.0,
            state: ChargeState::NotCharging,
            watts: Some(6.0),
            health_percent: None,
        };
        assert_eq!(part, Part::Power(vec![expected], Some(true)));
    }

    #[test]
    fn a_machine_without_a_battery_has_none() {
        assert_eq!(read(&[]), Part::Power(vec![], None));
        let board = [("usb/type", "USB\n"), ("usb/online", "1\n")];
        assert_eq!(read(&board), Part::Power(vec![], None));
    }
}
