//! systemd over D-Bus.

use std::collections::BTreeMap;
use std::time::Duration;

use netmonitor_protocol::payload::{UnitState, WatchableService};
use zbus::connection::Builder;
use zbus::{Connection, ObjectPath};

/// systemd's name on the bus.
const SYSTEMD: &str = "org.freedesktop.systemd1";

/// Longest time for an answer, so that a systemd that hangs does not stop the list for ever.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How D-Bus says that a method does not exist.
const UNKNOWN_METHOD: &str = "org.freedesktop.DBus.Error.UnknownMethod";

/// The suffix of the units that are services.
const SUFFIX: &str = ".service";

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub(super) enum SystemdError {
    /// No connection with the bus.
    #[error("cannot connect to the system bus")]
    Connect(#[source] zbus::Error),
    /// The bus does not know who is on it.
    #[error("the system bus does not say whether systemd is there")]
    Bus(#[source] zbus::Error),
    /// systemd does not list its units.
    #[error("systemd does not list its units")]
    List(#[source] zbus::Error),
}

/// A connection with the system bus on which systemd was found.
pub(super) struct Systemd(Connection);

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
    /// Connects to the system bus (`DBUS_SYSTEM_BUS_ADDRESS` if set). None if systemd is not on
    /// it; it is asked for by name, so that the bus does not try to start it.
    pub(super) async fn connect() -> Result<Option<Self>, SystemdError> {
        let connection = Builder::system()
            .method_timeout(ANSWER_WITHIN)
            .build()
            .await
            .map_err(SystemdError::Connect)?;
        let reply = connection
            .call_method(
                Some("org.freedesktop.DBus"),
                "/org/freedesktop/DBus",
                Some("org.freedesktop.DBus"),
                "NameHasOwner",
                &SYSTEMD,
            )
            .await
            .map_err(SystemdError::Bus)?;
        let is_there: bool = reply.body().deserialize().map_err(SystemdError::Bus)?;
        Ok(is_there.then_some(Self(connection)))
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
        self.0
            .call_method(
                Some(SYSTEMD),
                "/org/freedesktop/systemd1",
                Some("org.freedesktop.systemd1.Manager"),
                method,
                body,
            )
            .await
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
                name: name.to_owned(),
                state: state(unit.active_state),
                description: says_more.then(|| unit.description.to_owned()),
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
