//! Stores that are a program: Debian's Prometheus and `VictoriaMetrics`, started by hand on the
//! loopback network, each in a folder that goes with it.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::remote_write::{Samples, labels, request};
use super::series::{Series, numbers, series};
use super::set::{Report, Shape, device};
use super::store::Store;
use super::usage::bytes_on_disk;
use crate::program::{Program, free_port, wait_for};

/// Time of the data in one request: larger ones cost a server less.
const REQUEST_MS: i64 = 600_000;

/// Nothing has changed on disk for so long: it has settled. Prometheus looks every minute
/// whether there is something to compact.
const QUIET: Duration = Duration::from_secs(70);

/// The same for one that was told to merge now.
const QUIET_MERGED: Duration = Duration::from_secs(6);

/// How long settling may take.
const SETTLED_WITHIN: Duration = Duration::from_mins(20);

/// A store that runs.
pub struct Server {
    store: Store,
    /// Its process.
    pub program: Program,
    folder: TempDir,
    base: String,
    http: ureq::Agent,
    devices: Vec<Known>,
}

/// What was sent of a device.
struct Known {
    name: String,
    labels: Vec<Vec<u8>>,
    waiting: Vec<Samples>,
}

/// What lies on its disk.
#[derive(Debug, Clone, Copy)]
pub struct OnDisk {
    /// All bytes.
    pub bytes: u64,
    /// Those in which samples rest for good.
    pub block_bytes: u64,
    /// How many samples those are; none if it does not say.
    pub block_samples: Option<u64>,
}

