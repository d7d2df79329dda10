//! The numbers, by the names that Prometheus expects: base units, `_total` for what only grows
//! ([naming](https://prometheus.io/docs/practices/naming/)).

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use netmonitor_protocol::ServiceName;
use netmonitor_protocol::payload::{ServiceHealth, ServiceState};
use poem_openapi::types::ToJSON;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::types::{Alert, AlertState, Device, DeviceMetrics, DeviceStatus};

type Labels<const N: usize> = [(&'static str, String); N];
type Gauges<const N: usize> = Family<Labels<N>, Gauge<f64, AtomicU64>>;
type Counters<const N: usize> = Family<Labels<N>, Counter>;

/// One answer to one question.
#[derive(Default)]
pub(super) struct Page(Registry);

impl Page {
    fn gauges<const N: usize>(&mut self, name: &str, help: &str) -> Gauges<N> {
        let family = Gauges::default();
        self.0
            .register(format!("netmonitor_{name}"), help, family.clone());
        family
    }

    fn counters<const N: usize>(&mut self, name: &str, help: &str) -> Counters<N> {
        let family = Counters::default();
        self.0
            .register(format!("netmonitor_{name}"), help, family.clone());
        family
    }

    /// Every device, with what those that are online measure.
    pub(super) fn devices(&mut self, devices: &[Device]) {
        let info = self.gauges("device_info", "What a device is; always 1");
        let up = self.gauges("device_up", "Whether a device is online");
        let state = self.gauges("device_state", "How a device is: 1 for the state it is in");
        let seen = self.gauges(
            "device_last_seen_timestamp_seconds",
            "When a device was last heard",
        );
        for device in devices {
            let id = || ("device", device.id.clone());
            let os = device.info.as_ref().map(|it| it.os.clone());
            let labels = [
                id(),
                ("name", device.name.clone()),
                ("os", os.unwrap_or_default()),
                ("agent", device.agent_version.clone().unwrap_or_default()),
            ];
            info.get_or_create(&labels).set(1.0);
            let is_up = device.status == DeviceStatus::Online;
            up.get_or_create(&[id()]).set(f64::from(u8::from(is_up)));
            state
                .get_or_create(&[id(), ("state", word(&device.status))])
                .set(1.0);
            if let Some(at) = &device.last_seen {
                seen.get_or_create(&[id()]).set(secs(at.0));
            }
        }
        let online = devices
            .iter()
            .filter(|it| it.status == DeviceStatus::Online);
        let measured = online.filter_map(|it| Some((it.id.as_str(), it.metrics.as_ref()?)));
        let measured: Vec<(&str, &DeviceMetrics)> = measured.collect();
        self.machines(&measured);
        self.storage(&measured);
        self.network(&measured);
    }

    fn machines(&mut self, measured: &[(&str, &DeviceMetrics)]) {
        let uptime = self.gauges(
            "device_uptime_seconds",
            "Time since the start of the machine",
        );
        let cpu = self.gauges("device_cpu_usage_ratio", "All cores together, 0 to 1");
        let load = self.gauges("device_load", "Load average");
        let used = self.gauges("device_memory_used_bytes", "Memory in use, without caches");
        let total = self.gauges("device_memory_total_bytes", "Memory");
        let swap_used = self.gauges("device_swap_used_bytes", "Swap in use");
        let swap_total = self.gauges("device_swap_total_bytes", "Swap");
        let heat = self.gauges("device_temperature_celsius", "Temperature of a sensor");
        for (id, metrics) in measured {
            let device = [("device", (*id).to_owned())];
            uptime
                .get_or_create(&device)
                .set(float(metrics.uptime_secs));
            cpu.get_or_create(&device).set(metrics.cpu_percent / 100.0);
            used.get_or_create(&device)
                .set(float(metrics.memory.used_bytes));
            total
                .get_or_create(&device)
                .set(float(metrics.memory.total_bytes));
            if let Some(swap) = &metrics.swap {
                swap_used.get_or_create(&device).set(float(swap.used_bytes));
                swap_total
                    .get_or_create(&device)
                    .set(float(swap.total_bytes));
            }
            for (period, value) in metrics
                .load
                .iter()
                .flat_map(|it| [("1m", it.one), ("5m", it.five), ("15m", it.fifteen)])
            {
                load.get_or_create(&with(id, "period", period)).set(value);
            }
            for sensor in &metrics.temperatures {
                let labels = with(id, "sensor", &sensor.sensor);
                heat.get_or_create(&labels).set(sensor.celsius);
            }
        }
    }

    fn storage(&mut self, measured: &[(&str, &DeviceMetrics)]) {
        let total = self.gauges("device_disk_total_bytes", "Size of a disk");
        let used = self.gauges("device_disk_used_bytes", "What is used of a disk");
        let available = self.gauges(
            "device_disk_available_bytes",
            "What an ordinary user can still write to a disk",
        );
        for (id, metrics) in measured {
            // The numbers of one that does not answer are none of now.
            for disk in metrics.disks.iter().filter(|it| !it.unresponsive) {
                let labels = with(id, "mount", &disk.mount);
                total.get_or_create(&labels).set(float(disk.total_bytes));
                used.get_or_create(&labels).set(float(disk.used_bytes));
                available
                    .get_or_create(&labels)
                    .set(float(disk.available_bytes));
            }
        }
    }

    fn network(&mut self, measured: &[(&str, &DeviceMetrics)]) {
        let received = self.counters(
            "device_network_received_bytes",
            "Received since the start of the machine",
        );
        let sent = self.counters(
            "device_network_sent_bytes",
            "Sent since the start of the machine",
        );
        for (id, metrics) in measured {
            for link in &metrics.network {
                let labels = with(id, "interface", &link.interface);
                received.get_or_create(&labels).inc_by(link.received_bytes);
                sent.get_or_create(&labels).inc_by(link.sent_bytes);
            }
        }
    }

    /// Every alert that is not `ok`.
    pub(super) fn alerts(&mut self, alerts: &[Alert]) {
        let family = self.gauges("alert", "An alert that is not ok: 1 for the state it is in");
        for alert in alerts.iter().filter(|it| it.state != AlertState::Ok) {
            let labels = [
                ("device", alert.device.clone()),
                ("rule", alert.rule.clone()),
                ("severity", word(&alert.severity)),
                ("state", word(&alert.state)),
            ];
            family.get_or_create(&labels).set(1.0);
        }
    }

    /// The hub's services with what they have counted, and its history.
    pub(super) fn hub(
        &mut self,
        health: &BTreeMap<ServiceName, ServiceHealth>,
        history_bytes: Option<u64>,
        now: Timestamp,
    ) {
        let build = self.gauges("build_info", "The version of the hub; always 1");
        let version = env!("CARGO_PKG_VERSION").to_owned();
        build.get_or_create(&[("version", version)]).set(1.0);
        let time = self.gauges::<0>("time_seconds", "What time it is by the hub's clock");
        time.get_or_create(&[]).set(secs(now));
        let running = self.gauges(
            "service_running",
            "Whether a service of the hub does its work",
        );
        let counted = self.counters(
            "service_counted",
            "What a service of the hub has counted since its start: what was done, and what was dropped",
        );
        for (name, health) in health {
            let service = || ("service", name.to_string());
            let is_running = health.state == ServiceState::Running;
            running
                .get_or_create(&[service()])
                .set(f64::from(u8::from(is_running)));
            for (what, count) in &health.counters {
                counted
                    .get_or_create(&[service(), ("what", what.clone())])
                    .inc_by(*count);
            }
        }
        if let Some(bytes) = history_bytes {
            let size =
                self.gauges::<0>("history_file_bytes", "How large the history is on the disk");
            size.get_or_create(&[]).set(float(bytes));
        }
    }

    pub(super) fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0)?;
        Ok(text)
    }
}

fn with(device: &str, name: &'static str, value: &str) -> Labels<2> {
    [("device", device.to_owned()), (name, value.to_owned())]
}

/// The word that the API has for it.
fn word(value: &impl ToJSON) -> String {
    let json = value.to_json();
    let word = json.as_ref().and_then(|it| it.as_str());
    word.unwrap_or_default().to_owned()
}

fn float(count: u64) -> f64 {
    count as f64
}

fn secs(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}
