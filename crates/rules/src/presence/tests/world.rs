//! A broker, one device and what can happen to them, for the rounds.

use std::collections::VecDeque;

use jiff::Timestamp;
use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{EndCause, PresenceCause, PresenceState};
use rand::Rng as _;
use rand::rngs::StdRng;

use super::super::{Effect, Input};
use super::bench::{Bench, birth, ended, id, info, offline, online, sample};

/// Time between two samples, in seconds: of some agents, and of others.
const INTERVALS: [f64; 2] = [3.0, 60.0];

/// Within this an agent comes back, in seconds: its longest wait, and the attempt.
const COMES_BACK: f64 = 9.0;

/// After this without an answer an agent leaves, in seconds.
const GIVES_UP: f64 = 9.0;

/// `status`, `session`, `info`, `metrics`: each in its own order, whatever the others do.
const TOPICS: usize = 4;

/// The agent that is there, or was last.
#[derive(Debug, Clone, Copy)]
struct Agent {
    session: u64,
    runs: bool,
    /// Seconds until it is connected: 0 if it is.
    away: f64,
    sends: bool,
}

/// The whole of it.
pub(super) struct World {
    pub(super) bench: Bench,
    rng: StdRng,
    interval: f64,
    agent: Agent,
    is_up: bool,
    under_way: [VecDeque<Message>; TOPICS],
    retained: [Option<Message>; TOPICS],
    presence: Option<Message>,
    sessions: u64,
    boots: u64,
    since_sample: f64,
    /// Why the last one that was heard is gone, if it is.
    goes: PresenceCause,
    /// How often somebody was gone, whether anybody heard it or not.
    pub(super) deaths: usize,
    pub(super) offline_published: usize,
    pub(super) clones: usize,
    effects_seen: usize,
    offline_since: Option<Timestamp>,
    pub(super) trace: Vec<String>,
}

impl World {
    pub(super) fn new(mut rng: StdRng) -> Self {
        let interval = INTERVALS[rng.random_range(0..INTERVALS.len())];
        let mut world = Self {
            bench: Bench::settled(),
            rng,
            interval,
            agent: Agent {
                session: 0,
                runs: false,
                away: 0.0,
                sends: true,
            },
            is_up: true,
            under_way: Default::default(),
            retained: Default::default(),
            presence: None,
            sessions: 0,
            boots: 1,
            since_sample: 0.0,
            goes: PresenceCause::Lost,
            deaths: 0,
            offline_published: 0,
            clones: 0,
            effects_seen: 0,
            offline_since: None,
            trace: Vec::new(),
        };
        world.start(false);
        world
    }

    fn publish(&mut self, topic: usize, message: Message) {
        self.retained[topic] = Some(message.clone());
        self.under_way[topic].push_back(message);
    }

    fn says(&mut self, message: Message) {
        let topic = match &message {
            Message::DeviceStatus(..) => 0,
            Message::DeviceSession(..) => 1,
            Message::DeviceInfo(..) => 2,
            _ => 3,
        };
        if topic == 0 && message.payload() == b"offline" {
            self.deaths += 1;
        }
        self.publish(topic, message);
    }

    fn is_connected(&self) -> bool {
        self.agent.runs && self.agent.away <= 0.0
    }

    fn is_born(&mut self) {
        let session = self.agent.session;
        self.goes = PresenceCause::Lost;
        self.says(birth(session));
        self.says(info(session, self.interval));
        self.says(online(session));
        if self.agent.sends {
            self.says(sample(session));
        }
    }

    /// Another start of the agent, in the place of one that may still be there.
    fn start(&mut self, is_reboot: bool) {
        if self.is_connected() {
            self.is_taken_over();
        }
        self.boots += u64::from(is_reboot);
        self.sessions = (self.sessions + 1) % 10;
        // A session is never used twice, and says by its tens on which boot it runs.
        if self.sessions == 0 {
            self.boots += 1;
        }
        self.agent = Agent {
            session: self.boots * 10 + self.sessions,
            runs: true,
            away: if self.is_up { 0.0 } else { self.comes_back() },
            sends: true,
        };
        if self.is_connected() {
            self.is_born();
        }
    }

