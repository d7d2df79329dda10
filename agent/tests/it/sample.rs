//! One sample against what the system's own files and tools say.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use netmonitor_protocol::payload::Metrics;

use crate::program::{agent, output};

fn sample() -> Metrics {
    let state = tempfile::tempdir().unwrap();
    let (code, stdout, stderr) = output(&mut agent(state.path(), &["sample"]));
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(stderr, "", "a healthy machine is no reason to complain");
    serde_json::from_str(&stdout).unwrap()
}

/// A value of `/proc/meminfo` in bytes.
fn meminfo(key: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))
        .unwrap();
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1024
}

fn assert_near(name: &str, measured: u64, expected: u64, tolerance: u64) {
    assert!(
        measured.abs_diff(expected) <= tolerance,
        "{name}: {measured} is not within {tolerance} of {expected}"
    );
}

#[test]
fn memory_and_swap_are_those_of_proc_meminfo() {
    let sample = sample();
    let total = meminfo("MemTotal");
    assert_eq!(sample.memory.total_bytes, total);
    let used = total - meminfo("MemAvailable");
    // Other tests run at the same time: a tenth of the memory may come and go.
    assert_near("used", sample.memory.used_bytes, used, total / 10);
    let swap = meminfo("SwapTotal");
    assert_eq!(
        sample.swap.map_or(0, |swap| swap.total_bytes),
        swap,
        "absent where there is none"
    );
    assert_eq!(sample.swap.is_some(), swap > 0);
}

#[test]
fn disks_are_those_of_df() {
    let sample = sample();
    assert!(sample.disks.iter().any(|disk| disk.mount == "/"));
    for disk in &sample.disks {
        let (code, stdout, _) = output(
            Command::new("df")
                .args(["-B1", "--output=size,used,avail"])
                .arg(&disk.mount),
        );
        assert_eq!(code, Some(0));
        let numbers: Vec<u64> = stdout
            .lines()
            .nth(1)
            .unwrap()
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        assert_eq!(disk.total_bytes, numbers[0], "{}", disk.mount);
        // Builds write at the same time.
        let tolerance = 1024 * 1024 * 1024;
        assert_near(&disk.mount, disk.used_bytes, numbers[1], tolerance);
        assert_near(&disk.mount, disk.available_bytes, numbers[2], tolerance);
    }
}

#[test]
fn uptime_load_and_counters_are_those_of_proc() {
    let sample = sample();
    let text = std::fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = text.split(' ').next().unwrap().parse().unwrap();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap();
    let five: f64 = load.split(' ').nth(1).unwrap().parse().unwrap();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole seconds are what is compared"
    )]
    let uptime = uptime as u64;
    assert_near("uptime", sample.uptime_secs, uptime, 5);
    let measured = sample.cpu.load.unwrap().five;
    assert!((measured - five).abs() < 0.5, "{measured} and {five}");
    for network in &sample.network {
        assert_ne!(network.interface, "lo");
        let path = format!("/sys/class/net/{}/statistics/rx_bytes", network.interface);
        let now: u64 = std::fs::read_to_string(path)
            .unwrap()
            .trim()
            .parse()
            .unwrap();
        assert!(network.received_bytes <= now, "{}", network.interface);
        assert!(
            network.received_bytes_per_sec.is_some(),
            "two readings were made"
        );
    }
}

#[test]
fn the_processor_is_measured_and_not_made_up() {
    let cores = std::fs::read_to_string("/proc/stat")
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "))
        .count();
    // Every core is kept busy while the sample is taken: 0 would be a lie.
    let stop = AtomicBool::new(false);
    let (sample, took) = std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        let start = Instant::now();
        let sample = sample();
        stop.store(true, Ordering::Relaxed);
        (sample, start.elapsed())
    });
    assert!(
        took.as_millis() >= 200,
        "two readings need some time between"
    );
    assert_eq!(sample.cpu.per_core_percent.len(), cores);
    assert!(sample.cpu.usage_percent > 50.0, "{:?}", sample.cpu);
    let all = sample
        .cpu
        .per_core_percent
        .iter()
        .chain([&sample.cpu.usage_percent]);
    for percent in all {
        assert!((0.0..=100.0).contains(percent));
        let tenths = percent * 10.0;
        assert!((tenths - tenths.round()).abs() < 1e-6, "{percent}");
    }
}

