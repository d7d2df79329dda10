//! All alerts of all devices, and of the hub.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use netmonitor_protocol::payload::{
    Alert, AlertCommand, AlertingSettings, DeviceAlerting, Event, Info, Metrics, Presence, Services,
};
use netmonitor_protocol::{DeviceId, Rule, RuleKind, Subject};

use super::conclude::over_at;
use super::defaults::{RuleConfig, effective};
use super::hear::{LOSS_SHOWN_MS, boot_of};
use super::life::{Life, Phase};
use super::member::{Member, Saved, Watched};
use super::notice::Notice;
use super::now::Now;

/// Devices that are looked after: as many as of presence.
pub(super) const MAX_DEVICES: usize = crate::presence::MAX_DEVICES;

/// After this what the broker has retained has come, and what has not come is published again.
pub(super) const CONFIRMED_WITHIN_MS: i64 = 5_000;

/// After this it is known which devices there are: alerts of others are of nobody.
pub(super) const KNOWN_WITHIN_MS: i64 = 60_000;

/// Which alert.
pub(super) type Key = (Subject, Rule);

/// What the engine hears.
#[derive(Debug, Clone)]
pub enum Input {
    /// The connection to the broker stands, and what is retained comes.
    Connected,
    /// What is retained has come. Without this it is taken for that after some seconds.
    CaughtUp,
    /// What an admin has set, and the time zone in which its hours are meant. Before this came for the
    /// first time nothing is judged.
    Settings(Box<AlertingSettings>, TimeZone),
    /// What an admin has set for a device.
    DeviceSettings(DeviceId, Box<DeviceAlerting>),
    /// What is concluded of a device.
    Presence(DeviceId, Presence),
    /// What a device is.
    Info(DeviceId, Box<Info>),
    /// A sample, just taken.
    Sample(DeviceId, Box<Metrics>),
    /// A sample that was retained: of some time ago. It raises no alert.
    OldSample(DeviceId, Box<Metrics>),
    /// The services of a device as they are.
    Services(DeviceId, Services),
    /// Samples of a device are lost for good.
    SamplesLost(DeviceId),
    /// In so many days the disk that is mounted there is full; none: not to be seen.
    Trend(DeviceId, String, Option<f64>),
    /// How the hub itself is. Only for rules of the hub.
    Hub(RuleKind, Finding),
    /// A device is none any more.
    Removed(DeviceId),
    /// Somebody does something about an alert.
    Command(Subject, Rule, AlertCommand),
    /// What was published of an alert, by an earlier run.
    Retained(Subject, Rule, Box<Alert>),
    /// Time has passed: see [`Engine::deadline`].
    Elapsed,
}

/// How something of the hub is.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// A number, to be compared with the limit of the rule.
    Value(f64),
    /// Wrong, with the word for it.
    Bad(String),
    /// All is well.
    Good,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Publish the state of an alert.
    Publish(Subject, Rule, Box<Alert>),
    /// The alert is none any more: clear its topic.
    Clear(Subject, Rule),
    /// Add a line to the log.
    Log(Event),
    /// Remember this of an alert; none: nothing any more. What one input has brought about is to be
    /// written together, and before anything of it is sent.
    Save(Subject, Rule, Option<Box<Life>>),
    /// Tell somebody.
    Tell(Notice),
}

