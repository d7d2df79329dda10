//! What the parts of the api share.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{ChannelTested, Event};
use netmonitor_service::mqtt::Publisher;
use netmonitor_service::{Counters, DataDir, clock};
use netmonitor_store::{HistoryReader, HubDb, StoreError};
use tokio::sync::{Semaphore, broadcast};
use tokio_util::sync::CancellationToken;

use crate::Config;
use crate::admin::{Admin, Command, Outcome, Refusal};
use crate::fleet::Fleet;
use crate::intake::Intake;
use crate::limiter::Limiter;
use crate::problem::Problem;
use crate::types::Live;

/// Events of the live stream that a slow browser may be behind. The stream of one that is further
/// behind ends: it comes back, and reads everything anew.
const STREAM_QUEUE: usize = 1024;

/// Logouts that a stream may be behind; one that is further behind ends as well.
const LOGOUT_QUEUE: usize = 16;

/// Ends of tests of channels that one who waits for one may be behind.
const TESTS_QUEUE: usize = 64;

/// How long the broker may take to acknowledge. Whoever asked the api for something waits for it.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(2);

/// Shared by all requests.
pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) hub: Arc<HubDb>,
    pub(crate) history: Arc<HistoryReader>,
    pub(crate) admin: Arc<Admin>,
    pub(crate) limiter: Limiter,
    /// Passwords are checked one at a time: each costs memory and a core.
    pub(crate) password_turn: Semaphore,
    /// Settings are published one after another.
    pub(crate) settings_turn: tokio::sync::Mutex<()>,
    /// Channels and their secrets, which lie apart, are changed one after another.
    pub(crate) channels_turn: tokio::sync::Mutex<()>,
    /// A question about what rules would have done reads much of the history: one at a time.
    pub(crate) preview_turn: Semaphore,
    pub(crate) publisher: Publisher,
    pub(crate) counters: Counters,
    pub(crate) shutdown: CancellationToken,
    pub(crate) ca_pem: String,
    pub(crate) data_dir: DataDir,
    fleet: Mutex<Fleet>,
    intake: Mutex<Intake>,
    /// Names of accounts whose streams must show their credential again.
    logouts: broadcast::Sender<String>,
    stream: broadcast::Sender<Arc<Live>>,
    /// What has come of tests of channels.
    tested: broadcast::Sender<ChannelTested>,
}

/// What an [`App`] is made of.
pub(crate) struct Parts {
    pub(crate) config: Config,
    pub(crate) history: PathBuf,
    pub(crate) hub: Arc<HubDb>,
    pub(crate) admin: Arc<Admin>,
    pub(crate) fleet: Fleet,
    pub(crate) publisher: Publisher,
    pub(crate) counters: Counters,
    pub(crate) shutdown: CancellationToken,
    pub(crate) ca_pem: String,
    pub(crate) data_dir: DataDir,
}

impl App {
    pub(crate) fn new(parts: Parts) -> Self {
        let history = HistoryReader::new(&parts.history);
        Self {
            config: parts.config,
            hub: parts.hub,
            history: Arc::new(history),
            admin: parts.admin,
            limiter: Limiter::new(),
            password_turn: Semaphore::new(1),
            settings_turn: tokio::sync::Mutex::default(),
            channels_turn: tokio::sync::Mutex::default(),
            preview_turn: Semaphore::new(1),
            publisher: parts.publisher,
            counters: parts.counters,
            shutdown: parts.shutdown,
            ca_pem: parts.ca_pem,
            data_dir: parts.data_dir,
            fleet: Mutex::new(parts.fleet),
            intake: Mutex::default(),
            logouts: broadcast::Sender::new(LOGOUT_QUEUE),
            stream: broadcast::Sender::new(STREAM_QUEUE),
            tested: broadcast::Sender::new(TESTS_QUEUE),
        }
    }

    /// The fleet as it is now. Not held over an await.
    pub(crate) fn fleet(&self) -> MutexGuard<'_, Fleet> {
        self.fleet.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The samples that may not be stored yet. Not held over an await, nor while the fleet is
    /// asked.
    pub(crate) fn intake(&self) -> MutexGuard<'_, Intake> {
        self.intake.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the fleet and tells every browser.
    pub(crate) fn change_fleet(&self, change: impl FnOnce(&mut Fleet) -> Vec<Live>) {
        let mut fleet = self.fleet();
        // Sent under the lock, so that a browser that subscribes sees each change exactly once.
        for live in change(&mut fleet) {
            let _number_of_viewers = self.stream.send(Arc::new(live)).unwrap_or_default();
        }
    }

