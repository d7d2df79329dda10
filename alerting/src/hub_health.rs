//! What the reports of the hub's services say about the hub itself.

use netmonitor_protocol::payload::{DegradedReason, ServiceHealth, ServiceState};
use netmonitor_protocol::{RuleKind, ServiceName};
use netmonitor_rules::alert::Finding;

/// What ingest counts when it has no room for a sample.
const REFUSED: &str = "samples_refused_queue_full";

/// What is remembered of earlier reports.
#[derive(Debug, Default)]
pub(crate) struct HubHealth {
    refused: Option<u64>,
}

impl HubHealth {
    /// What a report says, if anything.
    pub(crate) fn hear(
        &mut self,
        service: ServiceName,
        health: &ServiceHealth,
    ) -> Vec<(RuleKind, Finding)> {
        if service != ServiceName::Ingest {
            return Vec::new();
        }
        let bad = |word: &str| Finding::Bad(word.to_owned());
        let refused = health.counters.get(REFUSED).copied().unwrap_or_default();
        let before = self.refused.replace(refused);
        let is_behind = before.is_some_and(|before| refused > before);
        let (ingest, database, time) = match (health.state, health.reason) {
            // What it would say of the disk and of the time, nobody says.
            (ServiceState::Stopped, _) => {
                self.refused = None;
                return vec![(RuleKind::Ingest, bad("stopped"))];
            }
            (ServiceState::Degraded, Some(DegradedReason::ClockNotSet)) => {
                (Finding::Good, None, Some(bad("clock_not_set")))
            }
            (ServiceState::Degraded, reason) => {
                let word = match reason {
                    Some(DegradedReason::DiskFull) => "disk_full",
                    Some(DegradedReason::Damaged) => "damaged",
                    _ => "not_writable",
                };
                (Finding::Good, Some(bad(word)), None)
            }
            _ => (Finding::Good, Some(Finding::Good), Some(Finding::Good)),
        };
        let ingest = if is_behind { bad("behind") } else { ingest };
        let all = [
            (RuleKind::Ingest, Some(ingest)),
            (RuleKind::Database, database),
            (RuleKind::Time, time),
        ];
        all.into_iter()
            .filter_map(|(kind, finding)| Some((kind, finding?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn health(state: ServiceState, reason: Option<DegradedReason>, refused: u64) -> ServiceHealth {
        ServiceHealth {
            state,
            reason,
            since: "2026-11-30T10:00:00Z".parse().unwrap(),
            version: "1".to_owned(),
            commit_interval_ms: None,
            counters: [(REFUSED.to_owned(), refused)].into(),
        }
    }

    fn bad(word: &str) -> Finding {
        Finding::Bad(word.to_owned())
    }

    #[test]
    fn ingest_tells_of_the_disk_of_the_time_and_of_itself() {
        let mut hub = HubHealth::default();
        let mut hear = |health: &ServiceHealth| hub.hear(ServiceName::Ingest, health);
        let running = health(ServiceState::Running, None, 5);
        let well = [
            (RuleKind::Ingest, Finding::Good),
            (RuleKind::Database, Finding::Good),
            (RuleKind::Time, Finding::Good),
        ];
        assert_eq!(hear(&running), well);
        let behind = health(ServiceState::Running, None, 6);
        assert_eq!(hear(&behind)[0], (RuleKind::Ingest, bad("behind")));
        assert_eq!(hear(&behind)[0], (RuleKind::Ingest, Finding::Good));
        let full = health(ServiceState::Degraded, Some(DegradedReason::DiskFull), 6);
        assert_eq!(hear(&full)[1], (RuleKind::Database, bad("disk_full")));
        let clock = health(ServiceState::Degraded, Some(DegradedReason::ClockNotSet), 6);
        assert_eq!(hear(&clock)[1], (RuleKind::Time, bad("clock_not_set")));
        let stopped = health(ServiceState::Stopped, None, 0);
        assert_eq!(hear(&stopped), [(RuleKind::Ingest, bad("stopped"))]);
        assert_eq!(hub.hear(ServiceName::Api, &stopped), []);
    }
}
