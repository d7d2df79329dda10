//! The series of a device: the names under which the API gives them, their scale, and how a
//! sample becomes numbers.

use netmonitor_protocol::payload::Metrics;

/// One number of a sample, with the name of its series.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Name of the series, e.g. `cpu` or `disk:/home`.
    pub series: String,
    /// In the unit of the series.
    pub value: f64,
}

/// How a number becomes an integer: multiplied by this. Fewer digits compress better, and
/// nobody reads more than these.
pub(super) fn scale(series: &str) -> f64 {
    match series.split(':').next().unwrap_or(series) {
        "cpu" | "ram" | "swap" | "disk" | "temp" => 10.0,
        "load1" => 100.0,
        _ => 1.0,
    }
}

/// The numbers of a sample that the history keeps.
///
/// `cpu`, `ram`, `swap` and `disk:{mount}` in percent, `load1` as a number, `rx:{interface}`
/// and `tx:{interface}` in bytes per second, `temp:{sensor}` in degrees Celsius. What the
/// machine does not have is absent.
pub fn series_of(metrics: &Metrics) -> Vec<Reading> {
    let mut readings = vec![reading("cpu", None, metrics.cpu.usage_percent)];
    let mut push = |name: &str, part: Option<&str>, value: Option<f64>| {
        readings.extend(value.map(|value| reading(name, part, value)));
    };
    push("ram", None, metrics.memory.used_percent());
    push(
        "swap",
        None,
        metrics.swap.and_then(|swap| swap.used_percent()),
    );
    push("load1", None, metrics.cpu.load.map(|load| load.one));
    for disk in &metrics.disks {
        push("disk", Some(&disk.mount), disk.used_percent());
    }
    for link in &metrics.network {
        push("rx", Some(&link.interface), link.received_bytes_per_sec);
        push("tx", Some(&link.interface), link.sent_bytes_per_sec);
    }
    for sensor in &metrics.temperatures {
        push("temp", Some(&sensor.sensor), Some(sensor.celsius));
    }
    readings.retain(|reading| reading.value.is_finite());
    readings
}

/// The same as [`series_of`], as the integers that are stored.
pub(super) fn numbers_of(metrics: &Metrics) -> impl Iterator<Item = (String, i64)> {
    series_of(metrics).into_iter().map(|reading| {
        let number = scaled(reading.value * scale(&reading.series));
        (reading.series, number)
    })
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a value outside of i64 is clamped, and nothing that is measured comes near it"
)]
fn scaled(value: f64) -> i64 {
    value.round() as i64
}

fn reading(name: &str, part: Option<&str>, value: f64) -> Reading {
    let series = match part {
        // A comma separates names in a request.
        Some(part) => format!("{name}:{}", part.replace(',', "_")),
        None => name.to_owned(),
    };
    Reading { series, value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_does_not_have_is_absent() {
        let metrics: Metrics = serde_json::from_str(
            r#"{"session":"00000000000000aa","seq":1,"time":"2026-11-22T10:00:00Z",
                "uptime_secs":5,"cpu":{"usage_percent":12.34},
                "memory":{"total_bytes":0,"used_bytes":0},
                "disks":[{"mount":"/a,b","total_bytes":120,"used_bytes":50,"available_bytes":50}],
                "network":[{"interface":"eth0","received_bytes":1,"sent_bytes":2,
                            "received_bytes_per_sec":7.0}]}"#,
        )
        .unwrap();
        let names: Vec<(String, f64)> = series_of(&metrics)
            .into_iter()
            .map(|reading| (reading.series, reading.value))
            .collect();
        let expected = [("cpu", 12.34), ("disk:/a_b", 50.0), ("rx:eth0", 7.0)];
        assert_eq!(
            names,
            expected.map(|(name, value)| (name.to_owned(), value))
        );
    }
}