    /// All there is, and what comes after it.
    pub(crate) fn watch(&self, now: Timestamp) -> (Vec<Live>, broadcast::Receiver<Arc<Live>>) {
        let fleet = self.fleet();
        (fleet.snapshot(now), self.stream.subscribe())
    }

    /// What comes from now on.
    pub(crate) fn changes(&self) -> broadcast::Receiver<Arc<Live>> {
        self.stream.subscribe()
    }

    /// Whether every browser comes over TLS.
    pub(crate) fn is_https_only(&self) -> bool {
        self.config.http.is_empty()
    }

    /// Ends the live streams of an account: those that may go on come back by themselves.
    pub(crate) fn end_streams(&self, account: &str) {
        let _nobody_watches = self.logouts.send(account.to_lowercase());
    }

    /// A test of a channel has come to an end.
    pub(crate) fn tested(&self, tested: ChannelTested) {
        let _nobody_waits = self.tested.send(tested);
    }

    /// Hears what comes of tests of channels.
    pub(crate) fn channel_answers(&self) -> broadcast::Receiver<ChannelTested> {
        self.tested.subscribe()
    }

    /// Hears whose streams have to end.
    pub(crate) fn logouts(&self) -> broadcast::Receiver<String> {
        self.logouts.subscribe()
    }

    /// Asks the database off the async threads.
    pub(crate) async fn with_hub<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&HubDb) -> T + Send + 'static,
    ) -> anyhow::Result<T> {
        let hub = self.hub.clone();
        Ok(tokio::task::spawn_blocking(move || ask(&hub)).await?)
    }

    /// Asks the history off the async threads.
    pub(crate) async fn with_history<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&HistoryReader) -> Result<T, StoreError> + Send + 'static,
    ) -> anyhow::Result<T> {
        let history = self.history.clone();
        Ok(tokio::task::spawn_blocking(move || ask(&history)).await??)
    }

    /// Carries out an administrative command and tells the other services of it.
    pub(crate) async fn administer(
        &self,
        command: Command,
        actor: String,
    ) -> Result<Outcome, Refusal> {
        let _turn = if command.hashes_password() {
            let turn = self.password_turn.acquire().await;
            Some(turn.map_err(|error| Refusal::Fault(error.into()))?)
        } else {
            None
        };
        let admin = self.admin.clone();
        let now = clock::now();
        let work = move || admin.execute(command, &actor, now);
        let outcome = tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| Refusal::Fault(error.into()))??;
        if let Some(account) = &outcome.logged_out {
            self.end_streams(account);
        }
        if let Some(device) = &outcome.revoked {
            self.change_fleet(|fleet| fleet.remove(device));
            // What is being published of it is before this, and cleared with the rest.
            let _turn = self.settings_turn.lock().await;
            self.send(Message::DeviceRevoke(device.clone())).await;
        }
        if outcome.credentials_changed {
            self.credentials_changed().await;
        }
        if let Some(event) = outcome.event.clone() {
            self.log(event).await;
        }
        Ok(outcome)
    }

    /// Has the broker read its credentials anew.
    pub(crate) async fn credentials_changed(&self) {
        self.send(Message::CredentialsChanged).await;
    }

    /// Adds a line to the log. The audit trail has it in any case.
    pub(crate) async fn log(&self, event: Event) {
        self.send(Message::Event(event)).await;
    }

    /// Sends, or says in the log that it could not.
    pub(crate) async fn send(&self, message: Message) {
        let _told_in_the_log = self.try_send(message).await;
    }

    /// Sends what somebody waits for.
    pub(crate) async fn send_for(&self, message: Message) -> Result<(), Problem> {
        if self.try_send(message).await {
            return Ok(());
        }
        Err(Problem::unavailable(
            "The hub's broker does not answer: try again in a moment.",
        ))
    }

    /// Whether the broker has it.
    async fn try_send(&self, message: Message) -> bool {
        let topic = message.topic();
        let publish = tokio::time::timeout(PUBLISH_TIMEOUT, self.publisher.publish(message));
        let error = match publish.await {
            Ok(Ok(())) => return true,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "the broker did not acknowledge in time".to_owned(),
        };
        tracing::warn!(%topic, error, "message not sent");
        self.counters.count("messages_not_sent");
        false
    }
}