    /// The will of a connection in whose place another one is already: nobody is gone.
    fn is_taken_over(&mut self) {
        self.says(offline(self.agent.session));
        self.deaths -= 1;
    }

    fn comes_back(&mut self) -> f64 {
        self.rng.random_range(0.01..COMES_BACK)
    }

    /// Something happens.
    pub(super) fn happens(&mut self) {
        let what = self.rng.random_range(0..13);
        let session = self.agent.session;
        let word = match what {
            0 => {
                self.start(false);
                "another start of the agent"
            }
            1 => {
                self.start(true);
                "the machine starts anew"
            }
            2 if self.is_connected() => {
                self.agent.runs = false;
                self.says(offline(session));
                "killed"
            }
            3 if self.is_connected() => {
                let causes = [EndCause::Stop, EndCause::Shutdown, EndCause::Suspend];
                let cause = causes[self.rng.random_range(0..3)];
                self.agent.runs = false;
                self.goes = match cause {
                    EndCause::Shutdown => PresenceCause::Shutdown,
                    EndCause::Suspend => PresenceCause::Suspend,
                    _ => PresenceCause::Stopped,
                };
                self.says(ended(session, cause));
                self.says(offline(session));
                "clean stop"
            }
            4 if self.is_connected() => {
                self.is_taken_over();
                self.is_born();
                "takeover"
            }
            5 if self.is_connected() => {
                // The will of the older connection comes too late, and the agent objects.
                self.is_taken_over();
                self.says(online(session));
                "late will"
            }
            6 if self.is_connected() => {
                // The network is away for a moment, and the broker notices.
                self.says(offline(session));
                self.agent.away = self.comes_back();
                "cut"
            }
            7 => {
                self.agent.sends = !self.agent.sends;
                "sends, or not"
            }
            8 => {
                self.alerting_starts_anew();
                "alerting starts anew"
            }
            9 if self.is_up => {
                self.broker_goes();
                "the broker goes"
            }
            10 if !self.is_up => {
                self.broker_comes();
                "the broker comes"
            }
            11 if !self.is_connected() && self.agent.runs => {
                // While the broker is away, or before the agent is back: nobody hears it.
                self.agent.runs = false;
                self.deaths += 1;
                "dies unheard"
            }
            12 if self.is_up => {
                self.hub_stands_still();
                "the hub stood still"
            }
            _ => "nothing",
        };
        self.trace.push(format!("{word} ({session})"));
        let most = if self.rng.random_bool(0.5) { 0.3 } else { 25.0 };
        let secs = self.rng.random_range(0.0..most);
        self.pass(secs);
    }

    /// A second machine with the identity of the first: each pushes the other out.
    pub(super) fn clones_fight(&mut self) {
        let (one, other) = (self.agent.session, self.agent.session + 1000);
        for (gone, there) in [(one, other), (other, one), (one, other), (other, one)] {
            self.says(offline(gone));
            self.agent.session = there;
            self.is_born();
            let secs = self.rng.random_range(0.1..2.0);
            self.pass(secs);
        }
    }

    pub(super) fn can_fight(&self) -> bool {
        self.is_up && self.is_connected()
    }

    fn alerting_starts_anew(&mut self) {
        self.bench.start_again();
        self.effects_seen = 0;
        if self.is_up {
            self.subscribe();
        }
    }

    /// What is sent meanwhile waits in sockets, and an agent without an answer leaves.
    fn hub_stands_still(&mut self) {
        let secs = self.rng.random_range(3.0..40.0);
        self.bench.stands_still(secs);
        if self.is_connected() && self.agent.sends {
            self.says(sample(self.agent.session));
        }
        if self.is_connected() && secs > GIVES_UP {
            self.is_taken_over();
            self.agent.away = self.comes_back();
        }
        self.bench.give(Input::StoodStill);
        self.settle_effects();
    }

    fn broker_goes(&mut self) {
        self.is_up = false;
        self.under_way = Default::default();
        self.bench.give(Input::Lost);
        if self.agent.runs {
            // No will: the agent is there, and will come back.
            self.agent.away = f64::INFINITY;
        }
    }

