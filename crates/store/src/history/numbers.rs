//! How a sample becomes numbers.

use netmonitor_protocol::payload::Metrics;

use super::series::{
    BATTERY, BUSY, CONTAINER_CPU, CONTAINER_MEMORY, CPU, CPU_IOWAIT, CPU_STEAL, CPU_SYSTEM,
    CPU_USER, DISK, FAN, FREQUENCY, GPU, INODES, LOAD, Name, PRESSURE_CPU, PRESSURE_IO,
    PRESSURE_MEMORY, PROCESSES, Quantity, RAM, SIGNAL, SWAP, TEMPERATURE,
};

/// The numbers of a sample that the history keeps, each with the name of its series.
///
/// In percent `cpu` and its parts `cpu_user`, `cpu_system`, `cpu_iowait` and `cpu_steal`, `ram`,
/// `swap`, `psi_cpu`, `psi_memory`, `psi_io`, `disk:{mount}`, `inodes:{mount}`, `busy:{drive}`,
/// `battery:{name}`, `gpu:{name}` and `container_cpu:{name}`; `load1` and `processes` as numbers,
/// `freq` in MHz, `temp:{sensor}` in degrees Celsius, `fan:{sensor}` in revolutions per minute,
/// `signal:{interface}` in dBm, `container_memory_bytes:{name}` in bytes;
/// `rx_bytes:{interface}`, `tx_bytes:{interface}`, `read_bytes:{drive}` and
/// `written_bytes:{drive}` in bytes since boot. What the machine does not have is absent.
///
/// Those that are many on some machines come last: of too many the last are left out.
pub(super) fn numbers_of(metrics: &Metrics) -> Vec<(Name<'_>, i64)> {
    let mut numbers = Numbers(Vec::with_capacity(most_of(metrics)));
    numbers.add_processor(metrics);
    numbers.add_memory(metrics);
    numbers.add_disks(metrics);
    numbers.add_sensors(metrics);
    numbers.add_network(metrics);
    numbers.add_containers(metrics);
    numbers.0
}

/// So many numbers at most come from it.
fn most_of(metrics: &Metrics) -> usize {
    12 + 2 * metrics.disks.len()
        + 3 * metrics.drives.len()
        + metrics.temperatures.len()
        + metrics.fans.len()
        + metrics.batteries.len()
        + metrics.gpus.len()
        + 3 * metrics.network.len()
        + 2 * metrics.containers.len()
}

struct Numbers<'a>(Vec<(Name<'a>, i64)>);

impl<'a> Numbers<'a> {
    fn push(&mut self, it: Quantity, value: impl Into<Option<f64>>) {
        self.push_part(it, None, value);
    }

    fn push_of(&mut self, it: Quantity, part: &'a str, value: impl Into<Option<f64>>) {
        self.push_part(it, Some(part), value);
    }

    fn push_part(&mut self, it: Quantity, part: Option<&'a str>, value: impl Into<Option<f64>>) {
        let Some(value) = value.into().filter(|value| value.is_finite()) else {
            return;
        };
        let what = it.name;
        self.0
            .push((Name { what, part }, rounded(value * it.scale)));
    }

    fn push_counter(&mut self, what: &'static str, part: &'a str, bytes: u64) {
        let part = Some(part);
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.push((Name { what, part }, bytes));
    }

    fn add_processor(&mut self, metrics: &'a Metrics) {
        let cpu = &metrics.cpu;
        self.push(CPU, cpu.usage_percent);
        if let Some(modes) = cpu.modes {
            self.push(CPU_USER, modes.user_percent);
            self.push(CPU_SYSTEM, modes.system_percent);
            self.push(CPU_IOWAIT, modes.iowait_percent);
            self.push(CPU_STEAL, modes.steal_percent);
        }
        self.push(FREQUENCY, cpu.frequency_mhz.map(f64::from));
        self.push(LOAD, cpu.load.map(|load| load.one));
        if let Some(pressure) = metrics.pressure {
            self.push(PRESSURE_CPU, pressure.cpu_percent);
            self.push(PRESSURE_MEMORY, pressure.memory_percent);
            self.push(PRESSURE_IO, pressure.io_percent);
        }
        self.push(PROCESSES, metrics.processes.map(|it| f64::from(it.total)));
    }

    fn add_memory(&mut self, metrics: &'a Metrics) {
        self.push(RAM, metrics.memory.used_percent());
        self.push(SWAP, metrics.swap.and_then(|swap| swap.used_percent()));
    }

    fn add_disks(&mut self, metrics: &'a Metrics) {
        for disk in &metrics.disks {
            // Its numbers are those of before: a gap is no lie.
            if disk.unresponsive {
                continue;
            }
            self.push_of(DISK, &disk.mount, disk.used_percent());
            let inodes = disk.inodes.and_then(|inodes| inodes.used_percent());
            self.push_of(INODES, &disk.mount, inodes);
        }
        for drive in &metrics.drives {
            self.push_counter("read_bytes", &drive.name, drive.read_bytes);
            self.push_counter("written_bytes", &drive.name, drive.written_bytes);
            self.push_of(BUSY, &drive.name, drive.busy_percent);
        }
    }

    fn add_sensors(&mut self, metrics: &'a Metrics) {
        for sensor in &metrics.temperatures {
            self.push_of(TEMPERATURE, &sensor.sensor, sensor.celsius);
        }
        for fan in &metrics.fans {
            self.push_of(FAN, &fan.sensor, f64::from(fan.rpm));
        }
        for battery in &metrics.batteries {
            self.push_of(BATTERY, &battery.name, battery.percent);
        }
        for gpu in &metrics.gpus {
            self.push_of(GPU, &gpu.name, gpu.usage_percent);
        }
    }

