//! An engine on the bench: time is a number, and everything that it says is kept.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use netmonitor_protocol::payload::{
    Alert, AlertAction, AlertCommand, AlertState, AlertingSettings, DeviceAlerting, EventKind,
    Metrics, Presence, PresenceCause, PresenceState, RuleSettings, ServiceManager, Services,
    UnitState, WatchableService,
};
use netmonitor_protocol::{DeviceId, Rule, RuleKind, Subject};
use serde_json::json;

use super::super::{Engine, Input, Life, Notice, Now, Output};

pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) now: Now,
    pub(super) settings: AlertingSettings,
    /// What the broker has.
    pub(super) retained: BTreeMap<(Subject, Rule), Alert>,
    /// What the journal has.
    pub(super) journal: BTreeMap<(Subject, Rule), Life>,
    pub(super) told: Vec<Notice>,
    pub(super) log: Vec<(EventKind, String)>,
    pub(super) publishes: usize,
    pub(super) saves: usize,
    presences: BTreeMap<DeviceId, Presence>,
    configs: BTreeMap<DeviceId, DeviceAlerting>,
    services: BTreeMap<DeviceId, Services>,
    cpus: BTreeMap<String, f64>,
    gone: BTreeSet<DeviceId>,
}

pub(super) fn id(text: &str) -> DeviceId {
    text.parse().unwrap()
}

pub(super) fn rule(text: &str) -> Rule {
    text.parse().unwrap()
}

impl Bench {
    /// With default settings, and nobody there yet.
    pub(super) fn new() -> Self {
        Self::with(AlertingSettings::default())
    }

    pub(super) fn with(settings: AlertingSettings) -> Self {
        let now = Now {
            ms: 1_000_000,
            wall: "2026-11-30T10:00:00Z".parse().unwrap(),
        };
        let mut bench = Self {
            engine: Engine::new(),
            now,
            settings: settings.clone(),
            retained: BTreeMap::new(),
            journal: BTreeMap::new(),
            told: Vec::new(),
            log: Vec::new(),
            publishes: 0,
            saves: 0,
            presences: BTreeMap::new(),
            configs: BTreeMap::new(),
            services: BTreeMap::new(),
            cpus: BTreeMap::new(),
            gone: BTreeSet::new(),
        };
        bench.hear(Input::Connected);
        bench.hear(Input::Settings(Box::new(settings), TimeZone::UTC));
        bench.pass(5.0);
        bench
    }

    pub(super) fn hear(&mut self, input: Input) {
        let mut outputs = self.engine.handle(input, self.now);
        // There is one channel, that is told everything.
        for output in outputs.clone() {
            if let Output::Tell(notice) = output {
                let channels = [("mail", &notice)];
                outputs.extend(self.engine.told(&notice, channels, self.now));
            }
        }
        for output in outputs {
            match output {
                Output::Publish(subject, rule, alert) => {
                    self.publishes += 1;
                    self.retained.insert((subject, rule), *alert);
                }
                Output::Clear(subject, rule) => {
                    self.retained.remove(&(subject, rule));
                }
                Output::Log(event) => {
                    let device = event.device.map_or("hub".to_owned(), |it| it.to_string());
                    let rule = &event.parameters["rule"];
                    self.log.push((event.kind, format!("{device} {rule}")));
                }
                Output::Save(subject, rule, life) => {
                    self.saves += 1;
                    match life {
                        Some(life) => self.journal.insert((subject, rule), *life),
                        None => self.journal.remove(&(subject, rule)),
                    };
                }
                Output::Tell(notice) => self.told.push(notice),
            }
        }
    }

    /// Lets time pass, to the millisecond, and does at once what is due.
    pub(super) fn pass(&mut self, secs: f64) {
        #[expect(clippy::cast_possible_truncation, reason = "small")]
        let end = self.now.plus((secs * 1000.0) as i64);
        while let Some(due) = self.engine.deadline().filter(|due| *due <= end.ms) {
            let ms = (due - self.now.ms).max(0);
            self.now = self.now.plus(ms);
            let before = self.engine.deadline();
            self.hear(Input::Elapsed);
            assert!(
                self.engine.deadline() != before || ms > 0,
                "it is always due: {before:?}"
            );
        }
        self.now = self.now.plus(end.ms - self.now.ms);
    }

    /// The same, and whoever is there goes on sending samples. The process is killed at this second.
    pub(super) fn live(&mut self, secs: u32, killed_at: Option<u32>) {
        for second in 0..secs {
            if second % 10 == 0 {
                for (device, cpu) in self.cpus.clone() {
                    let presence = self.presences.get(&id(&device));
                    if presence.is_some_and(|it| it.state == PresenceState::Online) {
                        self.cpu(&device, cpu);
                    }
                }
            }
            if killed_at == Some(second) {
                self.restart();
            }
            self.pass(1.0);
        }
    }

    pub(super) fn presence(
        &mut self,
        device: &str,
        state: PresenceState,
        cause: Option<PresenceCause>,
    ) {
        let presence = Presence {
            state,
            cause,
            since: self.now.wall,
            last_seen: None,
        };
        self.presences.insert(id(device), presence.clone());
        self.hear(Input::Presence(id(device), presence));
        if state == PresenceState::Offline {
            self.gone.insert(id(device));
        }
        // An agent that comes back tells everything again.
        if state == PresenceState::Online
            && self.gone.remove(&id(device))
            && let Some(services) = self.services.get(&id(device))
        {
            self.hear(Input::Services(id(device), services.clone()));
        }
    }

