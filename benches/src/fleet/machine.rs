//! An invented machine: values that walk, count, and stay nearly what they were, as on a real
//! one. The same seed makes the same values.

use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{
    Cpu, Disk, DiskInfo, Info, InterfaceInfo, Load, Memory, Metrics, Network, ServiceManager,
    Services, Temperature, UnitState, WatchableService,
};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const GIB: u64 = 1 << 30;

/// Services of a plain Debian.
const SERVICES: [&str; 12] = [
    "cron",
    "cups",
    "dbus",
    "getty@tty1",
    "NetworkManager",
    "nginx",
    "polkit",
    "postgresql",
    "ssh",
    "systemd-journald",
    "systemd-logind",
    "systemd-timesyncd",
];

/// How likely a service changes its state between two samples.
const SERVICE_CHANGES: f64 = 0.002;

/// A machine, and what it is doing.
#[derive(Debug)]
pub struct Machine {
    random: StdRng,
    boot_id: String,
    cores: u32,
    memory_bytes: u64,
    disk_bytes: u64,
    uptime: Duration,
    cpu_percent: f64,
    memory_used: f64,
    disk_used: f64,
    celsius: f64,
    received_bytes: u64,
    sent_bytes: u64,
    load: [f64; 3],
    states: [UnitState; SERVICES.len()],
}