    fn add_network(&mut self, metrics: &'a Metrics) {
        for link in &metrics.network {
            self.push_counter("rx_bytes", &link.interface, link.received_bytes);
            self.push_counter("tx_bytes", &link.interface, link.sent_bytes);
            self.push_of(SIGNAL, &link.interface, link.signal_dbm.map(f64::from));
        }
    }

    fn add_containers(&mut self, metrics: &'a Metrics) {
        for container in &metrics.containers {
            self.push_of(CONTAINER_CPU, &container.name, container.cpu_percent);
            let bytes = container.memory_bytes.map(|bytes| bytes as f64);
            self.push_of(CONTAINER_MEMORY, &container.name, bytes);
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a value outside of i64 is clamped, and nothing that is measured comes near it"
)]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// These numbers and no others come from this sample.
    fn check(parts: &str, expected: &[(&str, i64)]) {
        let text = format!(
            r#"{{"session":"00000000000000aa","seq":1,"time":"2026-11-22T10:00:00Z",
                "uptime_secs":5,{parts}}}"#
        );
        let metrics: Metrics = serde_json::from_str(&text).unwrap();
        let numbers = numbers_of(&metrics);
        let named: Vec<_> = numbers
            .iter()
            .map(|(name, value)| (name.to_string(), *value))
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, number)| ((*name).to_owned(), *number))
            .collect();
        assert_eq!(named, expected);
        for (stored, _) in expected {
            let known = numbers.iter().filter(|it| it.0.is(&stored)).count();
            assert_eq!(known, 1, "{stored}");
        }
        assert!(
            numbers.len() <= most_of(&metrics),
            "one allocation is enough"
        );
    }

    #[test]
    fn what_a_machine_does_not_have_is_absent() {
        check(
            r#""cpu":{"usage_percent":12.34},
               "memory":{"total_bytes":0,"used_bytes":0},
               "disks":[{"mount":"/a,b","total_bytes":120,"used_bytes":50,"available_bytes":50}],
               "network":[{"interface":"eth0","received_bytes":1,"sent_bytes":2,
                           "received_bytes_per_sec":7.0}]"#,
            &[
                ("cpu", 123),
                ("disk:/a_b", 500),
                ("rx_bytes:eth0", 1),
                ("tx_bytes:eth0", 2),
            ],
        );
    }

    #[test]
    fn what_a_machine_has_beside_the_basics_is_kept_in_the_figures_that_are_read() {
        check(
            r#""cpu":{"usage_percent":12.0,"frequency_mhz":1800,
                 "modes":{"user_percent":8.12,"system_percent":3.2,"iowait_percent":0.6,
                          "irq_percent":0.4,"steal_percent":0.0}},
               "pressure":{"cpu_percent":1.5,"memory_percent":0.2,"memory_full_percent":0.1,
                           "io_percent":2.5,"io_full_percent":1.0},
               "processes":{"total":312,"running":2},
               "memory":{"total_bytes":100,"used_bytes":50},
               "drives":[{"name":"sda","read_bytes":7,"written_bytes":9,"busy_percent":0.74}],
               "fans":[{"sensor":"nct fan1","rpm":1180}],
               "voltages":[{"sensor":"in0","volts":1.096}],
               "batteries":[{"name":"BAT0","percent":81.04,"state":"full"}],
               "gpus":[{"name":"card0","usage_percent":7.4},{"name":"card1"}],
               "network":[{"interface":"wlan0","received_bytes":1,"sent_bytes":2,
                           "signal_dbm":-61}],
               "containers":[{"name":"web","image":"nginx","state":"running",
                              "cpu_percent":0.42,"memory_bytes":15728640},
                             {"name":"old","image":"nginx","state":"exited"}]"#,
            &[
                ("cpu", 120),
                ("cpu_user", 81),
                ("cpu_system", 32),
                ("cpu_iowait", 6),
                ("cpu_steal", 0),
                ("freq", 180),
                ("psi_cpu", 15),
                ("psi_memory", 2),
                ("psi_io", 25),
                ("processes", 312),
                ("ram", 500),
                ("read_bytes:sda", 7),
                ("written_bytes:sda", 9),
                ("busy:sda", 7),
                ("fan:nct fan1", 118),
                ("battery:BAT0", 810),
                ("gpu:card0", 7),
                ("rx_bytes:wlan0", 1),
                ("tx_bytes:wlan0", 2),
                ("signal:wlan0", -61),
                ("container_cpu:web", 4),
                ("container_memory_bytes:web", 60),
            ],
        );
    }

    #[test]
    fn a_disk_that_does_not_answer_has_no_number() {
        check(
            r#""cpu":{"usage_percent":1.0},
               "memory":{"total_bytes":0,"used_bytes":0},
               "disks":[{"mount":"/","total_bytes":9,"used_bytes":1,"available_bytes":3,
                         "inodes":{"total":1000,"used":3}},
                        {"mount":"/nfs","total_bytes":9,"used_bytes":1,"available_bytes":3,
                         "inodes":{"total":1000,"used":3},"remote":true,"unresponsive":true}]"#,
            &[("cpu", 10), ("disk:/", 250), ("inodes:/", 3)],
        );
    }
}
