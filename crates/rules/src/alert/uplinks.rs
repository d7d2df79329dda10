//! What hangs behind what: a device that cannot be reached without another one.

use netmonitor_protocol::payload::PresenceState;
use netmonitor_protocol::{DeviceId, Subject};

use super::engine::Engine;
use super::member::Member;
use super::now::Now;

/// Devices behind one that is back have at least so long to come back as well, in milliseconds.
const BEHIND_GRACE_MS: i64 = 30_000;

/// Uplinks that hang behind each other: more are a circle.
const MAX_UPLINKS: usize = 8;

impl Engine {
    /// The uplink of a device, that one's uplink, and so on. One that is not known is the last.
    fn uplinks<'a>(
        &'a self,
        member: &'a Member,
    ) -> impl Iterator<Item = (&'a DeviceId, Option<&'a Member>)> {
        let above = |member: &'a Member| {
            let uplink = member.config.uplink.as_ref()?;
            let subject = Subject::Device(uplink.clone());
            Some((uplink, self.members.get(&subject)))
        };
        std::iter::successors(above(member), move |(_, member)| above((*member)?)).take(MAX_UPLINKS)
    }

    /// The device behind which this one hangs, if that is gone, or has only just come back.
    ///
    /// One that is away on purpose explains nothing by itself, and one that is there ends the search.
    pub(super) fn behind(&self, subject: &Subject, member: &Member, now: Now) -> Option<DeviceId> {
        if self.is_in_circle(subject, member) {
            return None;
        }
        for (uplink, above) in self.uplinks(member) {
            let above = above?;
            let grace = self.offline_for_ms(uplink).max(BEHIND_GRACE_MS);
            let is_just_back = above.back.is_some_and(|back| now.since(back) < grace);
            let is_gone = above.presence_is(PresenceState::Offline);
            if is_gone && above.is_missed() || is_just_back {
                return Some(uplink.clone());
            }
            if !is_gone {
                return None;
            }
        }
        None
    }

    /// Whether the device hangs behind itself, by way of others.
    fn is_in_circle(&self, subject: &Subject, member: &Member) -> bool {
        let itself = |(uplink, _)| subject.device() == Some(uplink);
        let known = self.uplinks(member).filter(|(_, above)| above.is_some());
        self.uplinks(member).any(itself) || known.count() == MAX_UPLINKS
    }

    /// Devices that are gone and hang behind this one.
    pub(super) fn hanging_on(&self, id: &DeviceId) -> Vec<DeviceId> {
        let hangs = |member: &Member| self.uplinks(member).any(|(uplink, _)| uplink == id);
        self.members
            .iter()
            .filter(|(_, it)| it.presence_is(PresenceState::Offline) && hangs(it))
            .filter_map(|(subject, _)| subject.device().cloned())
            .filter(|it| it != id)
            .collect()
    }
}
