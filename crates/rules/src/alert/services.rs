//! Services that somebody watches: what the engine makes of what a device says of them.

use std::collections::BTreeSet;

use netmonitor_protocol::payload::{PresenceState, Services, UnitState};
use netmonitor_protocol::{DeviceId, Rule, RuleKind, Subject};

use super::conclude::Found;
use super::engine::{Engine, Output};
use super::life::Verdict;
use super::member::RESTART_LOOP;
use super::now::Now;

/// Services of one device that are watched: as many as an agent watches.
const MAX_SERVICES: usize = 256;

impl Engine {
    pub(super) fn services(
        &mut self,
        id: DeviceId,
        services: Services,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(member) = self.meet(&id) else {
            return;
        };
        // The last words of a machine that goes say nothing of how it comes back.
        if member.presence_is(PresenceState::Offline) {
            return;
        }
        member.services = Some(services);
        self.look_at_services(&id.into(), now, out);
    }

    pub(super) fn look_at_services(&mut self, subject: &Subject, now: Now, out: &mut Vec<Output>) {
        let Some(grace) = self.settings.as_ref().map(|it| it.boot_grace_secs) else {
            return;
        };
        let grace = i64::from(grace) * 1000;
        let Some(member) = self.members.get_mut(subject) else {
            return;
        };
        if member.services.is_none() || !member.is_seen() {
            return;
        }
        let starts = member.is_starting(grace, now);
        let services: Vec<(Rule, UnitState, u32)> = member
            .watched_services()
            .take(MAX_SERVICES)
            .map(|it| {
                let rule = Rule::about(RuleKind::Service, &it.name);
                (rule, it.state, it.restarts)
            })
            .collect();
        let watched: BTreeSet<&Rule> = services.iter().map(|it| &it.0).collect();
        let unwatched: Vec<Rule> = member
            .alerts
            .keys()
            .filter(|rule| rule.kind() == RuleKind::Service && !watched.contains(rule))
            .cloned()
            .collect();
        for rule in unwatched {
            self.remove(&(subject.clone(), rule), "unwatched", now, out);
        }
        for (rule, state, restarts) in services {
            self.found(subject, rule.clone(), Found::of(Verdict::Unclear), now, out);
            let Some(watched) = self.watched(subject, &rule) else {
                continue;
            };
            watched.life.restarts.count(restarts, now);
            let loops = watched.life.restarts.is_loop(now);
            let (verdict, word) = service(state, loops, starts);
            let found = Found {
                detail: word.map(str::to_owned),
                ..Found::of(verdict)
            };
            self.found(subject, rule, found, now, out);
        }
        let member = self.members.get(subject);
        if let Some(again) = member.and_then(|it| it.services_again(grace, now)) {
            self.wake_for(subject, again);
        }
    }
}

/// How a watched service is, and the word for it. A machine that starts, starts its services: none is
/// judged.
fn service(state: UnitState, loops: bool, starts: bool) -> (Verdict, Option<&'static str>) {
    let word = match state {
        _ if loops => return (Verdict::Bad, Some(RESTART_LOOP)),
        UnitState::Running => return (Verdict::Good, None),
        UnitState::Stopped => "stopped",
        UnitState::Failed => "failed",
        UnitState::Missing => "missing",
        UnitState::Starting | UnitState::Stopping | UnitState::Unknown => {
            return (Verdict::Unclear, None);
        }
    };
    if starts {
        (Verdict::Unclear, None)
    } else {
        (Verdict::Bad, Some(word))
    }
}