    fn broker_comes(&mut self) {
        self.is_up = true;
        self.subscribe();
        if self.agent.runs {
            self.agent.away = self.comes_back();
        }
    }

    /// Everything retained comes, in any order; what is published meanwhile may come before.
    fn subscribe(&mut self) {
        self.under_way = Default::default();
        let kept = self.retained.iter().take(3).flatten().cloned();
        let mut all: Vec<Message> = kept.chain(self.presence.clone()).collect();
        let said_after = self.rng.random_range(0..=all.len());
        for place in 0..=all.len() {
            if place == said_after {
                self.bench.give(Input::Connected);
            }
            if !all.is_empty() {
                let index = self.rng.random_range(0..all.len());
                self.bench.retained(all.swap_remove(index));
            }
        }
        self.settle_effects();
    }

    pub(super) fn pass(&mut self, secs: f64) {
        let mut left = secs;
        while left > 0.0 {
            let step = left.min(0.25);
            left -= step;
            self.bench.pass(step);
            if self.is_up && self.agent.runs && self.agent.away > 0.0 {
                self.agent.away -= step;
                if self.agent.away <= 0.0 {
                    self.is_born();
                }
            }
            self.since_sample += step;
            if self.is_connected() && self.agent.sends && self.since_sample >= self.interval {
                self.since_sample = 0.0;
                self.says(sample(self.agent.session));
            }
            self.deliver(step < 0.25);
        }
        self.deliver(false);
    }

    /// What is under way arrives: the topics in any order, each in its own.
    fn deliver(&mut self, keeps_some: bool) {
        while self.is_up {
            let full: Vec<usize> = (0..TOPICS)
                .filter(|topic| !self.under_way[*topic].is_empty())
                .collect();
            if full.is_empty() || keeps_some && self.rng.random_bool(0.2) {
                break;
            }
            let topic = full[self.rng.random_range(0..full.len())];
            if let Some(message) = self.under_way[topic].pop_front() {
                self.bench.live(message);
            }
        }
        self.settle_effects();
    }

    fn settle_effects(&mut self) {
        let new: Vec<Effect> = self.bench.effects[self.effects_seen..].to_vec();
        self.effects_seen = self.bench.effects.len();
        for effect in new {
            match effect {
                Effect::Publish(id, presence) => {
                    self.trace.push(format!("    {presence:?}"));
                    // Another cause is no other death, nor is the same said again.
                    if presence.state == PresenceState::Offline
                        && self.offline_since != Some(presence.since)
                    {
                        self.offline_published += 1;
                        self.offline_since = Some(presence.since);
                    }
                    let is_denied = matches!(
                        presence.state,
                        PresenceState::Offline | PresenceState::Unknown
                    );
                    if self.is_up {
                        self.presence = Some(Message::DevicePresence(id, presence));
                    }
                    // An agent that hears that it is gone objects.
                    if is_denied && self.is_connected() {
                        self.says(online(self.agent.session));
                    }
                }
                Effect::Clear(_) => panic!("nobody was removed"),
                Effect::Log(line) => {
                    let is_clone = line.kind == super::bench::CLONED;
                    self.clones += usize::from(is_clone);
                }
            }
        }
    }

    /// Everything goes on undisturbed for long enough, and then what is concluded must be so.
    pub(super) fn check(&mut self) {
        if !self.is_up {
            self.broker_comes();
        }
        self.pass(60.0 + 4.0 * self.interval);
        let presence = self.bench.engine.presence(&id()).cloned();
        let is = self.bench.is();
        let retained = presence.map(|it| Message::DevicePresence(id(), it));
        assert_eq!(
            self.presence, retained,
            "what is published is what is concluded"
        );
        let Some((state, concluded)) = is else {
            panic!("nothing is concluded");
        };
        if !self.agent.runs {
            assert_eq!(
                (state, concluded),
                (PresenceState::Offline, Some(self.goes))
            );
        } else if self.agent.sends {
            assert_eq!(state, PresenceState::Online);
        } else {
            assert_eq!(state, PresenceState::Stale);
        }
        assert!(
            self.offline_published <= self.deaths,
            "{} times offline, and {} deaths",
            self.offline_published,
            self.deaths
        );
    }
}
