//! What a day costs the card: bytes written, and syncs.

use std::process::Command;

use anyhow::{Context as _, ensure};

use super::report::{Goal, Report, Row};
use super::server::Server;
use super::set::{Set, Shape};
use super::size::COMMIT;
use super::store::Store;
use super::usage::written;
use super::worker::{Filled, Task};

/// Ours writes at most so much a day for ten devices with twenty metrics each, in MB.
const GOAL_MB: f64 = 60.0;

/// What we would like it to be.
const WISH_MB: f64 = 25.0;

/// Fills the embedded stores as time goes by: a commit a minute, tended after each. The last day
/// counts, in which what is older is merged. Others get a day at once, and so write less than
/// they would: they merge by the clock.
pub fn measure(shape: Shape, stores: &[Store], report: &mut Report) -> anyhow::Result<()> {
    let what = format!("{} devices, {} metrics", shape.devices, shape.metrics);
    let mut daily = Row::new(format!("{what}: written in a day"), "MB")
        .goal(Goal::AtMost(GOAL_MB))
        .goal(Goal::AtMost(WISH_MB));
    let mut per_stored = Row::new(format!("{what}: written per byte stored"), "bytes");
    let mut syncs = Row::new(format!("{what}: syncs in a day"), "");
    for store in stores {
        if store.is_embedded() {
            let filled = filled(*store, &shape)?;
            let last = filled.written_by_day.last().copied().unwrap_or_default();
            let all: u64 = filled.written_by_day.iter().sum();
            daily.set(*store, last as f64 / 1e6);
            per_stored.set(*store, all as f64 / filled.bytes as f64);
            if *store == Store::Ours {
                syncs.set(*store, count_syncs(*store, &shape)? as f64);
            }
        } else {
            let day = Shape { days: 1.0, ..shape };
            let mut server = Server::start(*store)?;
            server.fill(&day)?;
            server.settle()?;
            let all = written(server.program.pid())? as f64;
            daily.set(*store, all / 1e6);
            per_stored.set(*store, all / server.on_disk()?.bytes as f64);
        }
    }
    for row in [daily, per_stored, syncs] {
        report.add(row);
    }
    Ok(())
}

/// What ten devices make, as in the goal.
pub fn shape(days: f64, seed: u64) -> Shape {
    Shape {
        set: Set::Jittered,
        days,
        devices: 10,
        metrics: 20,
        interval: std::time::Duration::from_secs(3),
        seed,
    }
}

fn filled(store: Store, shape: &Shape) -> anyhow::Result<Filled> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("monitor.db");
    Task::new(store, &file, shape, COMMIT).run(&[])
}

/// Syncs of a day, as strace(1) sees them.
fn count_syncs(store: Store, shape: &Shape) -> anyhow::Result<u64> {
    let folder = tempfile::tempdir()?;
    let counted = folder.path().join("syncs");
    let counted = counted.to_str().context("a path that is no text")?;
    let is_there = Command::new("strace").arg("-V").output();
    ensure!(is_there.is_ok(), "install Debian's package strace");
    let day = Shape {
        days: 1.0,
        ..*shape
    };
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "-c",
        "-e",
        "trace=fsync,fdatasync,sync_file_range,msync",
        "-o",
        counted,
    ];
    let file = folder.path().join("monitor.db");
    Task::new(store, &file, &day, COMMIT).run(&wrapper)?;
    Ok(calls(&std::fs::read_to_string(counted)?))
}

/// The sum of the column `calls`: the fourth, before `errors`, which may be empty.
fn calls(table: &str) -> u64 {
    let is_row = |line: &&str| line.contains("sync") && !line.contains("total");
    let rows = table.lines().filter(is_row);
    rows.filter_map(|line| line.split_whitespace().nth(3)?.parse::<u64>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    #[test]
    fn calls_are_counted_from_the_table_of_strace() {
        let table = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 99.00    0.120000          80      1500           fdatasync
  1.00    0.000400          40        10         1 fsync
------ ----------- ----------- --------- --------- ----------------
100.00    0.120400          79      1510         1 total
";
        assert_eq!(super::calls(table), 1510);
    }
}
