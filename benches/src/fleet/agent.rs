//! One simulated agent: what it says is what the real one says, and it can be made to fail.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use netmonitor_agent::Identity;
use netmonitor_agent::backfill::Patience;
use netmonitor_agent::delivery::{Delivery, Keep};
use netmonitor_agent::run::mqtt_options;
use netmonitor_agent::spool::{Limits, Owner, Place, Spool};
use netmonitor_protocol::payload::{PresenceState, Session, Status};
use netmonitor_protocol::{DeviceId, SessionId};
use netmonitor_service::mqtt::Options;
use netmonitor_service::{clock, random};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Config;
use super::freeze::Freezer;
use super::ledger::{How, Ledger};
use super::life::{Known, live};
use super::machine::Machine;
use super::relay::Relay;

/// A machine with an agent that may run.
pub struct Agent {
    identity: Identity,
    config: Config,
    ledger: Arc<Ledger>,
    machine: Arc<Mutex<Machine>>,
    relay: Option<Relay>,
    is_cut: bool,
    /// Where its spool lies.
    folder: PathBuf,
    quiet: CancellationToken,
    life: Option<Life>,
    /// What is left of the start before, which may still hold the spool.
    former: JoinSet<()>,
}

/// One start of the agent.
struct Life {
    session: SessionId,
    stop: CancellationToken,
    freezer: Freezer,
    connected: Arc<AtomicBool>,
    task: JoinSet<()>,
}

/// What a start of the agent begins with.
struct Birth {
    session: Session,
    device: DeviceId,
    interval: Duration,
    machine: Arc<Mutex<Machine>>,
    ledger: Arc<Ledger>,
    quiet: CancellationToken,
    connected: Arc<AtomicBool>,
    identity: Identity,
    keep_alive: Duration,
    folder: PathBuf,
}

impl Birth {
    /// Opens the spool, with what former starts have left there.
    fn known(self) -> (Known, Options) {
        let place = Place {
            tail: self.folder.join("tail"),
            former_tails: Vec::new(),
            disk: self.folder.join("disk"),
        };
        let owner = Owner {
            name: self.device.to_string(),
            session: self.session.session,
            boot: self.session.boot_id.clone(),
        };
        let spool = Spool::open(place, owner, Limits::default());
        let session = self.session.session;
        let known = Known {
            delivery: Arc::new(Delivery::new(
                self.device.clone(),
                session,
                spool,
                Patience::default(),
                Keep::Always,
            )),
            session: self.session,
            device: self.device,
            interval: self.interval,
            machine: self.machine,
            latest: Arc::default(),
            quiet: self.quiet,
            ledger: self.ledger,
            claims: Arc::default(),
            connected: self.connected,
        };
        let birth = known.clone();
        let birth = Arc::new(move || birth.birth());
        let options = Options {
            keep_alive: self.keep_alive,
            ..mqtt_options(&self.identity.device, self.identity.dial(), session, birth)
        };
        (known, options)
    }
}

/// What an agent would say of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belief {
    /// It does not run: stopped, killed, or not started yet.
    Gone,
    /// It runs, and has no connection.
    Connecting,
    /// Connected and born, in this session.
    Connected(SessionId),
    /// It stands still, or nothing gets through to it.
    Silent,
}

impl Agent {
    pub(super) async fn new(
        mut identity: Identity,
        seed: u64,
        config: Config,
        ledger: Arc<Ledger>,
        folder: PathBuf,
        quiet: CancellationToken,
    ) -> anyhow::Result<Self> {
        let mut relay = None;
        if config.relays {
            let hub = identity.addresses.first().cloned().unwrap_or_default();
            let started = Relay::start(hub).await?;
            identity.addresses = vec![started.address()];
            relay = Some(started);
        }
        Ok(Self {
            identity,
            config,
            ledger,
            machine: Arc::new(Mutex::new(Machine::new(seed, config.metrics))),
            relay,
            is_cut: false,
            folder,
            quiet,
            life: None,
            former: JoinSet::new(),
        })
    }

    /// Its device id.
    pub fn device(&self) -> &DeviceId {
        &self.identity.device
    }

    /// The session of its latest start; none while it does not run.
    pub fn session(&self) -> Option<SessionId> {
        self.life.as_ref().map(|life| life.session)
    }

    /// What it would say of itself.
    pub fn belief(&self) -> Belief {
        match &self.life {
            None => Belief::Gone,
            Some(life) if self.is_cut || life.freezer.is_frozen() => Belief::Silent,
            Some(life) if life.connected.load(Ordering::Relaxed) => Belief::Connected(life.session),
            Some(_) => Belief::Connecting,
        }
    }