impl Server {
    /// Starts it, with nothing stored.
    pub fn start(store: Store) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut command = match store {
            Store::Victoria => victoria(folder.path(), address),
            Store::Prometheus => prometheus(folder.path(), address)?,
            Store::Ours | Store::Rows | Store::Reports => bail!("it is no program"),
        };
        let program = Program::start(&mut command, &folder.path().join("log"))
            .context("install Debian's packages prometheus and victoria-metrics")?;
        wait_for(address)?;
        let http = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(5)))
            .build()
            .into();
        let server = Self {
            store,
            program,
            folder,
            base: format!("http://{address}"),
            http,
            devices: Vec::new(),
        };
        server.until_ready()?;
        Ok(server)
    }

    /// Gives it all of the data. Returns how many numbers that were.
    pub fn fill(&mut self, shape: &Shape) -> anyhow::Result<u64> {
        let mut sent = 0;
        let mut until = None;
        let mut values = Vec::new();
        for report in shape.reports()? {
            let end = *until.get_or_insert(report.at_ms + REQUEST_MS);
            if report.at_ms >= end {
                sent += self.send()?;
                until = Some(end + REQUEST_MS);
            }
            self.take(&report, &mut values);
        }
        Ok(sent + self.send()?)
    }

    fn take(&mut self, report: &Report, values: &mut Vec<f64>) {
        while self.devices.len() <= report.device {
            let name = device(self.devices.len()).to_string();
            self.devices.push(Known {
                name,
                labels: Vec::new(),
                waiting: Vec::new(),
            });
        }
        let known = &mut self.devices[report.device];
        if known.labels.is_empty() {
            let all = series(&report.metrics);
            known.waiting = vec![Vec::new(); all.len()];
            known.labels = all.iter().map(|it| labels(&known.name, it)).collect();
        }
        values.clear();
        numbers(&report.metrics, values);
        for (samples, value) in known.waiting.iter_mut().zip(values) {
            samples.push((report.at_ms, *value));
        }
    }

    fn send(&mut self) -> anyhow::Result<u64> {
        let all = self
            .devices
            .iter()
            .flat_map(|it| it.labels.iter().map(Vec::as_slice).zip(&it.waiting));
        let body = request(all);
        let answer = self
            .http
            .post(format!("{}/api/v1/write", self.base))
            .header("content-encoding", "snappy")
            .header("content-type", "application/x-protobuf")
            .header("x-prometheus-remote-write-version", "0.1.0")
            .send(body.as_slice());
        let mut answer = answer.context("a store does not answer")?;
        ensure!(
            answer.status().is_success(),
            "{} refuses samples: {}",
            self.store.name(),
            answer.body_mut().read_to_string()?
        );
        let mut sent = 0;
        for samples in self.devices.iter_mut().flat_map(|it| &mut it.waiting) {
            sent += samples.len() as u64;
            samples.clear();
        }
        Ok(sent)
    }

    /// Waits until it has compacted or merged what it will.
    pub fn settle(&self) -> anyhow::Result<()> {
        let quiet = match self.store {
            Store::Victoria => {
                self.get("/internal/force_flush")?;
                self.get("/internal/force_merge")?;
                QUIET_MERGED
            }
            _ => QUIET,
        };
        let deadline = Instant::now() + SETTLED_WITHIN;
        let mut last = (0, Duration::ZERO);
        let mut since = Instant::now();
        while since.elapsed() < quiet {
            ensure!(Instant::now() < deadline, "a store does not settle");
            std::thread::sleep(Duration::from_millis(500));
            let now = (bytes_on_disk(self.folder.path())?, self.program.cpu()?);
            // A process of Go is never quite idle.
            let is_busy = (now.1.saturating_sub(last.1)).as_millis() > 50;
            if now.0 != last.0 || is_busy {
                since = Instant::now();
            }
            last = now;
        }
        Ok(())
    }

    /// What it has on disk.
    pub fn on_disk(&self) -> anyhow::Result<OnDisk> {
        let data = self.folder.path().join("data");
        let bytes = bytes_on_disk(&data)?;
        if self.store == Store::Victoria {
            return Ok(OnDisk {
                bytes,
                block_bytes: bytes,
                block_samples: None,
            });
        }
        let (mut block_bytes, mut block_samples) = (0, 0);
        for block in blocks(&data)? {
            let text = std::fs::read_to_string(block.join("meta.json"))?;
            let meta: Value = serde_json::from_str(&text)?;
            block_samples += meta["stats"]["numSamples"].as_u64().unwrap_or(0);
            block_bytes += bytes_on_disk(&block)?;
        }
        Ok(OnDisk {
            bytes,
            block_bytes,
            block_samples: Some(block_samples),
        })
    }

    /// The path of a question for the mean of a series, or of its rate, in `points` steps.
    pub fn question(
        &self,
        device: &str,
        series: &Series,
        from_ms: i64,
        to_ms: i64,
        points: i64,
    ) -> String {
        let label = series
            .label
            .as_ref()
            .map_or(String::new(), |(name, value)| {
                format!(",{name}=\"{value}\"")
            });
        let step = (to_ms - from_ms) / points;
        let what = if series.counts {
            "rate"
        } else {
            "avg_over_time"
        };
        let metric = series.metric;
        let query = format!("{what}({metric}{{device=\"{device}\"{label}}}[{step}ms])");
        let (from, to) = ((from_ms + step) as f64 / 1e3, to_ms as f64 / 1e3);
        format!(
            "/api/v1/query_range?query={}&start={from}&end={to}&step={}",
            escaped(&query),
            step as f64 / 1e3
        )
    }

    /// What is at a path.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        let answer = self.http.get(format!("{}{path}", self.base)).call();
        let mut answer = answer.context("a store does not answer")?;
        let status = answer.status();
        let body = answer.body_mut().read_to_string()?;
        ensure!(status.is_success(), "{path}: {status} {body}");
        Ok(body)
    }

    fn until_ready(&self) -> anyhow::Result<()> {
        let path = match self.store {
            Store::Victoria => "/health",
            _ => "/-/ready",
        };
        let deadline = Instant::now() + Duration::from_secs(30);
        while let Err(error) = self.get(path) {
            if Instant::now() > deadline {
                return Err(error).context("a store does not become ready");
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

fn victoria(folder: &Path, address: SocketAddr) -> Command {
    let mut command = Command::new("victoria-metrics");
    command
        .arg(format!(
            "-storageDataPath={}",
            folder.join("data").display()
        ))
        .arg(format!("-httpListenAddr={address}"))
        .args(["-retentionPeriod=100y", "-loggerLevel=ERROR"]);
    command
}

fn prometheus(folder: &Path, address: SocketAddr) -> anyhow::Result<Command> {
    let config = folder.join("prometheus.yml");
    std::fs::write(&config, "global: {}\n")?;
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"))
        .args([
            "--web.enable-remote-write-receiver",
            "--storage.tsdb.retention.time=20y",
            "--log.level=error",
        ]);
    Ok(command)
}

/// Folders with a block each.
fn blocks(data: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut blocks = Vec::new();
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path.join("meta.json").is_file() {
            blocks.push(path);
        }
    }
    Ok(blocks)
}

/// As part of an address (RFC 3986, section 2.1).
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(out, "%{byte:02X}");
        }
    }
    out
}
