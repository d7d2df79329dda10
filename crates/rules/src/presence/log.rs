//! What the log says of a device's presence. It waits a moment, so that an agent that comes
//! back at once is one line and not three, and a cause that comes late is in it.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use netmonitor_protocol::payload::{
    Event, EventKind, Presence, PresenceCause, PresenceState, Severity,
};
use netmonitor_protocol::{DeviceId, SessionId};

/// So long a conclusion must hold before it is a line of the log.
const HOLDS: Duration = Duration::from_secs(1);

/// What was said last, and when to look again.
#[derive(Debug, Default)]
pub(super) struct Log {
    told: Option<PresenceState>,
    session: Option<SessionId>,
    due: Option<Instant>,
}

impl Log {
    /// The log knows this already: it was said by an earlier run of the hub, or was so before
    /// there was anybody to say it.
    pub(super) fn knows(&mut self, state: PresenceState) {
        self.told.get_or_insert(state);
    }

    /// The conclusion has changed.
    pub(super) fn changed(&mut self, now: Instant) {
        self.due = now.checked_add(HOLDS);
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// The line to write, once it is time for one.
    pub(super) fn line(
        &mut self,
        now: Instant,
        device: &DeviceId,
        presence: &Presence,
        session: Option<SessionId>,
    ) -> Option<Event> {
        self.due.filter(|due| *due <= now)?;
        self.due = None;
        let (kind, severity) = match (presence.state, presence.cause) {
            // That the hub was blind is no news of the device.
            (PresenceState::Unknown, _) => return None,
            (PresenceState::Online, _) => (EventKind::DeviceOnline, Severity::Info),
            (PresenceState::Stale, _) => (EventKind::DeviceStale, Severity::Warning),
            (PresenceState::Offline, Some(PresenceCause::Lost)) => {
                (EventKind::DeviceOffline, Severity::Warning)
            }
            (PresenceState::Offline, _) => (EventKind::DeviceOffline, Severity::Info),
        };
        let is_another_start = presence.state == PresenceState::Online
            && self.session.is_some()
            && session.is_some()
            && self.session != session;
        if session.is_some() {
            self.session = session;
        }
        let was_told = self.told.replace(presence.state) == Some(presence.state);
        if was_told && !is_another_start {
            return None;
        }
        let mut line = about(device, presence.since, kind, severity);
        if let Some(cause) = presence.cause {
            let parameters = &mut line.parameters;
            parameters.insert("cause".to_owned(), cause.as_str().to_owned());
        }
        Some(line)
    }

    /// The session to which the log's last line belongs, where no line is due.
    pub(super) fn belongs_to(&mut self, session: SessionId) {
        self.session.get_or_insert(session);
    }
}

/// What tells one of two machines from the other.
#[derive(Debug)]
pub(super) struct Machine {
    /// Empty if unknown.
    pub(super) addresses: String,
    /// Empty if unknown.
    pub(super) boot_id: String,
}

/// A line about two machines that use one identity.
pub(super) fn cloned(device: &DeviceId, time: Timestamp, machines: &[Machine]) -> Event {
    let join = |part: fn(&Machine) -> &str| {
        let known: Vec<&str> = machines
            .iter()
            .map(part)
            .filter(|text| !text.is_empty())
            .collect();
        known.join(" / ")
    };
    let mut line = about(device, time, EventKind::DeviceCloned, Severity::Warning);
    for (key, value) in [
        ("addresses", join(|machine| &machine.addresses)),
        ("boot_ids", join(|machine| &machine.boot_id)),
    ] {
        if !value.is_empty() {
            line.parameters.insert(key.to_owned(), value);
        }
    }
    line
}

fn about(device: &DeviceId, time: Timestamp, kind: EventKind, severity: Severity) -> Event {
    Event {
        device: Some(device.clone()),
        ..Event::new(time, kind, severity, [])
    }
}
