//! Temperatures, fans and voltages.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{Fan, Temperature, Voltage};

use super::super::{Collector, Part, rounded};
use super::hwmon::{Kind, Sensor, sensors};
use super::sysfs;
use crate::root::Root;

/// How often sensors are looked for anew: listing costs far more than reading.
const LIST_EVERY: Duration = Duration::from_mins(1);

/// What a sensor can mean at all, in thousandths of a degree Celsius: broken ones say -128 or
/// 65535 degrees.
const PLAUSIBLE: std::ops::RangeInclusive<i64> = -60_000..=250_000;

/// What a chip says of a fan that is not there.
const NO_FAN: u32 = 65_535;

struct Sensors {
    root: Root,
    listed: Option<Instant>,
    known: Vec<Sensor>,
    /// Fans that have turned. A board has connectors for more than it has fans: those say 0 for
    /// ever, as does a fan that has stopped.
    fans: BTreeSet<String>,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Sensors {
        root: root.clone(),
        listed: None,
        known: Vec::new(),
        fans: BTreeSet::new(),
    }))
}

impl Collector for Sensors {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        let is_due = |listed: Instant| now.saturating_duration_since(listed) >= LIST_EVERY;
        if self.listed.is_none_or(is_due) {
            self.known = sensors(&self.root);
            self.known.sort_by(|a, b| a.name.cmp(&b.name));
            self.listed = Some(now);
        }
        let (mut temperatures, mut fans, mut voltages) = (Vec::new(), Vec::new(), Vec::new());
        for sensor in &self.known {
            if sensor.device.as_deref().is_some_and(sysfs::is_suspended) {
                continue;
            }
            // A drive that sleeps does not answer, and one that is gone has no file any more.
            let Some(value) = sysfs::value::<i64>(&sensor.file) else {
                continue;
            };
            match sensor.kind {
                Kind::Temperature => temperatures.extend(temperature(sensor, value)),
                Kind::Fan => fans.extend(fan(sensor, value, &mut self.fans)),
                Kind::Voltage => voltages.push(Voltage {
                    sensor: sensor.name.clone(),
                    volts: value as f64 / 1000.0,
                }),
            }
        }
        Ok(Part::Sensors {
            temperatures,
            fans,
            voltages,
        })
    }
}

fn temperature(sensor: &Sensor, thousandths: i64) -> Option<Temperature> {
    let celsius = |thousandths: i64| rounded(thousandths as f64 / 1000.0);
    PLAUSIBLE.contains(&thousandths).then(|| Temperature {
        sensor: sensor.name.clone(),
        celsius: celsius(thousandths),
        critical_celsius: sensor.critical.map(celsius),
    })
}

fn fan(sensor: &Sensor, rpm: i64, known: &mut BTreeSet<String>) -> Option<Fan> {
    let rpm = u32::try_from(rpm).ok().filter(|rpm| *rpm < NO_FAN)?;
    if rpm > 0 && !known.contains(&sensor.name) {
        known.insert(sensor.name.clone());
    }
    known.contains(&sensor.name).then(|| Fan {
        sensor: sensor.name.clone(),
        rpm,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sensor(kind: Kind) -> Sensor {
        Sensor {
            kind,
            name: "chip x".to_owned(),
            file: "x".into(),
            device: None,
            critical: Some(95_000),
        }
    }

    #[test]
    fn what_no_sensor_can_mean_is_left_out() {
        let check = |thousandths, expected: Option<f64>| {
            let found = temperature(&sensor(Kind::Temperature), thousandths);
            assert_eq!(found.map(|it| it.celsius), expected);
        };
        check(48_460, Some(48.5));
        check(0, Some(0.0));
        check(-12_500, Some(-12.5));
        check(-128_000, None);
        check(65_535_000, None);
    }

    #[test]
    fn a_chip_that_sleeps_is_not_asked() {
        let folder = tempfile::tempdir().unwrap();
        let chip = folder.path().join("sys/class/hwmon/hwmon0");
        let power = chip.join("device/power");
        std::fs::create_dir_all(&power).unwrap();
        std::fs::write(chip.join("name"), "amdgpu\n").unwrap();
        std::fs::write(chip.join("temp1_input"), "41000\n").unwrap();
        let mut sensors = open(&Root::new(folder.path())).unwrap();
        for (state, expected) in [("active\n", 1), ("suspended\n", 0), ("active\n", 1)] {
            std::fs::write(power.join("runtime_status"), state).unwrap();
            let Part::Sensors { temperatures, .. } = sensors.read(Instant::now()).unwrap() else {
                panic!("no sensors");
            };
            assert_eq!(temperatures.len(), expected, "{state}");
        }
    }

    #[test]
    fn a_fan_is_one_that_has_turned_and_then_also_when_it_stands_still() {
        let mut known = BTreeSet::new();
        let mut rpm = |value| fan(&sensor(Kind::Fan), value, &mut known).map(|it| it.rpm);
        assert_eq!(
            [0, 1180, 0, -1, 65_535].map(&mut rpm),
            [None, Some(1180), Some(0), None, None]
        );
    }
}
