//! Questions: how long until the answer is there, warm, JSON and HTTP included.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use netmonitor_service::DataDir;
use netmonitor_store::history::{HistoryReader, Query};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rusqlite::{Connection, OpenFlags, params};

use super::report::{Goal, Report, Row};
use super::series::{Series, series};
use super::server::Server;
use super::set::{BEGIN_MS, device};
use super::size::Stores;
use super::store::Store;
use crate::program::Program;
use crate::site;
use crate::stats::{millis, percentile};

/// Points of an answer.
const POINTS: i64 = 500;

/// `VictoriaMetrics` keeps the answers that it has given, and extends them (its documentation,
/// "Prometheus querying API enhancements"). This makes it work one out anew.
const UNCACHED: &str = "&nocache=1";

/// Not counted.
const WARM_UP: usize = 20;

/// What is asked.
#[derive(Debug, Clone)]
struct Question {
    device: usize,
    /// Which series, by its place in a report.
    metric: usize,
    series: Series,
    from_ms: i64,
    to_ms: i64,
}

/// Asks each store the same questions: one metric, for so long, at a random moment. A store of
/// rows is asked fewer of them: each takes it a while.
pub fn measure(
    stores: &Stores,
    netmonitor: &Path,
    what: &str,
    length: Duration,
    number: usize,
    report: &mut Report,
) -> anyhow::Result<()> {
    let questions = questions(stores, length, number + WARM_UP)?;
    let timed_row = |what| Row::new(what, "ms").goal(Goal::Below(1.0, Store::Victoria));
    let mut typical = timed_row(format!("{what}: p50"));
    let mut seldom = timed_row(format!("{what}: p95"));
    let mut anew = timed_row(format!("{what}, no answer kept: p50"));
    let mut anew_seldom = timed_row(format!("{what}, no answer kept: p95"));
    let mut library = Row::new(format!("{what}, without HTTP: p50"), "ms");
    let mut library_seldom = Row::new(format!("{what}, without HTTP: p95"), "ms");
    let set = |store, times: Vec<Duration>, p50: &mut Row, p95: &mut Row| {
        for (percent, row) in [(50, p50), (95, p95)] {
            if let Some(time) = percentile(&times, percent) {
                row.set(store, millis(time));
            }
        }
    };
    let ask = |server: &Server, with: &str| {
        timed(&questions, |question| {
            let name = device(question.device).to_string();
            let (from, to) = (question.from_ms, question.to_ms);
            let path = server.question(&name, &question.series, from, to, POINTS);
            let answer = server.get(&format!("{path}{with}"))?;
            // Each point is a pair in brackets.
            Ok(answer.matches("],[").count())
        })
    };
    for (store, server) in &stores.servers {
        set(*store, ask(server, "")?, &mut typical, &mut seldom);
        if *store == Store::Victoria {
            let times = ask(server, UNCACHED)?;
            set(*store, times, &mut anew, &mut anew_seldom);
        }
    }
    if stores.file(Store::Ours).exists() {
        let times = ours(stores, &questions)?;
        set(Store::Ours, times, &mut library, &mut library_seldom);
        let times = over_http(stores, netmonitor, &questions)?;
        set(Store::Ours, times.clone(), &mut typical, &mut seldom);
        // It keeps no answers.
        set(Store::Ours, times, &mut anew, &mut anew_seldom);
    }
    for store in [Store::Rows, Store::Reports] {
        if stores.file(store).exists() {
            let few = &questions[..questions.len().min(WARM_UP + 30)];
            let times = rows(store, &stores.file(store), few)?;
            set(store, times, &mut library, &mut library_seldom);
        }
    }
    for row in [typical, seldom, anew, anew_seldom, library, library_seldom] {
        report.add(row);
    }
    Ok(())
}

fn questions(stores: &Stores, length: Duration, number: usize) -> anyhow::Result<Vec<Question>> {
    let shape = &stores.shape;
    let first = shape.reports()?.next().context("there are no samples")?;
    let all = series(&first.metrics);
    let length = i64::try_from(length.as_millis())?;
    let latest = (shape.end_ms() - length).max(BEGIN_MS);
    let mut random = StdRng::seed_from_u64(shape.seed);
    let question = |_| {
        let metric = random.random_range(0..all.len());
        let from_ms = random.random_range(BEGIN_MS..=latest);
        Question {
            device: random.random_range(0..shape.devices),
            metric,
            series: all[metric].clone(),
            from_ms,
            to_ms: from_ms + length,
        }
    };
    Ok((0..number).map(question).collect())
}

