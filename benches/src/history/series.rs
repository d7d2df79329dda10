//! The numbers of a sample, as every store is given them.

use netmonitor_protocol::payload::{Memory, Metrics};

/// Which number of a device it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Its name in our API.
    pub ours: String,
    /// Its name in Prometheus' way.
    pub metric: &'static str,
    /// Which of several it is there: label and value.
    pub label: Option<(&'static str, String)>,
    /// Whether it counts: others ask for its rate.
    pub counts: bool,
}

/// The series of a sample, in the order of [`numbers`].
pub fn series(metrics: &Metrics) -> Vec<Series> {
    let mut all = Vec::new();
    each(metrics, |name, part, _| {
        let (metric, label) = match name {
            "cpu" => ("cpu_percent", ""),
            "ram" => ("ram_percent", ""),
            "swap" => ("swap_percent", ""),
            "load1" => ("load1", ""),
            "disk" => ("disk_percent", "mount"),
            "rx" => ("received_bytes_total", "interface"),
            "tx" => ("sent_bytes_total", "interface"),
            _ => ("temperature_celsius", "sensor"),
        };
        all.push(Series {
            ours: part.map_or_else(|| name.to_owned(), |part| format!("{name}:{part}")),
            metric,
            label: part.map(|part| (label, part.to_owned())),
            counts: matches!(name, "rx" | "tx"),
        });
    });
    all
}

/// The numbers of a sample, as exactly as our history keeps them, so that nobody has to store
/// more: tenths of a percent and of a degree, hundredths of load, counters as they are.
pub fn numbers(metrics: &Metrics, into: &mut Vec<f64>) {
    each(metrics, |name, _, value| {
        let scale = match name {
            "rx" | "tx" => 1.0,
            "load1" => 100.0,
            _ => 10.0,
        };
        into.push((value * scale).round() / scale);
    });
}

fn each(metrics: &Metrics, mut take: impl FnMut(&'static str, Option<&str>, f64)) {
    take("cpu", None, metrics.cpu.usage_percent);
    let used = |memory: &Memory| memory.used_percent();
    if let Some(percent) = used(&metrics.memory) {
        take("ram", None, percent);
    }
    if let Some(percent) = metrics.swap.as_ref().and_then(used) {
        take("swap", None, percent);
    }
    if let Some(load) = metrics.cpu.load {
        take("load1", None, load.one);
    }
    for disk in &metrics.disks {
        if let Some(percent) = disk.used_percent() {
            take("disk", Some(&disk.mount), percent);
        }
    }
    for link in &metrics.network {
        take("rx", Some(&link.interface), link.received_bytes as f64);
        take("tx", Some(&link.interface), link.sent_bytes as f64);
    }
    for sensor in &metrics.temperatures {
        take("temp", Some(&sensor.sensor), sensor.celsius);
    }
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::SessionId;
    use netmonitor_store::history::{Layouts, NewSample};

    use super::*;
    use crate::fleet::Machine;

    #[test]
    fn every_number_that_the_history_keeps_has_its_series() {
        let mut machine = Machine::new(1, 20);
        let time = jiff::Timestamp::UNIX_EPOCH;
        let step = std::time::Duration::from_secs(3);
        let sample = machine.sample(step, SessionId(1), 1, time);
        let mut values = Vec::new();
        numbers(&sample, &mut values);
        let all = series(&sample);
        assert_eq!((all.len(), values.len()), (20, 20));
        let mut names: Vec<_> = all.iter().map(|it| it.ours.clone()).collect();
        let device = "ws".parse().unwrap();
        let stored = NewSample::new(device, time, &sample, &mut Layouts::default());
        let layout = stored.layout.names().iter();
        // Counters are stored under names of their own, and shown as rates.
        let mut kept: Vec<_> = layout.map(|name| name.replace("_bytes:", ":")).collect();
        names.sort_unstable();
        kept.sort_unstable();
        assert_eq!(names, kept);
    }
}
