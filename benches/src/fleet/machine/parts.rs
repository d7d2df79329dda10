//! What a machine has one or more of: disks, network interfaces, sensors.

use std::time::Duration;

use netmonitor_protocol::payload::{Disk, Network, Temperature};
use rand::Rng as _;
use rand::rngs::StdRng;

use super::{GIB, share, tenths};

/// Sizes of disks, in GiB.
const DISKS: [u64; 3] = [32, 256, 500];

/// Bytes in a second of a burst, at most.
const BURST: u64 = 2_000_000;

/// Fills slowly, and not in every sample.
#[derive(Debug)]
pub(super) struct MountedDisk {
    pub(super) mount: String,
    pub(super) bytes: u64,
    used: f64,
    /// How likely something is written between two samples.
    changes: f64,
}

/// Counts what goes through it.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) name: String,
    received_bytes: u64,
    sent_bytes: u64,
    /// How likely there is anything at all between two samples.
    speaks: f64,
    /// How likely that is a burst.
    bursts: f64,
    /// Bytes in a second of what is no burst, at most.
    trickle: u64,
}

/// Follows the processor, more or less.
#[derive(Debug)]
pub(super) struct Sensor {
    name: String,
    celsius: f64,
    /// Degrees for each percent of the processor.
    follows: f64,
    /// Largest step of its own between two samples.
    trembles: f64,
}

impl MountedDisk {
    /// The `n`th of a machine: the root first, on which most is written.
    pub(super) fn new(n: usize, random: &mut StdRng) -> Self {
        let mount = match n {
            0 => "/".to_owned(),
            1 => "/boot".to_owned(),
            2 => "/home".to_owned(),
            _ => format!("/srv/{n}"),
        };
        Self {
            mount,
            bytes: DISKS[random.random_range(0..DISKS.len())] * GIB,
            used: random.random_range(0.1..0.85),
            changes: [0.1, 0.0, 0.02][n.min(2)],
        }
    }

    pub(super) fn walk(&mut self, random: &mut StdRng) {
        if self.changes > 0.0 && random.random_bool(self.changes) {
            let step = random.random_range(-0.0004..0.0004);
            self.used = (self.used + step).clamp(0.05, 0.99);
        }
    }

    pub(super) fn reading(&self) -> Disk {
        let used_bytes = share(self.bytes, self.used);
        Disk {
            mount: self.mount.clone(),
            total_bytes: self.bytes,
            used_bytes,
            // ext4 keeps a twentieth back for root.
            available_bytes: (self.bytes - used_bytes).saturating_sub(self.bytes / 20),
            ..Disk::default()
        }
    }
}

impl Link {
    /// The `n`th of a machine: the one to the network first, which is never silent.
    pub(super) fn new(n: usize, random: &mut StdRng) -> Self {
        let (name, speaks, bursts, trickle) = match n {
            0 => ("eth0".to_owned(), 1.0, 0.05, 8_000),
            1 => ("wlan0".to_owned(), 0.7, 0.01, 600),
            2 => ("docker0".to_owned(), 0.1, 0.0, 2_000),
            _ => (format!("veth{n}"), 0.3, 0.002, 400),
        };
        Self {
            name,
            received_bytes: random.random_range(0..GIB),
            sent_bytes: random.random_range(0..GIB),
            speaks,
            bursts,
            trickle,
        }
    }

    /// So much time goes by: mostly a trickle, sometimes a burst.
    pub(super) fn reading(&mut self, elapsed: Duration, random: &mut StdRng) -> Network {
        let secs = elapsed.as_secs_f64().max(0.001);
        let received = self.traffic(elapsed, random);
        let sent = self.traffic(elapsed, random) / 4;
        self.received_bytes += received;
        self.sent_bytes += sent;
        Network {
            interface: self.name.clone(),
            received_bytes: self.received_bytes,
            sent_bytes: self.sent_bytes,
            received_bytes_per_sec: Some(tenths(received as f64 / secs)),
            sent_bytes_per_sec: Some(tenths(sent as f64 / secs)),
            ..Network::default()
        }
    }

    fn traffic(&self, elapsed: Duration, random: &mut StdRng) -> u64 {
        if !random.random_bool(self.speaks) {
            return 0;
        }
        let is_burst = random.random_bool(self.bursts);
        let most = if is_burst { BURST } else { self.trickle };
        random.random_range(0..=most) * elapsed.as_secs().max(1)
    }
}

impl Sensor {
    /// The `n`th of a machine: the processor's first, then others that feel less of it.
    pub(super) fn new(n: usize, random: &mut StdRng) -> Self {
        let (name, follows, trembles) = match n {
            0 => ("coretemp Package id 0".to_owned(), 0.4, 0.5),
            1 => ("nvme Composite".to_owned(), 0.05, 0.2),
            2 => ("acpitz temp1".to_owned(), 0.1, 0.1),
            _ => (format!("iwlwifi_{n} temp1"), 0.02, 0.1),
        };
        Self {
            name,
            celsius: random.random_range(35.0..55.0),
            follows,
            trembles,
        }
    }

    /// As most sensors have it: in whole degrees.
    pub(super) fn reading(&mut self, cpu_percent: f64, random: &mut StdRng) -> Temperature {
        let target = 35.0 + cpu_percent * self.follows;
        let own = random.random_range(-self.trembles..self.trembles);
        self.celsius += (target - self.celsius) * 0.1 + own;
        Temperature {
            sensor: self.name.clone(),
            celsius: self.celsius.round(),
            ..Temperature::default()
        }
    }
}
