//! Sleep and shutdown as the system announces them: a real bus (dbus-daemon) with a logind on it
//! that does what the test says, since the machine under test is not to sleep. Needs mosquitto
//! as well.

use std::io::{PipeReader, Read as _, pipe};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use netmonitor_protocol::payload::{EndCause, Session, Status};
use netmonitor_protocol::{Message, SessionId};
use nix::sys::signal::Signal;
use zbus::{Connection, OwnedFd, connection, fdo, interface};

use crate::program::{Running, until};
use crate::with_mosquitto::{Joined, join};

/// A bus on which everyone may do everything.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path=SOCKET</listen>
  <policy context="default">
    <allow user="*"/><allow own="*"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
"#;

struct Bus {
    folder: tempfile::TempDir,
    _daemon: Running,
}

impl Bus {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("bus");
        let config = folder.path().join("bus.conf");
        std::fs::write(&config, BUS.replace("SOCKET", socket.to_str().unwrap())).unwrap();
        let mut command = Command::new("dbus-daemon");
        command
            .arg("--nofork")
            .arg("--config-file")
            .arg(&config)
            .stdout(Stdio::null());
        let bus = Self {
            _daemon: Running::start(&mut command),
            folder,
        };
        until("the bus starts", || UnixStream::connect(&socket).is_ok()).await;
        bus
    }

    fn address(&self) -> String {
        let socket: &Path = &self.folder.path().join("bus");
        format!("unix:path={}", socket.display())
    }

    /// Puts an object on the bus under a name.
    async fn serve(
        &self,
        name: &'static str,
        path: &'static str,
        object: impl zbus::object_server::Interface,
    ) -> Connection {
        connection::Builder::address(self.address().as_str())
            .name(name)
            .serve_at(path, object)
            .build()
            .await
            .unwrap()
    }
}

/// The other ends of the locks that were handed out.
#[derive(Clone, Default)]
struct Locks(Arc<Mutex<Vec<PipeReader>>>);

impl Locks {
    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Waits until the newest lock is closed.
    async fn released(&self) {
        let mut lock = self.0.lock().unwrap().pop().unwrap();
        let read = tokio::task::spawn_blocking(move || lock.read(&mut [0; 1]));
        assert_eq!(read.await.unwrap().unwrap(), 0);
    }
}

struct FakeLogind(Locks);

#[interface(name = "org.freedesktop.login1.Manager")]
impl FakeLogind {
    fn inhibit(&self, what: &str, who: &str, why: &str, mode: &str) -> fdo::Result<OwnedFd> {
        assert_eq!((what, who, mode), ("sleep:shutdown", "NetMonitor", "delay"));
        assert!(why.contains("hub"), "people see it: {why}");
        let (read, write) = pipe().map_err(|error| fdo::Error::Failed(error.to_string()))?;
        self.0.0.lock().unwrap().push(read);
        let write: std::os::fd::OwnedFd = write.into();
        Ok(write.into())
    }
}

struct FakeSystemd {
    state: &'static str,
}

#[interface(name = "org.freedesktop.systemd1.Manager")]
impl FakeSystemd {
    #[zbus(property)]
    fn system_state(&self) -> &str {
        self.state
    }
}

struct Logind {
    connection: Connection,
    locks: Locks,
}

impl Logind {
    async fn start(bus: &Bus) -> Self {
        let locks = Locks::default();
        let path = "/org/freedesktop/login1";
        let object = FakeLogind(locks.clone());
        let connection = bus.serve("org.freedesktop.login1", path, object).await;
        Self { connection, locks }
    }

    async fn announces(&self, what: &str, begins: bool) {
        let interface = "org.freedesktop.login1.Manager";
        self.connection
            .emit_signal(
                None::<&str>,
                "/org/freedesktop/login1",
                interface,
                what,
                &begins,
            )
            .await
            .unwrap();
    }

    async fn has_a_lock(&self) {
        until("the agent wants to be asked before sleep", || {
            self.locks.count() == 1
        })
        .await;
    }
}

