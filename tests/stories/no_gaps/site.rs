//! A hub of separate services, and agents on other machines.

use std::os::unix::process::ExitStatusExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netmonitor_protocol::DeviceId;
use netmonitor_testkit::eventually;
use nix::sys::signal::Signal;

use super::books::{Books, Watcher};
use crate::support::agent::Agent;
use crate::support::clock::Clock;
use crate::support::hub::{Home, Hub};
use crate::support::network::Machine;

/// What makes a hub.
const SERVICES: [&str; 4] = ["broker", "ingest", "alerting", "api"];

/// Once nothing dies any more, everything is stored within this time, on a machine that is busy
/// with other things.
pub(crate) const STORED_WITHIN: Duration = Duration::from_mins(3);

/// Where the cable of an agent's machine is.
pub(crate) const PORT: &str = "eth0";

const LOOK: Duration = Duration::from_millis(200);

/// All programs of a small network, and what was seen of their samples.
pub(crate) struct Site {
    pub(crate) home: Home,
    /// The processes of the hub: the one with the broker first.
    pub(crate) services: Vec<Hub>,
    pub(crate) agents: Vec<(Agent, DeviceId)>,
    pub(crate) books: Books,
    /// The machines of the agents, if they have their own: each has one cable, to the hub's.
    pub(crate) cables: Vec<Machine>,
    /// None: it is in another network.
    _watcher: Option<Watcher>,
}

impl Site {
    /// A hub with this configuration, and so many agents, which do not run yet.
    pub(crate) fn new(config: &str, agents: usize) -> Self {
        Self::in_home(Home::empty(), config, agents)
    }

    /// The same with its data in an empty directory.
    pub(crate) fn in_home(home: Home, config: &str, agents: usize) -> Self {
        Self::by_clocks(home, config, &vec![None; agents])
    }

    /// The same with an agent by each of these clocks, or by that of this machine.
    pub(crate) fn by_clocks(home: Home, config: &str, clocks: &[Option<&Clock>]) -> Self {
        home.write("netmonitor.toml", config);
        let services = SERVICES.map(|name| Hub::lasting(&home, name, None));
        Self::of(home, services.into(), clocks)
    }

    /// The same with the hub in one process.
    pub(crate) fn in_one_process(home: Home, config: &str, agents: usize) -> Self {
        home.write("netmonitor.toml", config);
        let mut hub = Hub::lasting(&home, "run", None);
        hub.process.line("ready");
        Self::of(home, vec![hub], &vec![None; agents])
    }

    /// A hub of separate services on a machine of its own, and so many agents, each on one of its
    /// own as well.
    pub(crate) fn on_machines(config: &str, agents: usize) -> Self {
        let home = Home::empty();
        home.write("netmonitor.toml", config);
        let hub = Machine::new("hub");
        let cables: Vec<Machine> = (0..agents).map(|at| agent_machine(&hub, at)).collect();
        let services = SERVICES.map(|name| Hub::lasting(&home, name, Some(&hub)));
        let code = home.told(&["join-code", "--uses", &agents.to_string()]);
        let joined = cables.iter().map(|it| Agent::joined_on(it, &code));
        Self {
            agents: joined.map(with_id).collect(),
            home,
            services: services.into(),
            books: Books::default(),
            cables,
            _watcher: None,
        }
    }

    fn of(home: Home, services: Vec<Hub>, clocks: &[Option<&Clock>]) -> Self {
        let books = Books::default();
        let add = ["mqtt-user", "add", "watcher", "--role", "reader"];
        let password = home.told(&add);
        let watcher = Watcher::start(services[0].port("mqtt"), "watcher", &password, &books);
        let code = home.told(&["join-code", "--uses", &clocks.len().to_string()]);
        let joined = clocks.iter().map(|clock| match clock {
            Some(clock) => Agent::joined_by(clock, &code),
            None => Agent::joined(&code),
        });
        Self {
            agents: joined.map(with_id).collect(),
            home,
            services,
            books,
            cables: Vec::new(),
            _watcher: Some(watcher),
        }
    }

    /// The service of this name.
    pub(crate) fn service(&mut self, name: &str) -> &mut Hub {
        let at = SERVICES.iter().position(|it| *it == name);
        &mut self.services[at.expect("it is one of them")]
    }

    /// Starts every agent.
    pub(crate) fn run(&mut self) {
        for (agent, _) in &mut self.agents {
            agent.run();
        }
    }

    /// Waits until so many more samples were measured.
    pub(crate) fn until_measured(&self, more: usize) {
        let enough = self.books.number() + more;
        eventually("more samples are measured", STORED_WITHIN, || {
            for at in 0..self.agents.len() {
                self.look_into(at);
            }
            self.books.number() >= enough
        });
    }

    /// Stops an agent as its machine's system does.
    pub(crate) fn stop(&mut self, at: usize) {
        let ended = self.agents[at].0.process().terminate();
        // One that has hardly started does not listen for signals yet: it is killed by this one.
        let is_killed = ended.signal() == Some(Signal::SIGTERM as i32);
        assert!(ended.success() || is_killed, "{ended}");
        self.look_into(at);
    }

    /// Kills an agent.
    pub(crate) fn kill(&mut self, at: usize) {
        self.agents[at].0.process().kill();
        self.look_into(at);
    }

    /// Writes down what an agent has in its memory.
    pub(crate) fn look_into(&self, at: usize) {
        let (agent, device) = &self.agents[at];
        for sample in agent.in_memory() {
            self.books.note(device, &sample);
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
            self.stop(at);
            let before = self.books.starts(&self.agents[at].1);
            // One sample at the start, and no more for an hour.
            self.agents[at].0.run_every("1h");
            eventually("a last sample", STORED_WITHIN, || {
                self.look_into(at);
                self.books.starts(&self.agents[at].1) > before
            });
        }
        for (agent, device) in &self.agents {
            eventually(&format!("{device} keeps nothing"), STORED_WITHIN, || {
                agent.waiting() == 0
            });
        }
        self.books.assert_all_are_stored_once(&self.home.history())
    }
}

fn with_id((agent, id): (Agent, String)) -> (Agent, DeviceId) {
    (agent, id.parse().unwrap())
}

/// A machine with a cable to that of the hub.
fn agent_machine(hub: &Machine, at: usize) -> Machine {
    let machine = Machine::new(&format!("agent{at}"));
    let hubs_port = format!("eth{at}");
    hub.wire(&hubs_port, &machine, PORT);
    hub.address(&hubs_port, &format!("10.78.{at}.1/24"));
    machine.address(PORT, &format!("10.78.{at}.2/24"));
    machine
}
