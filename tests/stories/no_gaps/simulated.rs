//! Many simulated agents with a way to the hub of their own: they die, stand still and lose their
//! network as well.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_benches::faults::{Faults, Rate};
use netmonitor_benches::fleet::{Config, Fleet};
use netmonitor_benches::stored::Stored;
use netmonitor_service::clock;
use tokio::runtime::Runtime;

use super::site::{STORED_WITHIN, Site};
use crate::support::fleet;

/// What happens to each of them, and how often in a minute.
const FAULTS: [&str; 7] = [
    "kill=0.6",
    "stop=0.2",
    "restart=0.2",
    "freeze=0.3",
    "cut=0.8",
    "takeover=0.3",
    "slow=0.2",
];

/// How long that lasts in the mean.
const LASTS: Duration = Duration::from_secs(4);

/// A fleet in this process.
pub(crate) struct Simulated {
    fleet: Fleet,
    faults: Faults,
    looked: Instant,
    began: Timestamp,
    runtime: Runtime,
}

impl Simulated {
    /// So many join the hub and begin to measure, once in a second each.
    pub(crate) fn join(site: &Site, number: usize, seed: u64) -> Self {
        let config = Config {
            seed,
            interval: Duration::from_secs(1),
            ..Config::default()
        };
        let began = clock::now();
        let (runtime, fleet) = fleet::join(&site.home, number, config);
        let rates: Vec<Rate> = FAULTS.iter().map(|rate| rate.parse().unwrap()).collect();
        Self {
            fleet,
            faults: Faults::new(rates, seed, LASTS, number),
            looked: Instant::now(),
            began,
            runtime,
        }
    }

    /// Since the last call something may have happened to some of them.
    pub(crate) fn suffer(&mut self) {
        let elapsed = self.looked.elapsed();
        self.looked = Instant::now();
        let step = self.faults.step(&mut self.fleet, elapsed);
        self.runtime.block_on(step);
    }

    /// All of them are as they should be again.
    pub(crate) fn recover(&mut self) {
        let _inside = self.runtime.enter();
        self.faults.end(&mut self.fleet, 0);
    }

    /// Has them measure no more, and waits until none of them keeps anything for the hub.
    pub(crate) fn settle(&mut self) {
        let delivered = self.fleet.delivered(STORED_WITHIN);
        let is_delivered = self.runtime.block_on(delivered);
        let ledger = self.fleet.ledger();
        let (measured, stored) = (ledger.measured_in_all(), ledger.stored_in_all());
        assert!(is_delivered, "{stored} of {measured} are acknowledged");
    }

    /// Fails unless every sample that they have measured is stored once, and nothing else of
    /// them. Returns how many there are.
    pub(crate) fn assert_all_are_stored_once(&self, history: &Path) -> u64 {
        let stored = Stored::read(history, &self.fleet, self.began).unwrap();
        assert!(stored.is_good(), "{stored:?}");
        stored.measured
    }
}
