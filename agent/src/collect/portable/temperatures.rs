//! Temperature sensors.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use netmonitor_protocol::payload::Temperature;
use sysinfo::Components;

use super::super::{Collector, Part, rounded};
use crate::root::Root;

/// How often sensors are looked for anew: listing costs far more than reading.
const LIST_EVERY: Duration = Duration::from_mins(1);

/// What a sensor can mean at all, in degrees Celsius: broken ones say -128 or 65535.
const PLAUSIBLE: std::ops::RangeInclusive<f32> = -60.0..=250.0;

struct Temperatures {
    components: Components,
    listed: Option<Instant>,
}

pub(super) fn open(_root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    let components = Components::new().context("cannot look for temperature sensors")?;
    Ok(Box::new(Temperatures {
        components,
        listed: None,
    }))
}

impl Collector for Temperatures {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        if self
            .listed
            .is_none_or(|listed| now.duration_since(listed) >= LIST_EVERY)
        {
            self.components.refresh(true);
            self.listed = Some(now);
        } else {
            for component in &mut self.components {
                component.refresh();
            }
        }
        let readings = self
            .components
            .iter()
            .filter_map(|component| Some((component.label().trim(), component.temperature()?)));
        Ok(Part::Sensors {
            temperatures: named_once(readings),
            fans: Vec::new(),
            voltages: Vec::new(),
        })
    }
}

/// Plausible readings in the order of their names; a name that comes again gets a number, since
/// a name is what a curve is drawn for.
fn named_once<'a>(readings: impl Iterator<Item = (&'a str, f32)>) -> Vec<Temperature> {
    let mut readings: Vec<_> = readings
        .filter(|(_, celsius)| PLAUSIBLE.contains(celsius))
        .collect();
    // Stable: sensors of one name keep the order in which the system lists them.
    readings.sort_by_key(|(name, _)| *name);
    let mut temperatures = Vec::with_capacity(readings.len());
    let mut before: (&str, usize) = ("", 0);
    for (name, celsius) in readings {
        let count = if before.0 == name { before.1 + 1 } else { 1 };
        before = (name, count);
        temperatures.push(Temperature {
            sensor: match count {
                1 => name.to_owned(),
                _ => format!("{name} {count}"),
            },
            celsius: rounded(f64::from(celsius)),
            critical_celsius: None,
        });
    }
    temperatures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_are_sorted_and_each_name_stands_once() {
        let readings = [
            ("nvme Composite", 40.04),
            ("coretemp Core 0", 51.0),
            ("nvme Composite", 38.9),
        ];
        let named: Vec<(String, f64)> = named_once(readings.into_iter())
            .into_iter()
            .map(|it| (it.sensor, it.celsius))
            .collect();
        assert_eq!(
            named,
            [
                ("coretemp Core 0".to_owned(), 51.0),
                ("nvme Composite".to_owned(), 40.0),
                ("nvme Composite 2".to_owned(), 38.9),
            ]
        );
    }

    #[test]
    fn what_no_sensor_can_mean_is_left_out() {
        let readings = [("a", -128.0), ("b", f32::NAN), ("c", 65_535.0), ("d", 0.0)];
        let named = named_once(readings.into_iter());
        assert_eq!(named.len(), 1);
        assert_eq!(named[0].sensor, "d");
    }
}
