//! Which numbers of a sample are above what an admin allows.

use netmonitor_protocol::payload::{Disk, Metrics};

/// Above these a device needs someone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Processor, in percent.
    pub cpu_percent: f64,
    /// Memory, in percent.
    pub ram_percent: f64,
    /// Each disk, in percent.
    pub disk_percent: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu_percent: 90.0,
            ram_percent: 90.0,
            disk_percent: 90.0,
        }
    }
}

/// What is above its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// The processor.
    Cpu,
    /// Memory.
    Ram,
    /// The disk that is mounted there.
    Disk(String),
}

/// One number above its limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Exceeded {
    /// Of what.
    pub resource: Resource,
    /// The number, in percent.
    pub value: f64,
    /// The limit, in percent.
    pub limit: f64,
}

/// All that is above its limit in this sample. A number at its limit is not above it. A disk that
/// is on another machine is that one's to tell, and of one that does not answer nobody knows.
pub fn exceeded(metrics: &Metrics, limits: &Limits) -> Vec<Exceeded> {
    let cpu = Some(metrics.cpu.usage_percent);
    let ram = metrics.memory.used_percent();
    let mut found = Vec::new();
    let mut check = |resource: Resource, value: Option<f64>, limit: f64| {
        if let Some(value) = value.filter(|value| *value > limit) {
            found.push(Exceeded {
                resource,
                value,
                limit,
            });
        }
    };
    check(Resource::Cpu, cpu, limits.cpu_percent);
    check(Resource::Ram, ram, limits.ram_percent);
    let answers = |disk: &&Disk| !disk.remote && !disk.unresponsive;
    for disk in metrics.disks.iter().filter(answers) {
        let resource = Resource::Disk(disk.mount.clone());
        check(resource, disk.used_percent(), limits.disk_percent);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(cpu: f64, ram: u64, disk: u64) -> Metrics {
        serde_json::from_value(serde_json::json!({
            "session": "0000000000000001", "seq": 1, "time": "2026-11-22T10:00:00Z",
            "uptime_secs": 1,
            "cpu": { "usage_percent": cpu },
            "memory": { "total_bytes": 100, "used_bytes": ram },
            "disks": [{ "mount": "/home", "total_bytes": 100, "used_bytes": disk,
                        "available_bytes": 100 - disk }],
        }))
        .unwrap()
    }

    #[test]
    fn a_number_at_its_limit_is_not_above_it() {
        assert_eq!(exceeded(&sample(90.0, 90, 90), &Limits::default()), []);
    }

    #[test]
    fn everything_above_its_limit_is_named_with_value_and_limit() {
        let found = exceeded(&sample(90.1, 96, 97), &Limits::default());
        let expected = [
            (Resource::Cpu, 90.1),
            (Resource::Ram, 96.0),
            (Resource::Disk("/home".to_owned()), 97.0),
        ]
        .map(|(resource, value)| Exceeded {
            resource,
            value,
            limit: 90.0,
        });
        assert_eq!(found, expected);
    }

    #[test]
    fn limits_are_per_resource() {
        let limits = Limits {
            cpu_percent: 10.0,
            ..Limits::default()
        };
        assert_eq!(exceeded(&sample(50.0, 50, 50), &limits).len(), 1);
    }

    #[test]
    fn a_disk_of_another_machine_and_one_that_does_not_answer_are_not_above_any_limit() {
        let is_above = |change: fn(&mut Disk)| {
            let mut sample = sample(1.0, 1, 97);
            change(&mut sample.disks[0]);
            !exceeded(&sample, &Limits::default()).is_empty()
        };
        assert!(is_above(|_| ()));
        assert!(!is_above(|disk| disk.remote = true));
        assert!(!is_above(|disk| disk.unresponsive = true));
    }
}