impl Joined {
    fn run_on(&self, bus: &Bus) -> Running {
        let mut command = self.command(&["run", "--interval", "1s"]);
        Running::start(command.env("DBUS_SYSTEM_BUS_ADDRESS", bus.address()))
    }

    /// The next two messages are the goodbye, before anything else.
    async fn goodbye(&mut self, of: SessionId) -> EndCause {
        let session = self
            .hub
            .next_of(|message| match message {
                Message::DeviceSession(_, session) => Some(session),
                _ => None,
            })
            .await;
        assert_eq!(session.session, of);
        let offline = self.hub.next().await;
        assert!(
            matches!(offline, Message::DeviceStatus(_, Status::Offline, Some(id)) if id == of),
            "{offline:?}"
        );
        session.ended.unwrap().cause
    }
}

#[tokio::test]
async fn a_machine_that_sleeps_says_so_first_and_is_born_again_when_it_wakes() {
    let bus = Bus::start().await;
    let logind = Logind::start(&bus).await;
    let mut joined = join().await;
    let mut running = joined.run_on(&bus);
    let born: Session = joined.birth().await;
    joined.hub.next_sample().await;
    for _ in 0..2 {
        logind.has_a_lock().await;
        logind.announces("PrepareForSleep", true).await;
        assert_eq!(joined.goodbye(born.session).await, EndCause::Suspend);
        logind.locks.released().await;
        assert!(
            !joined.is_connected(),
            "the connection is closed before that"
        );
        assert!(!joined.blocks().is_empty(), "a battery may run out");
        // While it sleeps nothing is said: the birth is what comes next.
        logind.announces("PrepareForSleep", false).await;
        assert_eq!(joined.birth().await, born);
        joined.hub.next_sample().await;
    }
    joined.hub.forget();
    joined.hub.next_sample().await;
    assert!(!joined.hub.saw(Status::Online), "it was said once");

    // A shutdown is announced before anybody is told to stop, and may be called off.
    logind.has_a_lock().await;
    logind.announces("PrepareForShutdown", true).await;
    assert_eq!(joined.goodbye(born.session).await, EndCause::Shutdown);
    logind.locks.released().await;
    logind.announces("PrepareForShutdown", false).await;
    assert_eq!(joined.birth().await, born);
    joined.hub.next_sample().await;
    logind.has_a_lock().await;
    logind.announces("PrepareForShutdown", true).await;
    assert_eq!(joined.goodbye(born.session).await, EndCause::Shutdown);
    logind.locks.released().await;
    joined.hub.forget();
    running.signal(Signal::SIGTERM);
    assert_eq!(running.ended().0, Some(0));
    joined.hub.catch_up().await;
    let is_born = |it: &Message| matches!(it, Message::DeviceSession(..));
    let seen = joined.hub.everything_seen();
    assert!(
        !seen.iter().any(is_born),
        "it comes back for its end: {seen:?}"
    );
    assert_eq!(joined.tail_bytes(), 0, "what waits is on disk");
}

#[tokio::test]
async fn sleep_does_not_wait_for_a_hub_that_is_gone() {
    let bus = Bus::start().await;
    let logind = Logind::start(&bus).await;
    let mut joined = join().await;
    let _running = joined.run_on(&bus);
    let born = joined.birth().await;
    logind.has_a_lock().await;
    joined.stop_broker();
    logind.announces("PrepareForSleep", true).await;
    logind.locks.released().await;
    joined.restart_broker().await;
    logind.announces("PrepareForSleep", false).await;
    assert_eq!(joined.birth().await, born);
}

#[tokio::test]
async fn without_logind_systemd_says_whether_the_machine_is_shut_down() {
    for (state, cause) in [
        ("stopping", EndCause::Shutdown),
        ("running", EndCause::Stop),
    ] {
        let bus = Bus::start().await;
        let path = "/org/freedesktop/systemd1";
        let systemd = FakeSystemd { state };
        let _systemd = bus.serve("org.freedesktop.systemd1", path, systemd).await;
        let mut joined = join().await;
        let running = joined.run_on(&bus);
        let born = joined.birth().await;
        running.signal(Signal::SIGTERM);
        assert_eq!(joined.goodbye(born.session).await, cause);
    }
}
