//! What the machine is: all that seldom changes.

#[cfg(target_os = "linux")]
mod machine_linux;
#[cfg(not(target_os = "linux"))]
mod machine_other;

use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::payload::Info;

#[cfg(target_os = "linux")]
use machine_linux as machine;
#[cfg(not(target_os = "linux"))]
use machine_other as machine;

use crate::VERSION;
use crate::collect::{Facts, interfaces};
use crate::failures::Failures;
use crate::root::Root;

pub(crate) use machine::boot_id;
#[cfg(target_os = "linux")]
pub(crate) use machine::cores;

/// What cannot change while the machine runs, or hardly does.
#[derive(Debug, Clone)]
struct Fixed {
    kernel: Option<String>,
    architecture: String,
    processor: Option<String>,
    cores: u32,
    memory_bytes: u64,
}

/// Reads the inventory as often as asked; what cannot change while the machine runs is read
/// once.
pub(crate) struct Inventory {
    root: Root,
    /// The name that the admin gave at joining.
    name: Option<String>,
    fixed: Fixed,
    /// The services to watch that were chosen on this machine.
    watched_services: Option<Vec<String>>,
    failures: Failures,
}

impl Inventory {
    /// Reads what cannot change.
    pub(crate) fn new(
        root: &Root,
        name: Option<String>,
        watched_services: Option<Vec<String>>,
    ) -> Self {
        Self {
            root: root.clone(),
            name,
            fixed: machine::fixed(root),
            watched_services,
            failures: Failures::default(),
        }
    }

    /// Reads the inventory. What cannot be read is left empty, logged now and then. `interval`
    /// is the time between two samples, `facts` is what collectors have read.
    pub(crate) fn read(
        &mut self,
        facts: &Facts,
        interval: Duration,
        now: Instant,
        time: Timestamp,
    ) -> Info {
        let host_name = host_name(&self.root);
        let interfaces = interfaces(&self.root);
        self.failures.note("interfaces", now, interfaces.as_ref());
        let fixed = self.fixed.clone();
        Info {
            time,
            name: self.name.clone().unwrap_or_else(|| host_name.clone()),
            host_name,
            os: machine::os(&self.root).unwrap_or_else(|| std::env::consts::OS.to_owned()),
            kernel: fixed.kernel,
            architecture: fixed.architecture,
            processor: fixed.processor,
            cores: fixed.cores,
            memory_bytes: fixed.memory_bytes,
            disks: facts.disks.clone(),
            interfaces: interfaces.unwrap_or_default(),
            boot_id: boot_id(&self.root),
            restart_required: facts.restart_required,
            updates: facts.updates,
            watched_services: self.watched_services.clone(),
            interval_secs: interval.as_secs_f64(),
            agent_version: VERSION.to_owned(),
        }
    }
}

/// Whether two readings differ in what they say, whenever they were made.
pub(crate) fn differs(a: &Info, b: &Info) -> bool {
    let undated = |info: &Info| Info {
        time: Timestamp::UNIX_EPOCH,
        ..info.clone()
    };
    undated(a) != undated(b)
}

/// The host name as the system has it.
pub(crate) fn host_name(root: &Root) -> String {
    machine::host_name(root).unwrap_or_else(|| "unknown".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: Option<&str>) -> Info {
        let interval = Duration::from_millis(1500);
        let mut inventory = Inventory::new(&Root::default(), name.map(str::to_owned), None);
        let facts = Facts::default();
        inventory.read(
            &facts,
            interval,
            Instant::now(),
            netmonitor_service::clock::now(),
        )
    }

    #[test]
    fn the_inventory_of_this_machine_is_filled_in() {
        let info = read(None);
        assert_eq!(info.name, info.host_name);
        assert!(!info.os.is_empty() && !info.architecture.is_empty());
        assert!(info.cores > 0 && info.memory_bytes > 0);
        assert!((info.interval_secs - 1.5).abs() < 1e-9);
    }

    #[test]
    fn two_readings_differ_in_what_they_say_and_not_in_their_time() {
        let info = read(Some("Reception"));
        assert_eq!(info.name, "Reception");
        let later = Info {
            time: info.time + jiff::SignedDuration::from_secs(600),
            ..info.clone()
        };
        assert!(!differs(&info, &later));
        let renamed = Info {
            name: "Office".to_owned(),
            ..later
        };
        assert!(differs(&info, &renamed));
    }
}