    pub(super) fn online(&mut self, device: &str) {
        self.presence(device, PresenceState::Online, None);
    }

    pub(super) fn lost(&mut self, device: &str) {
        self.presence(device, PresenceState::Offline, Some(PresenceCause::Lost));
    }

    pub(super) fn configure(&mut self, device: &str, config: DeviceAlerting) {
        self.configs.insert(id(device), config.clone());
        self.hear(Input::DeviceSettings(id(device), Box::new(config)));
    }

    pub(super) fn set(&mut self, change: impl FnOnce(&mut AlertingSettings)) {
        change(&mut self.settings);
        let settings = Box::new(self.settings.clone());
        self.hear(Input::Settings(settings, TimeZone::UTC));
    }

    pub(super) fn metrics(&self, cpu: f64, disk: u64) -> Metrics {
        serde_json::from_value(json!({
            "session": "0000000000000001", "seq": 1, "time": self.now.wall,
            "uptime_secs": 100_000,
            "cpu": { "usage_percent": cpu },
            "memory": { "total_bytes": 100, "used_bytes": 50 },
            "disks": [{ "mount": "/", "total_bytes": 100, "used_bytes": disk,
                        "available_bytes": 100 - disk }],
        }))
        .unwrap()
    }

    pub(super) fn sample(&mut self, device: &str, metrics: Metrics) {
        self.hear(Input::Sample(id(device), Box::new(metrics)));
    }

    pub(super) fn cpu(&mut self, device: &str, cpu: f64) {
        self.cpus.insert(device.to_owned(), cpu);
        let metrics = self.metrics(cpu, 10);
        self.sample(device, metrics);
    }

    /// A sample every 3 s for so long.
    pub(super) fn cpu_for(&mut self, device: &str, cpu: f64, secs: u32) {
        for _ in 0..secs / 3 {
            self.cpu(device, cpu);
            self.pass(3.0);
        }
        self.cpu(device, cpu);
    }

    pub(super) fn service(&mut self, device: &str, name: &str, state: UnitState, restarts: u32) {
        let mut service = WatchableService::new(name, state);
        service.watched = true;
        service.restarts = restarts;
        let services = Services {
            time: self.now.wall,
            manager: ServiceManager::Systemd,
            services: vec![service],
        };
        self.services.insert(id(device), services.clone());
        if !self.gone.contains(&id(device)) {
            self.hear(Input::Services(id(device), services));
        }
    }

    pub(super) fn act(&mut self, device: &str, of: &str, action: AlertAction) {
        let command = AlertCommand {
            action,
            by: Some("ada".to_owned()),
        };
        self.hear(Input::Command(id(device).into(), rule(of), command));
    }

    pub(super) fn state(&self, subject: &str, of: &str) -> Option<AlertState> {
        let key = (subject.parse().unwrap(), rule(of));
        self.retained.get(&key).map(|it| it.state)
    }

    pub(super) fn alert(&self, subject: &str, of: &str) -> &Alert {
        &self.retained[&(subject.parse().unwrap(), rule(of))]
    }

    /// What was told since this was asked last: `firing a offline, b offline`.
    pub(super) fn news(&mut self) -> Vec<String> {
        let told = std::mem::take(&mut self.told);
        told.iter().map(text).collect()
    }

    /// The process is killed, and started again with what journal and broker have.
    pub(super) fn restart(&mut self) {
        self.engine = Engine::new();
        self.engine.remembers_all();
        self.begin_again();
    }

    /// The same, and the journal is lost.
    pub(super) fn restart_without_journal(&mut self) {
        self.engine = Engine::new();
        self.journal.clear();
        self.begin_again();
    }

    fn begin_again(&mut self) {
        for ((subject, rule), life) in self.journal.clone() {
            let json = serde_json::to_string(&life).unwrap();
            let life = serde_json::from_str(&json).unwrap();
            self.engine.restore(subject, rule, life, true, self.now);
        }
        self.hear(Input::Connected);
        let settings = Box::new(self.settings.clone());
        self.hear(Input::Settings(settings, TimeZone::UTC));
        for (device, config) in self.configs.clone() {
            self.hear(Input::DeviceSettings(device, Box::new(config)));
        }
        for ((subject, rule), alert) in self.retained.clone() {
            self.hear(Input::Retained(subject, rule, Box::new(alert)));
        }
        for (device, presence) in self.presences.clone() {
            self.hear(Input::Presence(device, presence));
        }
        for (device, services) in self.services.clone() {
            if !self.gone.contains(&device) {
                self.hear(Input::Services(device, services));
            }
        }
    }
}

pub(super) fn text(notice: &Notice) -> String {
    let kind = serde_json::to_value(notice.kind).unwrap();
    let all: Vec<String> = notice
        .alerts
        .iter()
        .map(|it| {
            let behind: Vec<&str> = it.behind.iter().map(DeviceId::as_str).collect();
            let behind = if behind.is_empty() {
                String::new()
            } else {
                format!(" ({})", behind.join(" "))
            };
            let detail = it.detail.as_ref().map(|it| format!(" {it}"));
            let detail = detail.filter(|_| it.rule.kind() != RuleKind::Offline);
            format!(
                "{} {}{}{behind}",
                it.subject,
                it.rule,
                detail.unwrap_or_default()
            )
        })
        .collect();
    format!("{} {}", kind.as_str().unwrap(), all.join(", "))
}

/// Settings of one rule.
pub(super) fn rules(kind: RuleKind, settings: RuleSettings) -> AlertingSettings {
    AlertingSettings {
        rules: BTreeMap::from([(kind, settings)]),
        ..AlertingSettings::default()
    }
}
