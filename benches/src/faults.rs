//! Faults on demand: seeded, so that a run can be repeated.

use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

use crate::fleet::{Agent, Fleet};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Killed, and started again later.
    Kill,
    /// Stopped with a goodbye, and started again later.
    Stop,
    /// Killed, and started again at once with a new session.
    Restart,
    /// Stands still for a time, its socket open.
    Freeze,
    /// Its cable is cut for a time.
    Cut,
    /// Comes back with the same id while the hub still holds the old socket.
    Takeover,
    /// Its link is slow for a time.
    Slow,
}

/// The delay of a slow link, each way.
const SLOW: Duration = Duration::from_millis(500);

/// A kind of fault, and how often it happens.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// What.
    pub kind: Kind,
    /// How often, for each agent in a minute.
    pub per_agent_minute: f64,
}

impl FromStr for Rate {
    type Err = anyhow::Error;

    /// From `kill=0.5`.
    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (kind, rate) = text
            .split_once('=')
            .context("write it as KIND=RATE, e.g. kill=0.5")?;
        let kind = match kind {
            "kill" => Kind::Kill,
            "stop" => Kind::Stop,
            "restart" => Kind::Restart,
            "freeze" => Kind::Freeze,
            "cut" => Kind::Cut,
            "takeover" => Kind::Takeover,
            "slow" => Kind::Slow,
            _ => bail!("{kind:?} is none of kill, stop, restart, freeze, cut, takeover, slow"),
        };
        let per_agent_minute: f64 = rate.parse().context("the rate is not a number")?;
        if !per_agent_minute.is_finite() || per_agent_minute < 0.0 {
            bail!("the rate must not be negative");
        }
        Ok(Self {
            kind,
            per_agent_minute,
        })
    }
}

/// Makes faults, and takes them back.
#[derive(Debug)]
pub struct Faults {
    rates: Vec<Rate>,
    random: StdRng,
    lasts: Duration,
    /// What each agent suffers from now, and until when.
    now: Vec<Option<(Kind, Instant)>>,
    made: usize,
}

impl Faults {
    /// Faults at these rates that last for `lasts` in the mean, between half and one and a half
    /// of it.
    pub fn new(rates: Vec<Rate>, seed: u64, lasts: Duration, agents: usize) -> Self {
        Self {
            rates,
            random: StdRng::seed_from_u64(seed),
            lasts,
            now: vec![None; agents],
            made: 0,
        }
    }

    /// How many were made so far.
    pub fn made(&self) -> usize {
        self.made
    }

    /// So much time has gone by: some recover, some fail.
    pub async fn step(&mut self, fleet: &mut Fleet, elapsed: Duration) {
        for (at, agent) in fleet.agents.iter_mut().enumerate() {
            match self.now[at] {
                Some((kind, until)) if Instant::now() >= until => {
                    recover(agent, kind);
                    self.now[at] = None;
                }
                Some(_) => {}
                None => {
                    if let Some(kind) = self.pick(elapsed) {
                        self.made += 1;
                        fail(agent, kind).await;
                        let lasts = self.lasts.mul_f64(self.random.random_range(0.5..1.5));
                        self.now[at] = Some((kind, Instant::now() + lasts));
                    }
                }
            }
        }
    }

    /// Everything is as it should be again, but for every `n`th of those that are down, which
    /// stay so: the last word about them has to be right as well.
    pub fn end(&mut self, fleet: &mut Fleet, n: usize) {
        let mut down = 0;
        for (at, agent) in fleet.agents.iter_mut().enumerate() {
            if let Some((kind, _)) = self.now[at].take() {
                down += 1;
                if n == 0 || down % n != 0 {
                    recover(agent, kind);
                }
            }
        }
    }

    fn pick(&mut self, elapsed: Duration) -> Option<Kind> {
        let minutes = elapsed.as_secs_f64() / 60.0;
        let mut left: f64 = self.random.random();
        for rate in &self.rates {
            left -= rate.per_agent_minute * minutes;
            if left < 0.0 {
                return Some(rate.kind);
            }
        }
        None
    }
}

async fn fail(agent: &mut Agent, kind: Kind) {
    match kind {
        Kind::Kill => agent.kill(),
        Kind::Stop => agent.stop().await,
        Kind::Restart => agent.start(),
        Kind::Freeze => agent.freeze(),
        Kind::Cut => agent.cut(),
        Kind::Takeover => agent.take_over(),
        Kind::Slow => agent.slow(SLOW),
    }
}

fn recover(agent: &mut Agent, kind: Kind) {
    match kind {
        Kind::Kill | Kind::Stop => agent.start(),
        Kind::Restart | Kind::Takeover => {}
        Kind::Freeze => agent.thaw(),
        Kind::Cut => agent.mend(),
        Kind::Slow => agent.slow(Duration::ZERO),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_written() {
        let rate: Rate = "kill=0.5".parse().unwrap();
        assert_eq!(rate.kind, Kind::Kill);
        assert!((rate.per_agent_minute - 0.5).abs() < 1e-9);
        for text in ["kill", "kil=1", "kill=often", "kill=-1", "kill=inf"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_faults_about_as_often_as_told() {
        let picks = |seed| {
            let rates = vec!["kill=3".parse().unwrap(), "freeze=3".parse().unwrap()];
            let mut faults = Faults::new(rates, seed, Duration::from_secs(1), 1);
            (0..1000)
                .map(|_| faults.pick(Duration::from_secs(1)))
                .collect::<Vec<_>>()
        };
        assert_eq!(picks(1), picks(1));
        assert_ne!(picks(1), picks(2));
        let number = picks(1).iter().flatten().count();
        assert!((60..140).contains(&number), "{number} instead of 100");
    }
}