    /// Whether the broker's last word on it is what it should be: `online` with its session
    /// while it is connected, `offline` while it is gone or silent.
    pub fn is_settled(&self) -> bool {
        let last = self.ledger.last_status(self.device());
        match (self.belief(), last) {
            (Belief::Connected(own), Some((Status::Online, said))) => {
                said.is_none_or(|said| said == own)
            }
            (Belief::Gone | Belief::Silent, Some((status, _))) => status == Status::Offline,
            (Belief::Gone, None) => true,
            _ => false,
        }
    }

    /// What the hub concludes about it; none if nothing was heard.
    pub fn presence(&self) -> Option<PresenceState> {
        let last = self.ledger.last_presence(self.device())?;
        Some(last.state)
    }

    /// Whether that is what it should be, as in [`Agent::is_settled`].
    pub fn is_concluded(&self) -> bool {
        match self.belief() {
            Belief::Connected(_) => self.presence() == Some(PresenceState::Online),
            Belief::Gone | Belief::Silent => self.presence() == Some(PresenceState::Offline),
            Belief::Connecting => false,
        }
    }

    /// Starts it, with a new session. If it runs it is killed first.
    pub fn start(&mut self) {
        self.end_as(How::Replaced);
        let session = Session {
            session: SessionId(random::bits64()),
            boot_id: Some(self.machine().boot_id().to_owned()),
            since: clock::now(),
            agent_version: netmonitor_agent::VERSION.to_owned(),
            ended: None,
        };
        let life = Life {
            session: session.session,
            stop: CancellationToken::new(),
            freezer: Freezer::default(),
            connected: Arc::default(),
            task: JoinSet::new(),
        };
        let birth = Birth {
            session,
            device: self.identity.device.clone(),
            interval: self.config.interval,
            machine: self.machine.clone(),
            ledger: self.ledger.clone(),
            quiet: self.quiet.clone(),
            connected: life.connected.clone(),
            identity: self.identity.clone(),
            keep_alive: self.config.keep_alive,
            folder: self.folder.clone(),
        };
        let (stop, mut former) = (life.stop.clone(), std::mem::take(&mut self.former));
        let living = async move {
            // A process that is gone holds nothing any more.
            former.shutdown().await;
            let (known, options) = birth.known();
            live(known, options, stop).await;
        };
        let life = self.life.insert(life);
        life.task.spawn(life.freezer.clone().run(living));
    }

    /// Stops it as `systemctl stop` does: it says goodbye, if it can.
    pub async fn stop(&mut self) {
        let Some(mut life) = self.life.take() else {
            return;
        };
        self.ledger.death(self.device(), life.session, How::Stop);
        life.freezer.thaw();
        life.stop.cancel();
        while life.task.join_next().await.is_some() {}
    }

    /// Kills it: its socket is closed without a word.
    pub fn kill(&mut self) {
        self.end_as(How::Kill);
    }

    fn end_as(&mut self, how: How) {
        if let Some(mut life) = self.life.take() {
            self.ledger.death(self.device(), life.session, how);
            life.task.abort_all();
            self.former = life.task;
        }
    }

    /// It stands still, with its socket open, as after SIGSTOP.
    pub fn freeze(&mut self) {
        if let Some(life) = &self.life {
            self.ledger.death(self.device(), life.session, How::Freeze);
            life.freezer.freeze();
        }
    }

    /// It goes on after [`Agent::freeze`].
    pub fn thaw(&mut self) {
        if let Some(life) = &self.life {
            self.ledger.came_back(self.device(), self.patience());
            life.freezer.thaw();
        }
    }

    /// Nothing gets through any more, in either direction, until [`Agent::mend`].
    pub fn cut(&mut self) {
        if let Some(relay) = &self.relay {
            relay.cut();
            self.is_cut = true;
            if let Some(life) = &self.life {
                self.ledger.death(self.device(), life.session, How::Cut);
            }
        }
    }

    /// Its cable is whole again.
    pub fn mend(&mut self) {
        if let Some(relay) = &self.relay {
            self.ledger.came_back(self.device(), self.patience());
            relay.mend();
            self.is_cut = false;
        }
    }

    /// Everything to and from it takes so much longer, each way.
    pub fn slow(&self, delay: Duration) {
        if let Some(relay) = &self.relay {
            relay.slow(delay);
        }
    }

    /// It loses its connection without the hub knowing, and comes back with the same id: the
    /// hub finds the old socket still open.
    pub fn take_over(&self) {
        if let (Some(relay), Some(session)) = (&self.relay, self.session()) {
            self.ledger.death(self.device(), session, How::TakenOver);
            relay.abandon();
        }
    }

    /// For so long a broker may wait for a sign of life (MQTT 5.0, section 3.1.2.10), and a
    /// second to notice.
    fn patience(&self) -> Duration {
        self.config.keep_alive * 3 / 2 + Duration::from_secs(1)
    }

    fn machine(&self) -> std::sync::MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