/// Concludes what is wrong, and who is to be told.
#[derive(Debug)]
pub struct Engine {
    pub(super) settings: Option<AlertingSettings>,
    /// In which hours are meant.
    pub(super) zone: TimeZone,
    pub(super) members: BTreeMap<Subject, Member>,
    /// What was retained of alerts that are not known yet.
    pub(super) seeds: BTreeMap<Key, Alert>,
    pub(super) connected: Option<Now>,
    /// Since the first connection it is known what is set for each device: before, nobody is told of
    /// anything, and nothing is let go.
    pub(super) is_settled: bool,
    /// What is remembered is all that there was to remember: what is not remembered was not so.
    pub(super) remembers_all: bool,
    /// Something has changed that decides who is to be told.
    pub(super) may_tell: bool,
    /// When there is something to do though nothing is heard, in milliseconds: for everybody together,
    /// or, not later, for [one of them](Member::next).
    pub(super) next: Option<i64>,
    /// Alerts that fire, and of which nobody was told.
    pub(super) untold: BTreeSet<Key>,
    /// Alerts that ended, and of which somebody is to be told.
    pub(super) owed: BTreeSet<Key>,
    /// How the hub is, as it was heard last.
    pub(super) findings: BTreeMap<RuleKind, Finding>,
    /// Alerts of which somebody is to be told again.
    pub(super) reminders: BTreeSet<Key>,
    /// Since when the next message about devices that are gone waits for others.
    pub(super) gathering: Option<Now>,
    passed_over: u64,
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine {
    /// An engine that knows nothing.
    pub fn new() -> Self {
        Self {
            settings: None,
            zone: TimeZone::UTC,
            members: BTreeMap::from([(Subject::Hub, Member::default())]),
            seeds: BTreeMap::new(),
            connected: None,
            is_settled: false,
            remembers_all: false,
            may_tell: false,
            next: None,
            untold: BTreeSet::new(),
            owed: BTreeSet::new(),
            reminders: BTreeSet::new(),
            findings: BTreeMap::new(),
            gathering: None,
            passed_over: 0,
        }
    }

    /// What is [restored](Self::restore) is all that an earlier run had to remember.
    pub fn remembers_all(&mut self) {
        self.remembers_all = true;
    }

    /// Takes over what an earlier run has remembered. `is_same_boot`: the machine was not started
    /// since.
    pub fn restore(
        &mut self,
        subject: Subject,
        rule: Rule,
        life: Life,
        is_same_boot: bool,
        now: Now,
    ) {
        let mut life = if is_same_boot {
            life
        } else {
            life.after_restart(now)
        };
        // That nobody was there to look is no sign that it was well meanwhile.
        if let Phase::Pending { seen, .. } = &mut life.phase {
            *seen = now;
        }
        let key = (subject, rule);
        if life.owed.is_some() {
            self.owed.insert(key.clone());
        }
        if life.firing().is_some_and(|it| it.told.is_none()) {
            self.untold.insert(key.clone());
        }
        let (subject, rule) = key;
        let member = self.members.entry(subject.clone()).or_default();
        let mut watched = Watched::new(life, now);
        watched.saved = Saved::Whole(Box::new(watched.life.clone()));
        watched.over_at = over_at(rule.kind(), &watched.life, now);
        member.alerts.insert(rule, watched);
        self.wake_for(&subject, now.ms);
    }

    /// When to come with [`Input::Elapsed`] at the latest, in milliseconds of [`Now::ms`].
    pub fn deadline(&self) -> Option<i64> {
        self.settings.as_ref().and(self.next)
    }

    /// How many messages were passed over because there are too many devices.
    pub fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// The alert as it was published last.
    pub fn alert(&self, subject: &Subject, rule: &Rule) -> Option<&Alert> {
        let watched = self.members.get(subject)?.alerts.get(rule)?;
        watched.published.as_ref()
    }

    /// The disks that are watched of devices that are there: by their mount points.
    pub fn disks(&self) -> Vec<(DeviceId, String)> {
        let there = self.members.iter().filter(|(_, member)| member.is_seen());
        let disks = there.flat_map(|(subject, member)| {
            let mounts = member.mounts.iter();
            mounts.filter_map(|mount| Some((subject.device()?.clone(), mount.clone())))
        });
        disks.collect()
    }

    /// Takes one input.
    #[must_use = "the outputs are what it is for"]
    pub fn handle(&mut self, input: Input, now: Now) -> Vec<Output> {
        let mut out = Vec::new();
        match input {
            Input::Connected => self.connected(now),
            Input::CaughtUp => self.settle(now, &mut out),
            Input::Settings(settings, zone) => self.settings(*settings, zone, now, &mut out),
            Input::DeviceSettings(id, config) if self.is_news_of(&id, &config) => {
                self.may_tell = true;
                if let Some(member) = self.meet(&id) {
                    member.config = *config;
                    self.review(&id.into(), now, &mut out);
                }
            }
            // Of a device that was removed there is nothing to remember.
            Input::DeviceSettings(..) => {}
            Input::Presence(id, presence) => self.presence(id, &presence, now, &mut out),
            Input::Info(id, info) => {
                if let Some(member) = self.meet(&id) {
                    member.inventory(&info);
                }
            }
            Input::Sample(id, metrics) => self.sample(&id, &metrics, now, &mut out),
            Input::OldSample(id, metrics) => {
                if let Some(member) = self.meet(&id) {
                    member.booted = Some(boot_of(&metrics, now));
                }
            }
            Input::Services(id, services) => self.services(id, services, now, &mut out),
            Input::SamplesLost(id) => {
                self.happened(
                    &id.into(),
                    RuleKind::SamplesLost,
                    LOSS_SHOWN_MS,
                    now,
                    &mut out,
                );
            }
            Input::Trend(id, mount, days) => self.trend(id, &mount, days, now, &mut out),
            Input::Hub(kind, finding) => self.hub(kind, finding, now, &mut out),
            Input::Removed(id) => self.removed(&id, now, &mut out),
            Input::Command(subject, rule, command) => {
                self.command(&(subject, rule), command, now, &mut out);
            }
            Input::Retained(subject, rule, alert) => {
                self.retained(&(subject, rule), *alert, now, &mut out);
            }
            Input::Elapsed => self.elapsed(now, &mut out),
        }
        self.tell(now, &mut out);
        out
    }

    /// A [message](Output::Tell) was addressed to these channels, to each with what concerns it: they
    /// are to hear of the end as well. To be said before the next input, and what comes out written
    /// together with what the message came with.
    #[must_use = "the outputs are what it is for"]
    pub fn told<'a>(
        &mut self,
        notice: &Notice,
        channels: impl IntoIterator<Item = (&'a str, &'a Notice)>,
        now: Now,
    ) -> Vec<Output> {
        let mut out = Vec::new();
        let mut told: BTreeMap<Key, BTreeSet<String>> = BTreeMap::new();
        for alert in &notice.alerts {
            told.insert((alert.subject.clone(), alert.rule.clone()), BTreeSet::new());
        }
        for (channel, part) in channels {
            for alert in &part.alerts {
                let key = (alert.subject.clone(), alert.rule.clone());
                told.entry(key).or_default().insert(channel.to_owned());
            }
        }
        for (key, channels) in told {
            let watched = self.watched(&key.0, &key.1);
            if let Some(firing) = watched.and_then(|it| it.life.firing_mut()) {
                firing.channels.get_or_insert_default().extend(channels);
                self.touch(&key, now, &mut out);
            }
        }
        out
    }