/// Asks one after another. `ask` returns how many points there were. In the order of size.
fn timed(
    questions: &[Question],
    mut ask: impl FnMut(&Question) -> anyhow::Result<usize>,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(questions.len());
    for question in questions {
        let begin = Instant::now();
        let points = ask(question)?;
        times.push(begin.elapsed());
        ensure!(
            points * 2 > usize::try_from(POINTS)?,
            "{points} points in the answer to {question:?}"
        );
    }
    times.drain(..WARM_UP.min(times.len()));
    times.sort_unstable();
    Ok(times)
}

fn ours(stores: &Stores, questions: &[Question]) -> anyhow::Result<Vec<Duration>> {
    let reader = HistoryReader::new(&stores.file(Store::Ours));
    timed(questions, |question| {
        let columns = reader.columns(
            &Query {
                device: device(question.device),
                series: vec![question.series.ours.clone()],
                from: Timestamp::from_millisecond(question.from_ms)?,
                to: Timestamp::from_millisecond(question.to_ms)?,
                points: usize::try_from(POINTS)?,
            },
            &[],
        )?;
        Ok(columns.times.len())
    })
}

/// Through `netmonitor api`, in the data directory that has the file.
fn over_http(
    stores: &Stores,
    netmonitor: &Path,
    questions: &[Question],
) -> anyhow::Result<Vec<Duration>> {
    let data = DataDir::from(stores.folder(Store::Ours));
    if !data.hub_db().exists() {
        site::enrol(&data, stores.shape.devices)?;
    }
    let mut command = Command::new(netmonitor);
    command.args(["api", "--data-dir"]).arg(data.path()).args([
        "--http",
        "127.0.0.1:0",
        "--https",
        "127.0.0.1:0",
    ]);
    let program = Program::start(&mut command, &data.path().join("api.log"))?;
    let address = program.line("listening http ")?;
    let name = format!("bench-{}", program.pid());
    let token = Command::new(netmonitor)
        .arg("--data-dir")
        .arg(data.path())
        .args(["token", "add", &name, "--role", "viewer"])
        .output()?;
    ensure!(token.status.success(), "there is no token");
    let token = String::from_utf8(token.stdout)?;
    let credential = format!("Bearer {}", token.trim());
    let http: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .build()
        .into();
    timed(questions, |question| {
        let url = format!(
            "http://{address}/api/v1/devices/{}/history?metrics={}&from={}&to={}&points={POINTS}",
            device(question.device),
            super::server::escaped(&question.series.ours),
            Timestamp::from_millisecond(question.from_ms)?,
            Timestamp::from_millisecond(question.to_ms)?,
        );
        let mut answer = http.get(url).header("authorization", &credential).call()?;
        let status = answer.status();
        let body = answer.body_mut().read_to_string()?;
        ensure!(status.is_success(), "{status} {body}");
        let times = body.split_once("\"times\":[").map_or("", |(_, rest)| rest);
        let times = times.split_once(']').map_or("", |(times, _)| times);
        Ok(times.split(',').count())
    })
}

fn rows(store: Store, file: &Path, questions: &[Question]) -> anyhow::Result<Vec<Duration>> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    timed(questions, |question| {
        let (table, value, which, number) = match store {
            Store::Rows => (
                "sample",
                "value".to_owned(),
                "series",
                question.device * 1_000 + question.metric,
            ),
            _ => (
                "report",
                format!("m{}", question.metric),
                "device",
                question.device,
            ),
        };
        let sql = format!(
            "SELECT (at - ?1) * {POINTS} / (?2 - ?1) AS point, avg({value}), min({value}), max({value})
             FROM {table} WHERE {which} = ?3 AND at BETWEEN ?1 AND ?2 GROUP BY point"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let number = i64::try_from(number)?;
        let found = statement
            .query_map(params![question.from_ms, question.to_ms, number], |row| {
                row.get::<_, f64>(1)
            })?;
        Ok(found.collect::<Result<Vec<_>, _>>()?.len())
    })
}