#[test]
fn each_sample_is_a_start_of_its_own() {
    let (first, second) = (sample(), sample());
    assert_eq!((first.seq, second.seq), (1, 1));
    assert_ne!(first.session, second.session);
    assert!(first.time < second.time);
    assert_eq!(
        first.time.subsec_nanosecond() % 1_000_000,
        0,
        "whole milliseconds"
    );
}

/// What a program prints.
fn told(program: &str, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = output(Command::new(program).args(arguments));
    assert_eq!(code, Some(0), "{program}: {stderr}");
    stdout
}

#[test]
fn memory_is_what_free_tells() {
    let sample = sample();
    let told = told("free", &["-b", "-w"]);
    let memory: Vec<u64> = told
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .skip(1)
        .map(|number| number.parse().unwrap())
        .collect();
    // total, used, free, shared, buffers, cache, available.
    assert_eq!(sample.memory.total_bytes, memory[0]);
    // Other tests run at the same time.
    let tolerance = memory[0] / 10;
    let available = sample.memory.available_bytes();
    assert_near("available", available, memory[6], tolerance);
    let cached = memory[4] + memory[5] - memory[3];
    assert_near(
        "cached",
        sample.memory.cached_bytes.unwrap(),
        cached,
        tolerance,
    );
}

#[test]
fn inodes_are_those_of_df() {
    for disk in sample().disks {
        let Some(inodes) = disk.inodes else {
            continue;
        };
        let told = told("df", &["--output=itotal,iused", &disk.mount]);
        let mut numbers = told.lines().nth(1).unwrap().split_whitespace();
        let mut next = || numbers.next().unwrap().parse::<u64>().unwrap();
        assert_eq!(inodes.total, next(), "{}", disk.mount);
        // Builds make files at the same time.
        assert_near(&disk.mount, inodes.used, next(), 50_000);
    }
}

#[test]
fn interfaces_are_those_of_ip_with_their_links_and_errors() {
    let sample = sample();
    let links: serde_json::Value =
        serde_json::from_str(&told("ip", &["-s", "-j", "link"])).unwrap();
    let links = links.as_array().unwrap();
    for network in &sample.network {
        let link = links
            .iter()
            .find(|it| it["ifname"] == network.interface.as_str());
        let link = link.expect("ip knows it");
        let counter = |way: &str, what: &str| link["stats64"][way][what].as_u64().unwrap();
        let seen = (network.received_bytes, counter("rx", "bytes"));
        assert!(
            seen.0 <= seen.1 && seen.1 - seen.0 < 100_000_000,
            "{seen:?}"
        );
        assert_eq!(network.receive_errors, counter("rx", "errors"));
        assert_eq!(network.send_errors, counter("tx", "errors"));
        if network.link == Some(true) {
            assert_eq!(link["operstate"], "UP");
        }
    }
    let hardware = std::fs::read_dir("/sys/class/net").unwrap().flatten();
    let hardware = hardware.filter(|it| it.path().join("device").exists());
    for interface in hardware {
        let name = interface.file_name().into_string().unwrap();
        assert!(
            sample.network.iter().any(|it| it.interface == name),
            "{name}"
        );
    }
}

#[test]
fn processes_are_those_of_ps_without_threads_of_the_kernel() {
    let sample = sample();
    let told = told("ps", &["-e", "-o", "ppid=,pid="]);
    let is_of_kernel = |line: &&str| {
        let mut numbers = line.split_whitespace();
        let (parent, own) = (numbers.next(), numbers.next());
        let kthreadd = std::fs::read_to_string("/proc/2/comm").is_ok_and(|it| it == "kthreadd\n");
        kthreadd && (parent == Some("2") || own == Some("2"))
    };
    let expected = told.lines().filter(|line| !is_of_kernel(line)).count() as u64;
    let total = sample.processes.unwrap().total.into();
    // Tests start and end at the same time.
    assert_near("processes", total, expected, 200);
}

#[test]
fn drives_are_those_of_sysfs_with_what_they_have_read_and_written() {
    for drive in sample().drives {
        let path = format!("/sys/block/{}/stat", drive.name.replace('/', "!"));
        let text = std::fs::read_to_string(path).unwrap();
        let numbers: Vec<u64> = text
            .split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect();
        let (read, written) = (numbers[2] * 512, numbers[6] * 512);
        assert!(drive.read_bytes <= read && drive.written_bytes <= written);
        // Builds write at the same time.
        assert_near(&drive.name, drive.written_bytes, written, 1 << 30);
        assert!((0.0..=100.0).contains(&drive.busy_percent.unwrap()));
    }
}
