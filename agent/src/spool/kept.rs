//! What of a sample is kept until the hub has stored it.

use netmonitor_protocol::payload::Metrics;

/// Without what the history does not keep and a chart of the past does not show: each core, which
/// only matters now, and rates, which follow from the counters. On a machine with many cores and
/// disks that is half of what a sample takes.
pub(super) fn kept(sample: &Metrics) -> Metrics {
    let mut kept = sample.clone();
    kept.cpu.per_core_percent.clear();
    for link in &mut kept.network {
        link.received_bytes_per_sec = None;
        link.sent_bytes_per_sec = None;
    }
    for drive in &mut kept.drives {
        drive.read_bytes_per_sec = None;
        drive.written_bytes_per_sec = None;
        drive.reads_per_sec = None;
        drive.writes_per_sec = None;
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use netmonitor_protocol::SessionId;
    use netmonitor_protocol::payload::{
        CpuModes, Disk, Drive, Fan, Inodes, Load, Memory, Network, Pressure, ProcessCounts,
        Temperature,
    };

    use super::super::tests::{folder, read};
    use super::*;
    use crate::config::SPOOL_MAX_MB;

    /// Numbers that look as if they were measured.
    struct Noise(u64);

    impl Noise {
        fn below(&mut self, most: u64) -> u64 {
            // Knuth's MMIX.
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % most
        }

        fn percent(&mut self) -> f64 {
            self.below(1000) as f64 / 10.0
        }
    }

    /// A machine with 16 cores, four disks, four drives, three interfaces and eight sensors, of which
    /// nothing rests.
    fn large(seq: u64, noise: &mut Noise) -> Metrics {
        let mut sample = crate::collect::tests::sample(SessionId(1), seq);
        let step = Duration::from_secs(3 * seq);
        sample.time += step;
        sample.uptime_secs = step.as_secs();
        sample.cpu.usage_percent = noise.percent();
        sample.cpu.per_core_percent = (0..16).map(|_| noise.percent()).collect();
        sample.cpu.frequency_mhz = u32::try_from(noise.below(4000)).ok();
        sample.cpu.modes = Some(CpuModes {
            user_percent: noise.percent(),
            system_percent: noise.percent(),
            iowait_percent: noise.percent(),
            irq_percent: noise.percent(),
            steal_percent: 0.0,
        });
        sample.cpu.load = Some(Load {
            one: noise.percent(),
            five: noise.percent(),
            fifteen: noise.percent(),
        });
        sample.pressure = Some(Pressure {
            cpu_percent: noise.percent(),
            io_percent: noise.percent(),
            ..Pressure::default()
        });
        sample.processes = Some(ProcessCounts {
            total: 400,
            running: u32::try_from(noise.below(16)).ok(),
            blocked: Some(0),
        });
        sample.memory = Memory {
            total_bytes: 64 << 30,
            used_bytes: (20 << 30) + noise.below(1 << 30),
            cached_bytes: Some((30 << 30) + noise.below(1 << 30)),
        };
        for at in 0..4 {
            sample.disks.push(Disk {
                mount: format!("/srv/disk-{at}"),
                total_bytes: 4 << 40,
                used_bytes: (1 << 40) + (seq / 4) * 1_048_576,
                available_bytes: (3 << 40) - (seq / 4) * 1_048_576,
                inodes: Some(Inodes {
                    total: 1 << 28,
                    used: 1_000_000 + seq / 4,
                }),
                ..Disk::default()
            });
            sample.drives.push(Drive {
                name: format!("nvme{at}n1"),
                read_bytes: seq * 40_000_000 + noise.below(40_000_000),
                written_bytes: seq * 40_000_000 + noise.below(40_000_000),
                read_bytes_per_sec: Some(noise.below(100_000_000) as f64 / 10.0),
                written_bytes_per_sec: Some(noise.below(100_000_000) as f64 / 10.0),
                reads_per_sec: Some(noise.percent()),
                writes_per_sec: Some(noise.percent()),
                busy_percent: Some(noise.percent()),
                wear_percent: None,
            });
        }
        for at in 0..3 {
            sample.network.push(Network {
                interface: format!("enp{at}s0"),
                received_bytes: seq * 9_000_000 + noise.below(9_000_000),
                sent_bytes: seq * 9_000_000 + noise.below(9_000_000),
                received_bytes_per_sec: Some(noise.below(30_000_000) as f64 / 10.0),
                sent_bytes_per_sec: Some(noise.below(30_000_000) as f64 / 10.0),
                link: Some(true),
                link_mbit_per_sec: Some(1000),
                ..Network::default()
            });
        }
        // Sensors are read every ten seconds.
        let mut slow = Noise(seq / 3);
        for at in 0..8 {
            sample.temperatures.push(Temperature {
                sensor: format!("chip temp{at}"),
                celsius: 40.0 + slow.percent() / 10.0,
                critical_celsius: Some(100.0),
            });
        }
        sample.fans.push(Fan {
            sensor: "chip fan1".to_owned(),
            rpm: 1000 + u32::try_from(slow.below(100)).unwrap(),
        });
        sample
    }

    #[test]
    fn a_large_and_busy_machine_has_room_for_three_days() {
        let folder = folder();
        let mut spool = folder.open(1);
        let mut noise = Noise(7);
        let samples = 1000;
        for seq in 1..=samples {
            spool.append(&large(seq, &mut noise));
        }
        while let Some(packing) = spool.packing() {
            assert!(spool.packed(packing.run()));
        }
        let bytes: u64 = folder
            .blocks()
            .iter()
            .map(|it| it.metadata().unwrap().len())
            .sum();
        let days = (SPOOL_MAX_MB << 20) as f64 / (bytes as f64 / samples as f64) * 3.0 / 86_400.0;
        println!("{} bytes a sample: {days:.1} days", bytes / samples);
        assert!(
            days >= 3.0,
            "{} bytes a sample, {days:.1} days",
            bytes / samples
        );
        assert_eq!(read(&spool, 1).len(), usize::try_from(samples).unwrap());
    }
}
