//! What happens to the programs of a site: by a seed, so that it can be repeated as far as
//! programs on a busy machine can.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};

use super::simulated::Simulated;
use super::site::{PORT, Site};

/// Between two looks whether it is time for something.
const LOOK: Duration = Duration::from_millis(50);

/// From one fault to the next, in seconds.
const BETWEEN: std::ops::Range<f64> = 0.5..3.0;

/// How long something is gone, in seconds: mostly short, sometimes long.
const GONE: [std::ops::Range<f64>; 3] = [0.0..0.5, 0.5..4.0, 4.0..10.0];

/// A program of the site, or an agent's cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Service(usize),
    Agent(usize),
    Cable(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// SIGKILL.
    Kill,
    /// SIGTERM, and it ends as it should.
    Stop,
    /// SIGSTOP: it stands still, and its sockets stay open. For the others its network is gone.
    Freeze,
    /// A cable is cut.
    Cut,
}

/// Makes faults, and takes them back.
pub(crate) struct Faults {
    random: StdRng,
    /// What is not as it should be, and until when.
    now: Vec<(Target, Fault, Instant)>,
    made: usize,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: StdRng::seed_from_u64(seed),
            now: Vec::new(),
            made: 0,
        }
    }

    /// Makes faults for so long; then everything runs again. Returns how many programs were hit.
    /// Simulated agents have theirs meanwhile.
    pub(crate) fn happen(
        mut self,
        site: &mut Site,
        mut simulated: Option<&mut Simulated>,
        lasts: Duration,
    ) -> usize {
        let end = Instant::now() + lasts;
        let mut next = Instant::now();
        while Instant::now() < end {
            self.recover(site, Instant::now());
            if Instant::now() >= next {
                self.make_one(site);
                next = Instant::now() + self.seconds(BETWEEN);
            }
            if let Some(simulated) = &mut simulated {
                simulated.suffer();
            }
            std::thread::sleep(LOOK);
        }
        self.recover(site, end + Duration::from_hours(1));
        if let Some(simulated) = simulated {
            simulated.recover();
        }
        self.made
    }

    fn seconds(&mut self, range: std::ops::Range<f64>) -> Duration {
        Duration::from_secs_f64(self.random.random_range(range))
    }

    fn make_one(&mut self, site: &mut Site) {
        let services: Vec<_> = (0..site.services.len()).map(Target::Service).collect();
        let agents: Vec<_> = (0..site.agents.len()).map(Target::Agent).collect();
        let all = [&services[..], &agents].concat();
        let cables: Vec<_> = (0..site.cables.len()).map(Target::Cable).collect();
        let one = |of: &[Target], random: &mut StdRng| vec![*of.choose(random).unwrap()];
        // Where there are cables, every other fault is theirs.
        let sorts = if cables.is_empty() { 100 } else { 200 };
        let (targets, fault) = match self.random.random_range(0..sorts) {
            0..30 => (one(&services, &mut self.random), self.fault()),
            30..65 => (one(&agents, &mut self.random), self.fault()),
            65..80 => {
                let number = self.random.random_range(2..=agents.len());
                let some = agents.choose_multiple(&mut self.random, number);
                (some.copied().collect(), self.fault())
            }
            80..90 => (services, Fault::Kill),
            90..100 => (all, Fault::Kill),
            100..180 => (one(&cables, &mut self.random), Fault::Cut),
            _ => (cables, Fault::Cut),
        };
        for target in targets {
            let gone = self.random.random_range(0..GONE.len());
            let until = Instant::now() + self.seconds(GONE[gone].clone());
            self.make(site, target, fault, until);
        }
    }

    fn fault(&mut self) -> Fault {
        match self.random.random_range(0..10) {
            0..6 => Fault::Kill,
            6..8 => Fault::Stop,
            _ => Fault::Freeze,
        }
    }

    fn make(&mut self, site: &mut Site, target: Target, fault: Fault, until: Instant) {
        let before = self.now.iter().position(|(hit, _, _)| *hit == target);
        match before.map(|at| self.now[at].1) {
            None => {}
            // Even one that stands still can be killed.
            Some(Fault::Freeze) if fault == Fault::Kill => {
                self.now.retain(|(hit, _, _)| *hit != target);
            }
            Some(_) => return,
        }
        match (fault, target) {
            (Fault::Kill, Target::Agent(at)) => site.kill(at),
            (Fault::Stop, Target::Agent(at)) => site.stop(at),
            (Fault::Kill, Target::Service(at)) => site.services[at].process.kill(),
            (Fault::Stop, Target::Service(at)) => {
                let ended = site.services[at].process.terminate();
                assert_eq!(ended.code(), Some(0), "{target:?}");
            }
            (_, Target::Cable(at)) => site.cables[at].cut(PORT),
            (Fault::Cut, _) => unreachable!("programs have no cable of their own"),
            (Fault::Freeze, Target::Service(at)) => {
                site.services[at].process.signal(Signal::SIGSTOP);
            }
            (Fault::Freeze, Target::Agent(at)) => {
                site.agents[at].0.process().signal(Signal::SIGSTOP);
            }
        }
        self.made += 1;
        self.now.push((target, fault, until));
    }

    fn recover(&mut self, site: &mut Site, now: Instant) {
        let (over, rest) = self.now.drain(..).partition(|(_, _, until)| *until <= now);
        self.now = rest;
        let over: Vec<(Target, Fault, Instant)> = over;
        for (target, fault, _) in over {
            match (fault, target) {
                (_, Target::Cable(at)) => site.cables[at].mend(PORT),
                (Fault::Freeze, Target::Service(at)) => {
                    site.services[at].process.signal(Signal::SIGCONT);
                }
                (Fault::Freeze, Target::Agent(at)) => {
                    site.agents[at].0.process().signal(Signal::SIGCONT);
                }
                (_, Target::Service(at)) => site.services[at].start_again(),
                (_, Target::Agent(at)) => site.agents[at].0.run(),
            }
        }
    }
}
