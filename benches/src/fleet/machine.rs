//! An invented machine: values that walk, count, and stay nearly what they were, as on a real
//! one. The same seed makes the same values.

mod parts;

use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{
    Cpu, DiskInfo, Info, InterfaceInfo, Load, Memory, Metrics, ServiceManager, Services, UnitState,
    WatchableService,
};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use self::parts::{Link, MountedDisk, Sensor};

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
    uptime: Duration,
    cpu_percent: f64,
    memory_used: f64,
    load: Option<[f64; 3]>,
    has_swap: bool,
    disks: Vec<MountedDisk>,
    links: Vec<Link>,
    sensors: Vec<Sensor>,
    states: [UnitState; SERVICES.len()],
}

/// What a machine has beside processor and memory.
#[derive(Debug, Clone, Copy)]
enum Part {
    Link,
    Load,
    Disk,
    Sensor,
    Swap,
}

impl Part {
    /// How many numbers of a sample the history keeps of it.
    fn metrics(self) -> usize {
        match self {
            Self::Link => 2,
            Self::Load | Self::Disk | Self::Sensor | Self::Swap => 1,
        }
    }
}

/// Which part a machine has first.
const FIRST: [Part; 5] = [Part::Link, Part::Load, Part::Disk, Part::Sensor, Part::Swap];

/// And which then, again and again.
const THEN: [Part; 7] = [
    Part::Disk,
    Part::Link,
    Part::Sensor,
    Part::Sensor,
    Part::Link,
    Part::Disk,
    Part::Sensor,
];

impl Machine {
    /// The fewest numbers in a sample: processor and memory.
    pub const METRICS_MIN: usize = 2;

    /// What a plain machine has: one disk, one network interface, one sensor.
    pub const METRICS_USUAL: usize = 8;

    /// The machine of this seed, of whose samples the history keeps `metrics` numbers; or one
    /// more, as a network interface has two.
    pub fn new(seed: u64, metrics: usize) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let boot: [u16; 3] = random.random();
        let [a, b, c] = boot;
        let mut machine = Self {
            boot_id: format!(
                "{seed:08x}-{a:04x}-4{:03x}-8{:03x}-{seed:012x}",
                b >> 4,
                c >> 4
            ),
            cores: [2, 4, 8][random.random_range(0..3)],
            memory_bytes: [2, 8, 16][random.random_range(0..3)] * GIB,
            uptime: Duration::from_secs(random.random_range(60..30 * 86_400)),
            cpu_percent: random.random_range(1.0..40.0),
            memory_used: random.random_range(0.2..0.8),
            load: None,
            has_swap: false,
            disks: Vec::new(),
            links: Vec::new(),
            sensors: Vec::new(),
            states: [UnitState::Running; SERVICES.len()],
            random,
        };
        let mut has = Self::METRICS_MIN;
        for part in FIRST.into_iter().chain(THEN.into_iter().cycle()) {
            if has >= metrics {
                break;
            }
            machine.add(part);
            has += part.metrics();
        }
        machine
    }

    fn add(&mut self, part: Part) {
        let random = &mut self.random;
        match part {
            Part::Link => self.links.push(Link::new(self.links.len(), random)),
            Part::Disk => self.disks.push(MountedDisk::new(self.disks.len(), random)),
            Part::Sensor => self.sensors.push(Sensor::new(self.sensors.len(), random)),
            Part::Load => self.load = Some([0.3; 3]),
            Part::Swap => self.has_swap = true,
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
        let random = &mut self.random;
        let network = self.links.iter_mut();
        let network = network.map(|it| it.reading(elapsed, random)).collect();
        let sensors = self.sensors.iter_mut();
        let temperatures = sensors
            .map(|it| it.reading(self.cpu_percent, random))
            .collect();
        Metrics {
            uptime_secs: self.uptime.as_secs(),
            cpu: Cpu {
                usage_percent: tenths(self.cpu_percent),
                per_core_percent: self.per_core(),
                load: self.load.map(|[one, five, fifteen]| Load {
                    one: hundredths(one),
                    five: hundredths(five),
                    fifteen: hundredths(fifteen),
                }),
                ..Cpu::default()
            },
            memory: Memory {
                total_bytes: self.memory_bytes,
                used_bytes: share(self.memory_bytes, self.memory_used),
                ..Memory::default()
            },
            swap: self.has_swap.then_some(Memory {
                total_bytes: GIB,
                used_bytes: 0,
                ..Memory::default()
            }),
            disks: self.disks.iter().map(MountedDisk::reading).collect(),
            network,
            temperatures,
            ..Metrics::blank(session, seq, time)
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
            disks: self.disk_infos(),
            interfaces: self.interface_infos(),
            boot_id: Some(self.boot_id.clone()),
            restart_required: None,
            updates: None,
            watched_services: None,
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
                .map(|(name, state)| WatchableService::new(*name, state))
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

    fn disk_infos(&self) -> Vec<DiskInfo> {
        let info = |(number, disk): (u32, &MountedDisk)| DiskInfo {
            mount: disk.mount.clone(),
            device: format!("/dev/sda{number}"),
            file_system: "ext4".to_owned(),
            total_bytes: disk.bytes,
        };
        (1..).zip(&self.disks).map(info).collect()
    }

    fn interface_infos(&self) -> Vec<InterfaceInfo> {
        let info = |(number, link): (u8, &Link)| InterfaceInfo {
            name: link.name.clone(),
            mac: Some(format!("02:00:00:00:00:{number:02x}")),
            addresses: vec![format!("192.0.2.{number}/24")],
        };
        (1..).zip(&self.links).map(info).collect()
    }

    fn walk(&mut self, elapsed: Duration) {
        self.uptime += elapsed;
        let step = |random: &mut StdRng, width: f64| random.random_range(-width..width);
        let random = &mut self.random;
        self.cpu_percent = (self.cpu_percent + step(random, 6.0)).clamp(0.5, 100.0);
        self.memory_used = (self.memory_used + step(random, 0.004)).clamp(0.1, 0.98);
        for disk in &mut self.disks {
            disk.walk(random);
        }
        let busy = self.cpu_percent / 100.0 * f64::from(self.cores);
        for (load, minutes) in self.load.iter_mut().flatten().zip([1.0, 5.0, 15.0]) {
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
        let mut machine = Machine::new(seed, Machine::METRICS_USUAL);
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
    fn a_machine_has_as_many_numbers_as_asked_for_or_one_more() {
        for metrics in 2..60 {
            let mut machine = Machine::new(1, metrics);
            let time = Timestamp::UNIX_EPOCH;
            let sample = machine.sample(Duration::from_secs(3), SessionId(1), 1, time);
            let has = 2
                + usize::from(sample.swap.is_some())
                + usize::from(sample.cpu.load.is_some())
                + sample.disks.len()
                + 2 * sample.network.len()
                + sample.temperatures.len();
            assert!(
                (metrics..=metrics + 1).contains(&has),
                "{has} instead of {metrics}"
            );
        }
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
