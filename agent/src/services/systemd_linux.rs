//! systemd over D-Bus.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::StreamExt as _;
use jiff::{Timestamp, Unit as Precision};
use netmonitor_protocol::payload::{UnitState, WatchableService};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use zbus::message::Type;
use zbus::names::MemberName;
use zbus::{Connection, MatchRule, Message, MessageStream, ObjectPath, Variant};

use crate::system_bus_linux as system_bus;

/// systemd's name on the bus.
const SYSTEMD: &str = "org.freedesktop.systemd1";

/// The interface of its manager object.
const MANAGER: &str = "org.freedesktop.systemd1.Manager";

/// Where the objects of units are.
const UNITS: &str = "/org/freedesktop/systemd1/unit";

/// How D-Bus says that a method does not exist.
const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";

/// The suffix of the units that are services.
const SUFFIX: &str = ".service";

/// What all units have.
const UNIT: &str = "org.freedesktop.systemd1.Unit";

/// What services have beside that.
const SERVICE: &str = "org.freedesktop.systemd1.Service";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(super) enum SystemdError {
    /// No connection with the bus.
    #[error("cannot connect to the system bus")]
    Connect(#[source] zbus::Error),
    /// The bus does not know who is on it.
    #[error("the system bus does not say whether systemd is there")]
    Bus(#[source] zbus::Error),
    /// systemd does not tell about changes.
    #[error("systemd does not tell about changes")]
    Subscribe(#[source] zbus::Error),
    /// systemd does not list its units.
    #[error("systemd does not list its units")]
    List(#[source] zbus::Error),
}

/// A connection with the system bus on which systemd was found.
pub(super) struct Systemd {
    connection: Connection,
    /// A service has changed, or the connection has ended. It holds one wake-up at most: however
    /// many signals came, the list is read once.
    changed: Arc<Notify>,
    /// Services of which a signal has come since the list was read. No more than there are.
    signalled: Arc<Mutex<BTreeSet<String>>>,
    /// What else is known of each service that was ever active.
    details: BTreeMap<String, Details>,
    /// Takes the signals off the connection all the time: signals that nobody takes would hold
    /// up the answers behind them.
    _listener: JoinSet<()>,
}

/// A unit as systemd lists it (org.freedesktop.systemd1(5), `ListUnits`): name, description,
/// load state, active state, and what is not needed here: sub state, unit that it follows,
/// path, job, its type, its path.
type Listed<'a> = (
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    &'a str,
    ObjectPath<'a>,
    u32,
    &'a str,
    ObjectPath<'a>,
);

/// What the list does not tell.
#[derive(Debug, Clone, Copy)]
struct Details {
    /// In which state the service was when it was asked for.
    state: UnitState,
    since: Option<Timestamp>,
    restarts: u32,
}

/// What is needed of a unit.
#[derive(Debug, Clone, Copy)]
struct Unit<'a> {
    name: &'a str,
    description: &'a str,
    load_state: &'a str,
    active_state: &'a str,
}

impl Systemd {
    /// Connects to the system bus. None if systemd is not on it.
    pub(super) async fn connect() -> Result<Option<Self>, SystemdError> {
        let connection = system_bus::connect().await.map_err(SystemdError::Connect)?;
        let is_there = system_bus::has(&connection, SYSTEMD).await;
        if !is_there.map_err(SystemdError::Bus)? {
            return Ok(None);
        }
        let systemd = Self::subscribe(connection)
            .await
            .map_err(SystemdError::Subscribe)?;
        Ok(Some(systemd))
    }

    async fn subscribe(connection: Connection) -> zbus::Result<Self> {
        let of_units = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(SYSTEMD)
            .interface("org.freedesktop.DBus.Properties")
            .member("PropertiesChanged")
            .path_namespace(UNITS)
            .add_arg(UNIT)
            .build()?;
        let of_manager = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(SYSTEMD)
            .interface(MANAGER)
            .build()?;
        let of_units = MessageStream::for_match_rule(of_units, &connection, None).await?;
        let of_manager = MessageStream::for_match_rule(of_manager, &connection, None).await?;
        let changed = Arc::new(Notify::new());
        let signalled = Arc::default();
        let mut listener = JoinSet::new();
        let listening = Listener {
            changed: changed.clone(),
            signalled: Arc::clone(&signalled),
        };
        listener.spawn(listening.listen(of_units, of_manager));
        let systemd = Self {
            connection,
            changed,
            signalled,
            details: BTreeMap::new(),
            _listener: listener,
        };
        // Without this systemd sends no signals at all.
        systemd.call("Subscribe", &()).await?;
        Ok(systemd)
    }

    /// Returns when a service may have changed since the last call. Cancel safe.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The services that are loaded, with their state.
    pub(super) async fn services(&mut self) -> Result<Vec<WatchableService>, SystemdError> {
        let signalled = std::mem::take(&mut *lock(&self.signalled));
        let any_state: &[&str] = &[];
        let names: &[&str] = &["*.service"];
        let reply = match self.call("ListUnitsByPatterns", &(any_state, names)).await {
            // systemd before version 230.
            Err(zbus::Error::MethodError(error, ..)) if error.as_str() == UNKNOWN_METHOD => {
                self.call("ListUnits", &()).await
            }
            reply => reply,
        };
        let body = reply.map_err(SystemdError::List)?.body();
        let units: Vec<Listed<'_>> = body.deserialize().map_err(SystemdError::List)?;
        let mut services = watchable(units.iter().map(|unit| Unit {
            name: unit.0,
            description: unit.1,
            load_state: unit.2,
            active_state: unit.3,
        }));
        let is_listed = |name: &String| services.iter().any(|it| it.name == *name);
        self.details.retain(|name, _| is_listed(name));
        for service in &mut services {
            let known = self.details.get(&service.name);
            // One that never ran has nothing to tell.
            let is_due = match known {
                Some(known) => known.state != service.state || signalled.contains(&service.name),
                None => service.state != UnitState::Stopped,
            };
            if is_due {
                let details = self.details(&service.name, service.state).await;
                self.details.insert(service.name.clone(), details);
            }
            if let Some(details) = self.details.get(&service.name) {
                service.since = details.since;
                service.restarts = details.restarts;
            }
        }
        Ok(services)
    }

    /// Asks for what the list does not tell. A unit that is gone meanwhile tells nothing.
    async fn details(&self, name: &str, state: UnitState) -> Details {
        let path = path(name);
        let since: u64 = self.get(&path, UNIT, "StateChangeTimestamp").await;
        let restarts: u64 = self.get(&path, SERVICE, "NRestarts").await;
        let since = i64::try_from(since).ok().filter(|since| *since > 0);
        let since = since.and_then(|since| Timestamp::from_microsecond(since).ok());
        Details {
            state,
            since: since.and_then(|since| since.round(Precision::Millisecond).ok()),
            restarts: u32::try_from(restarts).unwrap_or(u32::MAX),
        }
    }

    /// A number, 0 where there is none: older versions of systemd do not count restarts.
    async fn get(&self, path: &str, interface: &str, property: &str) -> u64 {
        let reply = self
            .connection
            .call_method(
                Some(SYSTEMD),
                path,
                Some("org.freedesktop.DBus.Properties"),
                "Get",
                &(interface, property),
            )
            .await;
        let Ok(reply) = reply else {
            return 0;
        };
        let body = reply.body();
        match body.deserialize::<Variant<'_>>() {
            Ok(Variant::U64(number)) => number,
            Ok(Variant::U32(number)) => number.into(),
            _ => 0,
        }
    }

    async fn call<B>(&self, method: &str, body: &B) -> zbus::Result<zbus::Message>
    where
        B: serde::Serialize + zbus::DynamicType + Sync,
    {
        self.connection
            .call_method(
                Some(SYSTEMD),
                "/org/freedesktop/systemd1",
                Some(MANAGER),
                method,
                body,
            )
            .await
    }
}

/// Takes signals.
struct Listener {
    changed: Arc<Notify>,
    signalled: Arc<Mutex<BTreeSet<String>>>,
}

impl Listener {
    /// Wakes whoever waits at each signal about a service, and at the end of the connection.
    async fn listen(self, mut of_units: MessageStream, mut of_manager: MessageStream) {
        loop {
            let message = tokio::select! {
                message = of_units.next() => message,
                message = of_manager.next() => message,
            };
            let Some(Ok(message)) = message else {
                self.changed.notify_one();
                return;
            };
            if let Some(service) = service(&message) {
                lock(&self.signalled).insert(service);
                self.changed.notify_one();
            }
        }
    }
}

/// The service that a signal is about, without suffix; none if it is about something else.
fn service(message: &Message) -> Option<String> {
    let header = message.header();
    match header.member().map(MemberName::as_str)? {
        "PropertiesChanged" => name(header.path()?.as_str()),
        "UnitNew" | "UnitRemoved" => {
            let body = message.body();
            let (unit, _) = body.deserialize::<(&str, ObjectPath<'_>)>().ok()?;
            unit.strip_suffix(SUFFIX).map(str::to_owned)
        }
        _ => None,
    }
}

/// The path of a service's object: every byte of its name that is no letter or digit is written as
/// `_` and its code, as is a digit at the beginning (`sd_bus_path_encode(3)`).
fn path(service: &str) -> String {
    use std::fmt::Write as _;
    let mut path = format!("{UNITS}/");
    for (at, byte) in service.bytes().chain(SUFFIX.bytes()).enumerate() {
        if byte.is_ascii_alphabetic() || (at > 0 && byte.is_ascii_digit()) {
            path.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _infallible = write!(path, "_{byte:02x}");
        }
    }
    path
}

/// The service whose object has this path.
fn name(path: &str) -> Option<String> {
    let label = path.strip_prefix(UNITS)?.strip_prefix('/')?;
    let mut bytes = Vec::with_capacity(label.len());
    let mut rest = label.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first == b'_' {
            let code = std::str::from_utf8(behind.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(code, 16).ok()?);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    let unit = String::from_utf8(bytes).ok()?;
    unit.strip_suffix(SUFFIX).map(str::to_owned)
}

fn lock(signalled: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    signalled.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Services that are loaded (not only mentioned by other units), each once, in the order of
/// their names.
fn watchable<'a>(units: impl Iterator<Item = Unit<'a>>) -> Vec<WatchableService> {
    let services: BTreeMap<&str, WatchableService> = units
        .filter(|unit| unit.load_state == "loaded")
        .filter_map(|unit| {
            let name = unit.name.strip_suffix(SUFFIX)?;
            let says_more = !unit.description.is_empty()
                && unit.description != name
                && unit.description != unit.name;
            let service = WatchableService {
                description: says_more.then(|| unit.description.to_owned()),
                ..WatchableService::new(name, state(unit.active_state))
            };
            Some((name, service))
        })
        .collect();
    services.into_values().collect()
}

fn state(active_state: &str) -> UnitState {
    match active_state {
        "active" | "reloading" | "refreshing" => UnitState::Running,
        "activating" => UnitState::Starting,
        "deactivating" => UnitState::Stopping,
        "inactive" => UnitState::Stopped,
        "failed" => UnitState::Failed,
        _ => UnitState::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit<'a>(name: &'a str, load_state: &'a str, active_state: &'a str) -> Unit<'a> {
        Unit {
            name,
            description: "",
            load_state,
            active_state,
        }
    }

    #[test]
    fn loaded_services_are_listed_once_in_the_order_of_their_names() {
        let units = [
            unit("ssh.service", "loaded", "active"),
            unit("cron.service", "loaded", "failed"),
            unit("display-manager.service", "not-found", "inactive"),
            unit("masked.service", "masked", "inactive"),
            unit("ssh.socket", "loaded", "active"),
            unit("getty@tty1.service", "loaded", "inactive"),
            unit("ssh.service", "loaded", "active"),
        ];
        let listed: Vec<_> = watchable(units.into_iter())
            .into_iter()
            .map(|service| (service.name, service.state))
            .collect();
        assert_eq!(
            listed,
            [
                ("cron".to_owned(), UnitState::Failed),
                ("getty@tty1".to_owned(), UnitState::Stopped),
                ("ssh".to_owned(), UnitState::Running),
            ]
        );
    }

    #[test]
    fn a_description_is_kept_where_it_says_more_than_the_name() {
        let check = |description, expected: Option<&str>| {
            let unit = Unit {
                description,
                ..unit("ssh.service", "loaded", "active")
            };
            let services = watchable(std::iter::once(unit));
            assert_eq!(services[0].description.as_deref(), expected);
        };
        check(
            "OpenBSD Secure Shell server",
            Some("OpenBSD Secure Shell server"),
        );
        check("ssh.service", None);
        check("ssh", None);
        check("", None);
    }

    #[test]
    fn a_service_is_known_by_the_path_of_its_object() {
        let check = |service: &str, label: &str| {
            assert_eq!(path(service), format!("{UNITS}/{label}"));
            assert_eq!(name(&path(service)).as_deref(), Some(service));
        };
        check("ssh", "ssh_2eservice");
        check("getty@tty1", "getty_40tty1_2eservice");
        check("9p-x_y", "_39p_2dx_5fy_2eservice");
        for other in ["ssh_2esocket", "ssh_2", "ssh_zz", ""] {
            assert_eq!(name(&format!("{UNITS}/{other}")), None, "{other}");
        }
    }

    #[test]
    fn states_are_those_of_systemd_and_a_new_one_is_unknown() {
        let check = |word, expected| assert_eq!(state(word), expected, "{word}");
        check("active", UnitState::Running);
        check("reloading", UnitState::Running);
        check("activating", UnitState::Starting);
        check("deactivating", UnitState::Stopping);
        check("inactive", UnitState::Stopped);
        check("failed", UnitState::Failed);
        check("dreaming", UnitState::Unknown);
    }
}
