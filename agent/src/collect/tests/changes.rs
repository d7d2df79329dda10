//! A machine that changes while it is read, and one that is very large.

use std::path::Path;

use super::*;

/// A machine with one drive, one interface, one sensor and one array.
fn machine(folder: &Path) {
    for (file, text) in [
        ("proc/uptime", "41.20 80.00\n"),
        ("proc/1/stat", "1 (init) S 0\n"),
        ("proc/stat", "cpu  1 2 3 4\ncpu0 1 2 3 4\n"),
        ("proc/meminfo", "MemTotal: 9 kB\nMemFree: 1 kB\n"),
        ("proc/loadavg", "0.1 0.2 0.3 1/2 3\n"),
        (
            "proc/self/mountinfo",
            "36 35 8:1 / / rw - ext4 /dev/sda1 rw\n",
        ),
        ("proc/diskstats", " 8 0 sda 1 0 2 0 3 0 4 0 0 5 0\n"),
        ("proc/net/dev", "eth0: 10 1 0 0 0 0 0 0 20 1 0 0 0 0 0 0\n"),
        ("sys/class/net/eth0/device/vendor", "1\n"),
        ("sys/class/net/eth0/operstate", "up\n"),
        ("sys/block/sda/device/vendor", "1\n"),
        ("sys/class/hwmon/hwmon0/name", "cpu\n"),
        ("sys/class/hwmon/hwmon0/temp1_input", "40000\n"),
    ] {
        write(folder, file, text);
    }
}

fn write(folder: &Path, file: &str, text: &str) {
    let path = folder.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn names(sample: &Metrics) -> [Vec<String>; 3] {
    [
        sample.drives.iter().map(|it| it.name.clone()).collect(),
        sample
            .network
            .iter()
            .map(|it| it.interface.clone())
            .collect(),
        sample
            .temperatures
            .iter()
            .map(|it| it.sensor.clone())
            .collect(),
    ]
}

#[tokio::test]
async fn what_vanishes_and_what_is_renamed_is_told_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    machine(folder);
    let switches: Switches = toml::from_str("[sensors]\ninterval_secs = 1\n").unwrap();
    let root = Root::new(folder);
    let mut sampler = Sampler::new(&root, &switches, SessionId(7), Instant::now());
    let first = take(&mut sampler).await.unwrap();
    assert_eq!(names(&first), [["sda"], ["eth0"], ["cpu temp1"]]);
    assert_eq!(first.failing, Vec::<String>::new());

    // A cable with a new name, a drive and a sensor that were pulled out.
    write(
        folder,
        "proc/net/dev",
        "lan0: 30 1 0 0 0 0 0 0 40 1 0 0 0 0 0 0\n",
    );
    std::fs::rename(
        folder.join("sys/class/net/eth0"),
        folder.join("sys/class/net/lan0"),
    )
    .unwrap();
    write(folder, "proc/diskstats", "");
    std::fs::remove_dir_all(folder.join("sys/block/sda")).unwrap();
    std::fs::remove_dir_all(folder.join("sys/class/hwmon/hwmon0")).unwrap();
    let second = take(&mut sampler).await.unwrap();
    assert_eq!(names(&second)[..2], [vec![], vec!["lan0".to_owned()]]);
    assert_eq!(
        second.network[0].received_bytes_per_sec, None,
        "it is another one"
    );
    assert_eq!(second.network[0].link, Some(true));
    assert_eq!(second.failing, Vec::<String>::new());
    // Sensors are read once a second here.
    let mut later = second;
    while !later.temperatures.is_empty() {
        later = take(&mut sampler).await.unwrap();
    }
    assert_eq!(later.failing, Vec::<String>::new());
}

#[test]
fn ten_thousand_processes_are_listed_and_those_that_need_most_are_told() {
    let folder = tempfile::tempdir().unwrap();
    for pid in 1..=10_000 {
        let stat = format!(
            "{pid} (worker {pid}) S 1 1 1 0 -1 0 0 0 0 0 {pid} 0 0 0 20 0 1 0 900 4096 {pid} 1 1"
        );
        write(folder.path(), &format!("proc/{pid}/stat"), &stat);
    }
    let mut lister = processes::Lister::new(&Root::new(folder.path()), 4);
    let found = lister.list(Instant::now(), Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(found.total, 10_000);
    assert_eq!(found.processes.len(), 30);
    let largest = found.processes.iter().map(|it| it.pid).max();
    assert_eq!(largest, Some(10_000));
    let text = serde_json::to_vec(&found).unwrap();
    assert!(text.len() < 16 * 1024, "a message has {} bytes", text.len());
}

/// Resident memory of this process, in kB.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// Takes minutes: `tests/run --long` runs it alone.
#[tokio::test]
#[ignore = "takes minutes"]
async fn two_hundred_thousand_samples_take_no_more_memory_than_two_thousand() {
    let switches: Switches = toml::from_str("[users]\nenabled = true\n").unwrap();
    let root = Root::default();
    let mut sampler = Sampler::new(&root, &switches, SessionId(7), Instant::now());
    let mut lister = processes::Lister::new(&root, 2);
    // Time runs as it does for an agent, three seconds from one sample to the next.
    let mut now = Instant::now();
    let mut at_first = 0;
    for count in 1..=200_000_u32 {
        now += Duration::from_secs(3);
        if let Some(apart) = sampler.begin(now) {
            apart.await;
        }
        let sample = sampler.take(clock::now(), clock::since_boot()).unwrap();
        assert!(!serde_json::to_vec(&sample).unwrap().is_empty());
        if count % 100 == 0 {
            lister.list(now, clock::now()).unwrap();
        }
        if count == 2000 {
            at_first = resident_kb();
        }
    }
    let in_the_end = resident_kb();
    println!("resident: {at_first} kB after 2,000 samples, {in_the_end} kB after 200,000");
    assert!(
        in_the_end <= at_first + at_first / 20,
        "{at_first} {in_the_end}"
    );
}
