//! What a rule would have done in the past: its numbers, out of the history.

use jiff::{SignedDuration, Timestamp};
use netmonitor_protocol::payload::{EventKind, Metrics};
use netmonitor_protocol::{DeviceId, Rule, RuleKind};
use netmonitor_rules::alert::RuleConfig;
use netmonitor_rules::preview::{Firing, Preview, absences};
use netmonitor_store::history::{Columns, EventFilter, Query, StoredEvent};

use crate::app::App;
use crate::problem::Problem;

/// So much is read at once: with a sample each second some megabytes.
const WINDOW: SignedDuration = SignedDuration::from_hours(6);

/// More than a window has samples, so that they come as they were measured.
const POINTS: usize = 30_000;

/// Comings and goings of one device that are looked at: the newest.
const MAX_EVENTS: u32 = 10_000;

/// Planned ends: no alert, but of a device that is always on.
const PLANNED: [&str; 2] = ["shutdown", "suspend"];

/// How several series become one number.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Joined {
    /// The largest.
    Largest,
    /// All of them together.
    Sum,
    /// The one, as a part of this.
    Per(f64),
}

/// One alert, and the series that it is about.
#[derive(Debug, Clone, PartialEq)]
struct Watched {
    rule: Rule,
    series: Vec<String>,
    joined: Joined,
}

/// What is asked of one device.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) device: DeviceId,
    pub(crate) kind: RuleKind,
    /// Of a rule about disks: which one; none: each.
    pub(crate) target: Option<String>,
    pub(crate) config: RuleConfig,
    pub(crate) always_on: bool,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

/// What would have been.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) count: u64,
    pub(crate) firings: Vec<(Rule, Firing)>,
    /// When the first thing was that was looked at.
    pub(crate) first: Option<Timestamp>,
}

/// Whether the past of a rule is known.
pub(crate) fn has_history(kind: RuleKind) -> bool {
    use RuleKind as K;
    matches!(
        kind,
        K::Cpu
            | K::Ram
            | K::Swap
            | K::Disk
            | K::Inodes
            | K::Load
            | K::Temperature
            | K::Network
            | K::Offline
    )
}

impl App {
    /// How often a rule of one device would have fired.
    pub(crate) async fn preview(&self, question: &Question) -> Result<Answer, Problem> {
        if question.kind == RuleKind::Offline {
            return self.preview_absences(question).await;
        }
        let (watched, interval) = {
            let fleet = self.fleet();
            let metrics = fleet.metrics(&question.device);
            let watched = metrics.map(|metrics| watched(question, metrics));
            (
                watched.unwrap_or_default(),
                fleet.interval(&question.device),
            )
        };
        let mut answer = Answer::default();
        for watched in watched {
            let mut preview = Preview::new(question.kind, question.config, interval);
            let mut begin = question.from;
            while begin < question.to {
                let end = begin.saturating_add(WINDOW).unwrap_or(question.to);
                let end = end.min(question.to);
                let columns = self.columns(question, &watched, begin, end).await?;
                for (at, value) in numbers(&columns, watched.joined) {
                    answer.first = Some(answer.first.map_or(at, |first| first.min(at)));
                    preview.add(at, value);
                }
                // The end of a query belongs to it.
                begin = end + SignedDuration::from_millis(1);
            }
            let (count, firings) = preview.finish();
            answer.count += count;
            let rule = &watched.rule;
            answer
                .firings
                .extend(firings.into_iter().map(|firing| (rule.clone(), firing)));
        }
        Ok(answer)
    }

