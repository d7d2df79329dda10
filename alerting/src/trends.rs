//! In how many days disks are full, asked of the history: now and then, on another thread, and nothing
//! waits for it.

use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::DeviceId;
use netmonitor_rules::trend::days_until_full;
use netmonitor_store::HistoryReader;
use netmonitor_store::history::Query;

/// How often it is asked: a disk does not fill up in an hour that did not in a week.
pub(crate) const EVERY: Duration = Duration::from_hours(1);

/// So long after the start it is asked first: then there are other things to do.
pub(crate) const FIRST: Duration = Duration::from_mins(5);

/// How far back it is looked.
const BACK: SignedDuration = SignedDuration::from_hours(7 * 24);

/// So many points are enough for a week.
const POINTS: usize = 84;

/// Of one disk: in how many days it is full; none: not to be seen.
pub(crate) type Trend = (DeviceId, String, Option<f64>);

/// The trends of these disks, by their mount points. Blocks. Of what cannot be read there is none.
pub(crate) fn trends(history: &Path, disks: Vec<(DeviceId, String)>, now: Timestamp) -> Vec<Trend> {
    let reader = HistoryReader::new(history);
    let found = disks.into_iter().filter_map(|(device, mount)| {
        // As the history names it: a comma separates names.
        let series = format!("disk:{}", mount.replace(',', "_"));
        let query = Query {
            device: device.clone(),
            series: vec![series.clone()],
            from: now.checked_sub(BACK).ok()?,
            to: now,
            points: POINTS,
        };
        let columns = reader
            .columns(&query, &[])
            .inspect_err(|error| tracing::debug!(%error, %device, "no trend of a disk"))
            .ok()?;
        let used = columns.series.get(&series)?.mean.iter();
        let points = columns.times.iter().zip(used).filter_map(|(time, used)| {
            let time = Timestamp::from_millisecond(*time).ok()?;
            Some((time, (*used)?))
        });
        let points: Vec<(Timestamp, f64)> = points.collect();
        Some((device, mount, days_until_full(&points)))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::SessionId;
    use netmonitor_protocol::payload::{Disk, Metrics};
    use netmonitor_store::HistoryWriter;
    use netmonitor_store::history::{Layouts, NewSample};

    use super::*;

    #[test]
    fn a_disk_that_fills_up_is_known_by_its_past() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("monitor.db");
        let device: DeviceId = "ws-14".parse().unwrap();
        let now: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
        let mut writer = HistoryWriter::open(&path).unwrap();
        let mut layouts = Layouts::default();
        let samples: Vec<NewSample> = (0..7 * 24)
            .map(|hour| {
                let time = now - SignedDuration::from_hours(7 * 24 - hour);
                let seq = u64::try_from(hour).unwrap() + 1;
                let mut metrics = Metrics::blank(SessionId(1), seq, time);
                metrics.disks.push(Disk {
                    mount: "/a,b".to_owned(),
                    total_bytes: 10_000,
                    used_bytes: 8_000 + u64::try_from(hour).unwrap() * 10,
                    available_bytes: 2_000 - u64::try_from(hour).unwrap() * 10,
                    ..Disk::default()
                });
                NewSample::new(device.clone(), time, &metrics, &mut layouts)
            })
            .collect();
        writer.commit(&samples, &[]).unwrap();
        let disks = vec![
            (device.clone(), "/a,b".to_owned()),
            (device, "/".to_owned()),
        ];
        let found = trends(&path, disks, now);
        assert_eq!(found.len(), 1, "of what has no past nothing is known");
        let left = found[0].2.unwrap();
        // 2.4 percent a day, and 96.8 percent are used.
        assert!((left - 1.3).abs() < 0.2, "{left}");
    }
}
