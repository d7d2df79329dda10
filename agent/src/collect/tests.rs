use super::*;
use netmonitor_service::clock;

#[cfg(target_os = "linux")]
mod boards;
#[cfg(target_os = "linux")]
mod changes;

/// A sample of this number that says nothing.
pub(crate) fn sample(session: SessionId, seq: u64) -> Metrics {
    let mut sample = Metrics::blank(session, seq, Timestamp::UNIX_EPOCH);
    sample.monotonic_ms = Some(seq * 1000);
    sample
}

fn sampler(root: &Root) -> Sampler {
    Sampler::new(root, &Switches::default(), SessionId(7), Instant::now())
}

/// The next sample, with everything in it that this machine has.
async fn take(sampler: &mut Sampler) -> Option<Metrics> {
    tokio::time::sleep(FIRST_READING).await;
    if let Some(apart) = sampler.begin(Instant::now()) {
        apart.await;
    }
    while !sampler.is_complete() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    sampler.take(clock::now(), clock::since_boot())
}

#[tokio::test]
async fn a_sample_of_this_machine_is_complete_and_counted_from_one() {
    let mut sampler = sampler(&Root::default());
    let first = take(&mut sampler).await.unwrap();
    let second = take(&mut sampler).await.unwrap();
    assert_eq!((first.session, first.seq), (SessionId(7), 1));
    assert_eq!(second.seq, 2);
    assert!(first.memory.total_bytes > first.memory.used_bytes);
    assert!(first.memory.used_bytes > 0);
    assert!(!first.cpu.per_core_percent.is_empty());
    assert!(first.disks.iter().any(|disk| disk.mount == "/"));
    assert_eq!(first.failing, Vec::<String>::new());
    let mounts = |disks: Vec<DiskInfo>| -> Vec<String> {
        disks.into_iter().map(|disk| disk.mount).collect()
    };
    let disks: Vec<String> = first.disks.into_iter().map(|disk| disk.mount).collect();
    assert_eq!(mounts(sampler.facts().disks), disks);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_uptime_there_is_no_sample_and_none_counts_as_lost() {
    let folder = tempfile::tempdir().unwrap();
    let proc = folder.path().join("proc");
    std::fs::create_dir_all(proc.join("1")).unwrap();
    std::fs::write(proc.join("1/stat"), "1 (init) S 0\n").unwrap();
    std::fs::write(proc.join("stat"), "cpu  1 2 3 4\ncpu0 1 2 3 4\n").unwrap();
    std::fs::write(proc.join("meminfo"), "MemTotal: 9 kB\nMemFree: 1 kB\n").unwrap();
    let mut sampler = sampler(&Root::new(folder.path()));
    assert_eq!(take(&mut sampler).await, None);
    std::fs::write(proc.join("uptime"), "41.20 80.00\n").unwrap();
    let sample = take(&mut sampler).await.unwrap();
    assert_eq!((sample.seq, sample.uptime_secs), (1, 41));
    assert_eq!(sample.cpu.load, None, "loadavg is missing and stops nobody");
    assert_eq!(sample.failing, ["load", "network", "disks"]);
    let health = sampler.health();
    let load = health.iter().find(|it| it.name == "load").unwrap();
    assert!(load.failures >= 2);
    assert!(load.error.as_ref().unwrap().contains("/proc/loadavg"));
}

#[test]
fn values_are_rounded_to_one_decimal() {
    let check = |value, expected: f64| assert!((rounded(value) - expected).abs() < 1e-9);
    check(12.34, 12.3);
    check(12.35, 12.4);
    check(0.04, 0.0);
    check(100.0, 100.0);
}