    async fn columns(
        &self,
        question: &Question,
        watched: &Watched,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Columns, Problem> {
        let query = Query {
            device: question.device.clone(),
            series: watched.series.clone(),
            from,
            to,
            points: POINTS,
        };
        // Asked before the store, so that what is stored meanwhile is in one of both.
        let recent = self.intake().recent(&question.device, from, to);
        let columns = self
            .with_history(move |history| history.columns(&query, &recent))
            .await;
        columns.map_err(Problem::internal)
    }

    /// The log has each coming and going.
    async fn preview_absences(&self, question: &Question) -> Result<Answer, Problem> {
        let kinds = [EventKind::DeviceOffline, EventKind::DeviceOnline];
        let filter = EventFilter {
            device: Some(question.device.clone()),
            kinds: kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
            from: Some(question.from),
            limit: MAX_EVENTS,
            ..EventFilter::default()
        };
        let lines = self
            .with_history(move |history| history.events(&filter))
            .await
            .map_err(Problem::internal)?;
        let first = lines.last().map(|line| line.event.time);
        let away = away(&lines, question.always_on);
        let (count, firings) = absences(away, question.config, question.to);
        let rule = Rule::of(RuleKind::Offline);
        Ok(Answer {
            count,
            firings: firings.into_iter().map(|it| (rule.clone(), it)).collect(),
            first,
        })
    }
}

/// When a device was away, out of the log, whose newest line is the first.
fn away(lines: &[StoredEvent], always_on: bool) -> Vec<(Timestamp, Option<Timestamp>)> {
    let mut away: Vec<(Timestamp, Option<Timestamp>)> = Vec::new();
    let mut since = None;
    for StoredEvent { event, .. } in lines.iter().rev() {
        if event.kind == EventKind::DeviceOnline {
            away.extend(since.take().map(|since| (since, Some(event.time))));
            continue;
        }
        let cause = event.parameters.get("cause").map_or("", String::as_str);
        let is_planned = PLANNED.contains(&cause) && !always_on;
        if since.is_none() && !is_planned {
            since = Some(event.time);
        }
    }
    away.extend(since.map(|since| (since, None)));
    away
}

/// The alerts that a device has of a rule, by its latest sample.
fn watched(question: &Question, metrics: &Metrics) -> Vec<Watched> {
    let kind = question.kind;
    let one = |series: Vec<String>, joined| {
        let rule = Rule::of(kind);
        let watched = Watched {
            rule,
            series,
            joined,
        };
        // Without a series all would be meant.
        (!watched.series.is_empty()).then_some(watched)
    };
    // As it stands in the history.
    let part = |name: &str| name.replace(',', "_");
    let found = match kind {
        RuleKind::Cpu | RuleKind::Ram | RuleKind::Swap => {
            one(vec![kind.to_string()], Joined::Largest)
        }
        RuleKind::Load => {
            let cores = metrics.cpu.per_core_percent.len().max(1);
            one(vec!["load1".to_owned()], Joined::Per(cores as f64))
        }
        RuleKind::Temperature => {
            let sensors = metrics.temperatures.iter();
            let series = sensors.map(|it| format!("temp:{}", part(&it.sensor)));
            one(series.collect(), Joined::Largest)
        }
        RuleKind::Network => {
            let interfaces = metrics.network.iter().map(|it| part(&it.interface));
            let series = interfaces.flat_map(|it| [format!("rx:{it}"), format!("tx:{it}")]);
            one(series.collect(), Joined::Sum)
        }
        RuleKind::Disk | RuleKind::Inodes => {
            let disks = metrics.disks.iter();
            let own = disks.filter(|disk| !disk.remote && !disk.read_only);
            let wanted = own.filter(|disk| {
                let target = question.target.as_ref();
                target.is_none_or(|target| *target == disk.mount)
            });
            let of_disk = wanted.map(|disk| Watched {
                rule: Rule::about(kind, &disk.mount),
                series: vec![format!("{kind}:{}", part(&disk.mount))],
                joined: Joined::Largest,
            });
            return of_disk.collect();
        }
        _ => None,
    };
    found.into_iter().collect()
}

/// One number for each time at which there was any.
fn numbers(columns: &Columns, joined: Joined) -> impl Iterator<Item = (Timestamp, f64)> {
    columns
        .times
        .iter()
        .enumerate()
        .filter_map(move |(index, at)| {
            let all = columns.series.values();
            let values = all.filter_map(|series| series.mean.get(index).copied().flatten());
            let value = match joined {
                Joined::Largest => values.reduce(f64::max),
                Joined::Sum => values.reduce(|sum, value| sum + value),
                Joined::Per(parts) => values.reduce(f64::max).map(|value| value / parts),
            };
            Some((Timestamp::from_millisecond(*at).ok()?, value?))
        })
}

#[cfg(test)]
mod tests {
    use netmonitor_protocol::payload::{Event, Severity};
    use netmonitor_rules::alert::default_config;
    use netmonitor_store::history::Series;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_planned_end_is_no_absence_but_of_a_device_that_is_always_on() {
        let line = |second, kind: EventKind, cause: &str| StoredEvent {
            id: second,
            event: Event::new(
                at(second),
                kind,
                Severity::Info,
                [("cause", cause.to_owned())],
            ),
        };
        let lines = [
            line(50, EventKind::DeviceOffline, "lost"),
            line(40, EventKind::DeviceOnline, ""),
            line(30, EventKind::DeviceOffline, "shutdown"),
            line(20, EventKind::DeviceOnline, ""),
            line(15, EventKind::DeviceOffline, "crash"),
            line(10, EventKind::DeviceOffline, "lost"),
        ];
        assert_eq!(
            away(&lines, false),
            [(at(10), Some(at(20))), (at(50), None)]
        );
        assert_eq!(away(&lines, true).len(), 3);
    }

