//! systemd over D-Bus.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use netmonitor_protocol::payload::{UnitState, WatchableService};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use zbus::message::Type;
use zbus::names::MemberName;
use zbus::{Connection, MatchRule, Message, MessageStream, ObjectPath};

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

/// The same in an object path, where every other character is written as `_` and its code.
const SUFFIX_IN_PATH: &str = "_2eservice";

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
            .add_arg("org.freedesktop.systemd1.Unit")
            .build()?;
        let of_manager = MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(SYSTEMD)
            .interface(MANAGER)
            .build()?;
        let of_units = MessageStream::for_match_rule(of_units, &connection, None).await?;
        let of_manager = MessageStream::for_match_rule(of_manager, &connection, None).await?;
        let changed = Arc::new(Notify::new());
        let mut listener = JoinSet::new();
        listener.spawn(listen(of_units, of_manager, changed.clone()));
        let systemd = Self {
            connection,
            changed,
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
    pub(super) async fn services(&self) -> Result<Vec<WatchableService>, SystemdError> {
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
        Ok(watchable(units.iter().map(|unit| Unit {
            name: unit.0,
            description: unit.1,
            load_state: unit.2,
            active_state: unit.3,
        })))
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

/// Wakes whoever waits at each signal about a service, and at the end of the connection.
async fn listen(mut of_units: MessageStream, mut of_manager: MessageStream, changed: Arc<Notify>) {
    loop {
        let message = tokio::select! {
            message = of_units.next() => message,
            message = of_manager.next() => message,
        };
        let Some(Ok(message)) = message else {
            changed.notify_one();
            return;
        };
        if is_about_a_service(&message) {
            changed.notify_one();
        }
    }
}

fn is_about_a_service(message: &Message) -> bool {
    let header = message.header();
    let path = header.path().map(ObjectPath::as_str).unwrap_or_default();
    match header.member().map(MemberName::as_str) {
        Some("PropertiesChanged") => path.ends_with(SUFFIX_IN_PATH),
        Some("UnitNew" | "UnitRemoved") => {
            let body = message.body();
            let unit = body.deserialize::<(&str, ObjectPath<'_>)>();
            unit.is_ok_and(|(name, _)| name.ends_with(SUFFIX))
        }
        _ => false,
    }
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
