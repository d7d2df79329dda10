//! A hub of separate services, and agents on other machines.

use std::thread::sleep;
use std::time::{Duration, Instant};

use netmonitor_protocol::DeviceId;
use netmonitor_testkit::eventually;

use super::books::{Books, Watcher};
use crate::support::agent::Agent;
use crate::support::hub::{Home, Hub};

/// What makes a hub.
const SERVICES: [&str; 4] = ["broker", "ingest", "alerting", "api"];

/// Once nothing dies any more, everything is stored within this time, on a machine that is busy
/// with other things.
const STORED_WITHIN: Duration = Duration::from_mins(3);

const LOOK: Duration = Duration::from_millis(200);

/// All programs of a small network, and what was seen of their samples.
pub(crate) struct Site {
    pub(crate) home: Home,
    pub(crate) services: Vec<Hub>,
    pub(crate) agents: Vec<(Agent, DeviceId)>,
    pub(crate) books: Books,
    _watcher: Watcher,
}

impl Site {
    /// A hub with this configuration, and so many agents, which do not run yet.
    pub(crate) fn new(config: &str, agents: usize) -> Self {
        let home = Home::empty();
        home.write("netmonitor.toml", config);
        let services: Vec<Hub> = SERVICES.map(|name| Hub::service(&home, name)).into();
        let books = Books::default();
        let add = ["mqtt-user", "add", "watcher", "--role", "reader"];
        let password = home.told(&add);
        let watcher = Watcher::start(services[0].port("mqtt"), "watcher", &password, &books);
        let code = home.told(&["join-code", "--uses", &agents.to_string()]);
        let joined = |_| {
            let (agent, id) = Agent::joined(&code);
            (agent, id.parse().unwrap())
        };
        Self {
            agents: (0..agents).map(joined).collect(),
            home,
            services,
            books,
            _watcher: watcher,
        }
    }

    /// Writes down what an agent has in its memory.
    pub(crate) fn look_into(&self, at: usize) {
        let (agent, device) = &self.agents[at];
        for sample in agent.in_memory() {
            self.books.note(device, sample.session, sample.seq);
        }
    }

    /// Waits until everything is stored that was measured until now, while agents go on.
    pub(crate) fn until_stored(&self) {
        for at in 0..self.agents.len() {
            self.look_into(at);
        }
        let history = self.home.history();
        let so_far = self.books.so_far();
        let end = Instant::now() + STORED_WITHIN;
        loop {
            let missing = so_far.missing(&history);
            if missing.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "not stored: {missing:#?}");
            sleep(LOOK);
        }
    }

    /// Has agents measure no more, waits until none of them keeps anything for the hub, and
    /// fails unless the hub has all. Returns how many samples there are.
    pub(crate) fn settle(&mut self) -> u64 {
        for at in 0..self.agents.len() {
            let (agent, _) = &mut self.agents[at];
            assert_eq!(agent.process().terminate().code(), Some(0));
            self.look_into(at);
            // One sample at the start, and no more for an hour.
            self.agents[at].0.run_every("1h");
        }
        for (agent, device) in &self.agents {
            eventually(&format!("{device} keeps nothing"), STORED_WITHIN, || {
                agent.waiting() == 0
            });
        }
        self.books.assert_all_are_stored_once(&self.home.history())
    }
}
