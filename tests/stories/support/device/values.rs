//! What an invented device measures.

use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{
    Disk, Inodes, Load, Memory, Metrics, Network, ServiceManager, Services, Temperature, UnitState,
    WatchableService,
};
use netmonitor_service::clock;

/// How much of everything there is, so that percents are whole numbers.
const WHOLE: u64 = 1_000_000;

/// What a device is like. All is well unless the story says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Values {
    /// In percent, as the next ones.
    pub(crate) cpu: u64,
    pub(crate) ram: u64,
    pub(crate) swap: u64,
    pub(crate) disk: u64,
    pub(crate) inodes: u64,
    /// Of five minutes, on the only core.
    pub(crate) load: f64,
    pub(crate) celsius: f64,
    /// As much comes in as goes out: this is both.
    pub(crate) bytes_per_sec: f64,
    /// How far its clock is off.
    pub(crate) clock_ahead_secs: i64,
    pub(crate) uptime_secs: u64,
    /// Name, state, and how often it was started again. All of them are watched.
    pub(crate) services: Vec<(&'static str, UnitState, u32)>,
    /// It is connected, and sends no samples.
    pub(crate) is_silent: bool,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            cpu: 10,
            ram: 50,
            swap: 0,
            disk: 40,
            inodes: 5,
            load: 0.5,
            celsius: 45.0,
            bytes_per_sec: 1000.0,
            clock_ahead_secs: 0,
            uptime_secs: 100_000,
            services: Vec::new(),
            is_silent: false,
        }
    }
}

impl Values {
    /// A sample of it.
    pub(super) fn sample(&self, session: SessionId, seq: u64) -> Metrics {
        let time = clock::now() + jiff::SignedDuration::from_secs(self.clock_ahead_secs);
        let mut sample = Metrics::blank(session, seq, time);
        sample.uptime_secs = self.uptime_secs;
        sample.cpu.usage_percent = self.cpu as f64;
        sample.cpu.per_core_percent = vec![self.cpu as f64];
        sample.cpu.load = Some(Load {
            one: self.load,
            five: self.load,
            fifteen: self.load,
        });
        sample.memory = memory(self.ram);
        sample.swap = Some(memory(self.swap));
        sample.disks = vec![Disk {
            mount: "/".to_owned(),
            total_bytes: WHOLE,
            used_bytes: part(self.disk),
            available_bytes: WHOLE - part(self.disk),
            inodes: Some(Inodes {
                total: WHOLE,
                used: part(self.inodes),
            }),
            ..Disk::default()
        }];
        sample.network = vec![Network {
            interface: "eth0".to_owned(),
            received_bytes_per_sec: Some(self.bytes_per_sec / 2.0),
            sent_bytes_per_sec: Some(self.bytes_per_sec / 2.0),
            ..Network::default()
        }];
        sample.temperatures = vec![Temperature {
            sensor: "cpu".to_owned(),
            celsius: self.celsius,
            ..Temperature::default()
        }];
        sample
    }

    /// Its services.
    pub(super) fn services(&self) -> Services {
        let service = |&(name, state, restarts): &(&str, UnitState, u32)| WatchableService {
            restarts,
            watched: true,
            ..WatchableService::new(name, state)
        };
        Services {
            time: clock::now(),
            manager: ServiceManager::Systemd,
            services: self.services.iter().map(service).collect(),
        }
    }
}

fn memory(percent: u64) -> Memory {
    Memory {
        total_bytes: WHOLE,
        used_bytes: part(percent),
        cached_bytes: None,
    }
}

fn part(percent: u64) -> u64 {
    percent * WHOLE / 100
}
