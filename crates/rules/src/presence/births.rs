//! Which start of an agent is the newest. `status` and `session` both tell of births, each in
//! its own order; one may run ahead of the other, and neither may lead to a wrong answer.

use std::collections::VecDeque;

use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::Info;

/// Sessions that are remembered per device and topic: more are never under way at once.
const REMEMBERED: usize = 8;

/// Addresses of a machine that are remembered, to name it if it turns out to be a clone.
const ADDRESSES: usize = 4;

/// Longest address that is remembered, in bytes: an IPv6 address with its prefix is shorter.
const ADDRESS_BYTES: usize = 64;

/// What a birth says about the session that was current until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Birth {
    /// It is the current one already.
    Current,
    /// It takes the place of the current one.
    Next,
    /// It had been replaced, and is back: two machines use one identity, since a restarted
    /// agent always has a new session.
    Back,
    /// It is older than the current one, of which the other topic has told already.
    Old,
}

/// The sessions of one device.
#[derive(Debug, Default)]
pub(super) struct Births {
    status: Line,
    session: Line,
    /// Died without ever having been born here.
    stillborn: VecDeque<SessionId>,
    machines: VecDeque<Machine>,
    /// The last inventory: it may come before the session that it belongs to.
    inventory: Option<Machine>,
}

/// The births that one topic told of, in their order.
#[derive(Debug, Default)]
struct Line {
    last: Option<SessionId>,
    before: VecDeque<SessionId>,
}

/// On which topic a birth was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Teller {
    Status,
    Session,
}

/// Where a session runs.
#[derive(Debug, Clone, Default)]
struct Machine {
    session: Option<SessionId>,
    boot_id: Option<String>,
    addresses: Vec<String>,
}

impl Births {
    /// A birth of `session` was told, while `current` is the current one.
    pub(super) fn born(
        &mut self,
        teller: Teller,
        session: SessionId,
        current: Option<SessionId>,
    ) -> Birth {
        let (line, other) = match teller {
            Teller::Status => (&mut self.status, &self.session),
            Teller::Session => (&mut self.session, &self.status),
        };
        let was_last = line.last == Some(session);
        let was_replaced = line.note(session);
        let Some(current) = current.filter(|current| *current != session) else {
            return Birth::Current;
        };
        // The current one came by the other topic alone, after this one.
        let is_behind = !line.has(current) && (was_last || other.before.contains(&session));
        if is_behind || self.stillborn.contains(&session) && teller == Teller::Session {
            Birth::Old
        } else if was_replaced {
            Birth::Back
        } else if was_last {
            Birth::Old
        } else {
            Birth::Next
        }
    }

    /// What was retained is where a topic's order goes on, unless it is known already: a broker
    /// that was killed may remember something older.
    pub(super) fn begin(&mut self, teller: Teller, session: SessionId) {
        let line = match teller {
            Teller::Status => &mut self.status,
            Teller::Session => &mut self.session,
        };
        if !line.has(session) {
            line.note(session);
        }
    }

    /// The session that `status` named last.
    pub(super) fn last_of_status(&self) -> Option<SessionId> {
        self.status.last
    }

    /// A death of a session that is not the current one.
    pub(super) fn died_elsewhere(&mut self, session: SessionId) {
        if !self.status.has(session) && !self.stillborn.contains(&session) {
            push(&mut self.stillborn, session);
        }
    }

    /// Whether anything was heard of the session.
    pub(super) fn knows(&self, session: SessionId) -> bool {
        self.status.has(session) || self.session.has(session) || self.stillborn.contains(&session)
    }

    /// The session runs on a machine that was started with this boot id.
    pub(super) fn runs_on(&mut self, session: SessionId, boot_id: Option<&str>) {
        let index = self
            .machines
            .iter()
            .position(|machine| machine.session == Some(session));
        let mut machine = index
            .and_then(|index| self.machines.remove(index))
            .unwrap_or_default();
        machine.session = Some(session);
        machine.boot_id = boot_id.map(str::to_owned);
        if let Some(inventory) = &self.inventory
            && inventory.boot_id == machine.boot_id
        {
            machine.addresses.clone_from(&inventory.addresses);
        }
        push(&mut self.machines, machine);
    }

    /// The inventory of the machine on which `current` runs, or of one that is about to be born.
    pub(super) fn inventory(&mut self, info: &Info) {
        let inventory = Machine {
            session: None,
            boot_id: info.boot_id.clone(),
            addresses: addresses(info),
        };
        for machine in &mut self.machines {
            if machine.boot_id == inventory.boot_id {
                machine.addresses.clone_from(&inventory.addresses);
            }
        }
        self.inventory = Some(inventory);
    }

    /// The boot id of the machine on which the session runs, if it is known.
    pub(super) fn boot_id(&self, session: SessionId) -> Option<&str> {
        self.machine(session)?.boot_id.as_deref()
    }

    /// The addresses of the machine on which the session runs, as far as they are known.
    pub(super) fn addresses(&self, session: SessionId) -> &[String] {
        self.machine(session)
            .map_or(&[], |machine| &machine.addresses)
    }

    fn machine(&self, session: SessionId) -> Option<&Machine> {
        self.machines
            .iter()
            .find(|machine| machine.session == Some(session))
    }
}

impl Line {
    /// Returns true if the session had been replaced by another.
    fn note(&mut self, session: SessionId) -> bool {
        if self.last == Some(session) {
            return false;
        }
        let found = self.before.iter().position(|before| *before == session);
        if let Some(index) = found {
            self.before.remove(index);
        }
        if let Some(last) = self.last.replace(session) {
            push(&mut self.before, last);
        }
        found.is_some()
    }

    fn has(&self, session: SessionId) -> bool {
        self.last == Some(session) || self.before.contains(&session)
    }
}

/// The oldest goes when there are too many.
fn push<T>(queue: &mut VecDeque<T>, item: T) {
    if queue.len() == REMEMBERED {
        queue.pop_front();
    }
    queue.push_back(item);
}

/// What tells one machine from another: not loopback, and no address that every machine has.
fn addresses(info: &Info) -> Vec<String> {
    let all = info
        .interfaces
        .iter()
        .flat_map(|interface| &interface.addresses);
    all.filter_map(|address| {
        let bare = address.split('/').next()?;
        let parsed: std::net::IpAddr = bare.parse().ok()?;
        let is_local = match parsed {
            std::net::IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
            std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.is_unicast_link_local(),
        };
        (!is_local && bare.len() <= ADDRESS_BYTES).then(|| bare.to_owned())
    })
    .take(ADDRESSES)
    .collect()
}