    /// The device, if it is known or there is room.
    pub(super) fn meet(&mut self, id: &DeviceId) -> Option<&mut Member> {
        let is_full = self.members.len() > MAX_DEVICES;
        let subject = Subject::Device(id.clone());
        if is_full && !self.members.contains_key(&subject) {
            self.passed_over += 1;
            return None;
        }
        Some(self.members.entry(subject).or_default())
    }

    fn is_news_of(&self, id: &DeviceId, config: &DeviceAlerting) -> bool {
        let is_known = self.members.contains_key(&Subject::Device(id.clone()));
        is_known || *config != DeviceAlerting::default()
    }

    pub(super) fn wake(&mut self, ms: i64) {
        bring_forward(&mut self.next, ms);
    }

    /// Then there is something to do about this subject.
    pub(super) fn wake_for(&mut self, subject: &Subject, ms: i64) {
        if let Some(member) = self.members.get_mut(subject) {
            bring_forward(&mut member.next, ms);
            self.wake(ms);
        }
    }

    pub(super) fn config(&self, subject: &Subject, kind: RuleKind) -> Option<RuleConfig> {
        let settings = self.settings.as_ref()?;
        let own = self.members.get(subject).map(|it| &it.config.rules);
        Some(effective(kind, &settings.rules, own))
    }
}

fn bring_forward(next: &mut Option<i64>, ms: i64) {
    *next = Some(next.map_or(ms, |next| next.min(ms)));
}