    #[test]
    fn each_disk_is_an_alert_of_its_own_and_all_interfaces_are_one() {
        let metrics: Metrics = serde_json::from_value(serde_json::json!({
            "session": "0000000000000001", "seq": 1, "time": "2026-11-22T10:00:00Z",
            "uptime_secs": 1, "cpu": { "usage_percent": 1.0, "per_core_percent": [1.0, 1.0] },
            "memory": { "total_bytes": 100, "used_bytes": 1 },
            "disks": [
                { "mount": "/", "total_bytes": 9, "used_bytes": 1, "available_bytes": 8 },
                { "mount": "/a,b", "total_bytes": 9, "used_bytes": 1, "available_bytes": 8 },
                { "mount": "/nfs", "total_bytes": 9, "used_bytes": 1, "available_bytes": 8,
                  "remote": true },
            ],
            "network": [{ "interface": "eth0", "received_bytes": 1, "sent_bytes": 1 }],
        }))
        .unwrap();
        let found = |kind, target: Option<&str>| {
            let question = Question {
                device: "ws".parse().unwrap(),
                kind,
                target: target.map(str::to_owned),
                config: default_config(kind),
                always_on: false,
                from: at(0),
                to: at(1),
            };
            let found = watched(&question, &metrics).into_iter();
            found
                .map(|it| (it.rule.to_string(), it.series.join(",")))
                .collect::<Vec<_>>()
        };
        let pair = |rule: &str, series: &str| (rule.to_owned(), series.to_owned());
        let disks = [pair("disk-root", "disk:/"), pair("disk-a~2cb", "disk:/a_b")];
        assert_eq!(found(RuleKind::Disk, None), disks);
        assert_eq!(found(RuleKind::Disk, Some("/")), disks[..1]);
        let network = [pair("network", "rx:eth0,tx:eth0")];
        assert_eq!(found(RuleKind::Network, None), network);
        assert_eq!(found(RuleKind::Temperature, None), []);
    }

    #[test]
    fn several_series_become_one_number_where_any_was_measured() {
        let series = |mean: [Option<f64>; 3]| Series {
            mean: mean.to_vec(),
            ..Series::default()
        };
        let columns = Columns {
            times: vec![0, 1000, 2000],
            series: [
                ("a".to_owned(), series([Some(1.0), None, None])),
                ("b".to_owned(), series([Some(3.0), Some(2.0), None])),
            ]
            .into(),
        };
        let check = |joined, expected: [f64; 2]| {
            let found: Vec<f64> = numbers(&columns, joined).map(|it| it.1).collect();
            assert_eq!(found, expected);
        };
        check(Joined::Largest, [3.0, 2.0]);
        check(Joined::Sum, [4.0, 2.0]);
        check(Joined::Per(2.0), [1.5, 1.0]);
    }
}