impl Machine {
    /// The machine of this seed.
    pub fn new(seed: u64) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let boot: [u16; 3] = random.random();
        let [a, b, c] = boot;
        Self {
            boot_id: format!(
                "{seed:08x}-{a:04x}-4{:03x}-8{:03x}-{seed:012x}",
                b >> 4,
                c >> 4
            ),
            cores: [2, 4, 8][random.random_range(0..3)],
            memory_bytes: [2, 8, 16][random.random_range(0..3)] * GIB,
            disk_bytes: [32, 256, 500][random.random_range(0..3)] * GIB,
            uptime: Duration::from_secs(random.random_range(60..30 * 86_400)),
            cpu_percent: random.random_range(1.0..40.0),
            memory_used: random.random_range(0.2..0.8),
            disk_used: random.random_range(0.1..0.85),
            celsius: random.random_range(35.0..55.0),
            received_bytes: random.random_range(0..GIB),
            sent_bytes: random.random_range(0..GIB),
            load: [0.3; 3],
            states: [UnitState::Running; SERVICES.len()],
            random,
        }
    }

    /// The kernel's id of the current boot.
    pub fn boot_id(&self) -> &str {
        &self.boot_id
    }

    /// So much time goes by, and a sample is taken.
    pub fn sample(
        &mut self,
        elapsed: Duration,
        session: SessionId,
        seq: u64,
        time: Timestamp,
    ) -> Metrics {
        self.walk(elapsed);
        let secs = elapsed.as_secs_f64().max(0.001);
        let (received, sent) = (self.traffic(elapsed), self.traffic(elapsed) / 4);
        self.received_bytes += received;
        self.sent_bytes += sent;
        let total = self.disk_bytes;
        let used_bytes = share(total, self.disk_used);
        Metrics {
            session,
            seq,
            time,
            monotonic_ms: None,
            age_ms: 0,
            oldest_seq: None,
            uptime_secs: self.uptime.as_secs(),
            cpu: Cpu {
                usage_percent: tenths(self.cpu_percent),
                per_core_percent: self.per_core(),
                load: Some(Load {
                    one: hundredths(self.load[0]),
                    five: hundredths(self.load[1]),
                    fifteen: hundredths(self.load[2]),
                }),
            },
            memory: Memory {
                total_bytes: self.memory_bytes,
                used_bytes: share(self.memory_bytes, self.memory_used),
            },
            swap: Some(Memory {
                total_bytes: GIB,
                used_bytes: 0,
            }),
            disks: vec![Disk {
                mount: "/".to_owned(),
                total_bytes: total,
                used_bytes,
                // ext4 keeps a twentieth back for root.
                available_bytes: (total - used_bytes).saturating_sub(total / 20),
            }],
            network: vec![Network {
                interface: "eth0".to_owned(),
                received_bytes: self.received_bytes,
                sent_bytes: self.sent_bytes,
                received_bytes_per_sec: Some(tenths(received as f64 / secs)),
                sent_bytes_per_sec: Some(tenths(sent as f64 / secs)),
            }],
            temperatures: vec![Temperature {
                sensor: "coretemp Package id 0".to_owned(),
                celsius: self.celsius.round(),
            }],
        }
    }

    /// What the machine is.
    pub fn info(&self, host_name: &str, interval: Duration, time: Timestamp) -> Info {
        Info {
            time,
            name: host_name.to_owned(),
            host_name: host_name.to_owned(),
            os: "Debian GNU/Linux 12 (bookworm)".to_owned(),
            kernel: Some("6.1.0-18-amd64".to_owned()),
            architecture: "x86_64".to_owned(),
            processor: Some("Intel(R) Core(TM) i5-8250U CPU @ 1.60GHz".to_owned()),
            cores: self.cores,
            memory_bytes: self.memory_bytes,
            disks: vec![DiskInfo {
                mount: "/".to_owned(),
                device: "/dev/sda1".to_owned(),
                file_system: "ext4".to_owned(),
                total_bytes: self.disk_bytes,
            }],
            interfaces: vec![InterfaceInfo {
                name: "eth0".to_owned(),
                mac: Some("02:00:00:00:00:01".to_owned()),
                addresses: vec!["192.0.2.14/24".to_owned()],
            }],
            boot_id: Some(self.boot_id.clone()),
            interval_secs: interval.as_secs_f64(),
            agent_version: netmonitor_agent::VERSION.to_owned(),
        }
    }

    /// All services, as they are now.
    pub fn services(&self, time: Timestamp) -> Services {
        let services = SERVICES.iter().zip(self.states);
        Services {
            time,
            manager: ServiceManager::Systemd,
            services: services
                .map(|(name, state)| WatchableService {
                    name: (*name).to_owned(),
                    state,
                    description: None,
                })
                .collect(),
        }
    }

    /// Now and then a service fails or recovers: true if one has.
    pub fn service_changed(&mut self) -> bool {
        if !self.random.random_bool(SERVICE_CHANGES) {
            return false;
        }
        let at = self.random.random_range(0..SERVICES.len());
        self.states[at] = match self.states[at] {
            UnitState::Running => UnitState::Failed,
            _ => UnitState::Running,
        };
        true
    }

    fn walk(&mut self, elapsed: Duration) {
        self.uptime += elapsed;
        let step = |random: &mut StdRng, width: f64| random.random_range(-width..width);
        let random = &mut self.random;
        self.cpu_percent = (self.cpu_percent + step(random, 6.0)).clamp(0.5, 100.0);
        self.memory_used = (self.memory_used + step(random, 0.004)).clamp(0.1, 0.98);
        // A disk fills slowly, and not in every sample.
        if random.random_bool(0.1) {
            self.disk_used = (self.disk_used + step(random, 0.0004)).clamp(0.05, 0.99);
        }
        let target = 35.0 + self.cpu_percent * 0.4;
        self.celsius += (target - self.celsius) * 0.1 + step(random, 0.5);
        let busy = self.cpu_percent / 100.0 * f64::from(self.cores);
        for (load, minutes) in self.load.iter_mut().zip([1.0, 5.0, 15.0]) {
            let decay = (-elapsed.as_secs_f64() / (minutes * 60.0)).exp();
            *load = *load * decay + busy * (1.0 - decay);
        }
    }

    fn per_core(&mut self) -> Vec<f64> {
        (0..self.cores)
            .map(|_| {
                tenths((self.cpu_percent + self.random.random_range(-5.0..5.0)).clamp(0.0, 100.0))
            })
            .collect()
    }

    /// Mostly a trickle, sometimes a burst.
    fn traffic(&mut self, elapsed: Duration) -> u64 {
        let most: u64 = if self.random.random_bool(0.05) {
            2_000_000
        } else {
            8_000
        };
        self.random.random_range(0..=most) * elapsed.as_secs().max(1)
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share from 0 to 1 of a number of bytes is one as well"
)]
fn share(total: u64, share: f64) -> u64 {
    (total as f64 * share) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(seed: u64) -> Vec<Metrics> {
        let mut machine = Machine::new(seed);
        let time = Timestamp::UNIX_EPOCH;
        (1..200)
            .map(|seq| machine.sample(Duration::from_secs(3), SessionId(1), seq, time))
            .collect()
    }

    #[test]
    fn the_same_seed_makes_the_same_values_and_another_makes_others() {
        assert_eq!(samples(7), samples(7));
        assert_ne!(samples(7), samples(8));
    }

    #[test]
    fn values_are_those_of_a_machine() {
        let samples = samples(3);
        for pair in samples.windows(2) {
            let (before, after) = (&pair[0], &pair[1]);
            assert!(after.network[0].received_bytes >= before.network[0].received_bytes);
            assert!(after.uptime_secs == before.uptime_secs + 3);
            assert!((after.cpu.usage_percent - before.cpu.usage_percent).abs() <= 6.1);
        }
        for sample in samples {
            assert!((0.0..=100.0).contains(&sample.cpu.usage_percent));
            assert!(sample.memory.used_bytes < sample.memory.total_bytes);
            assert!(
                sample.disks[0]
                    .used_percent()
                    .is_some_and(|used| used <= 100.0)
            );
        }
    }
}
