use std::collections::BTreeMap;

use super::*;

const FORMER: SessionId = SessionId(1);
const PRESENT: SessionId = SessionId(2);

/// An agent with a plan and what it keeps, at a time in seconds.
struct Agent {
    plan: Plan,
    kept: BTreeMap<SessionId, Numbers>,
    now: Duration,
}

fn agent() -> Agent {
    Agent {
        plan: Plan::new(PRESENT, Patience::default(), Duration::from_secs(1000), 0.5),
        kept: [(FORMER, Numbers::new()), (PRESENT, Numbers::new())].into(),
        now: Duration::from_secs(1000),
    }
}

impl Agent {
    fn at(&mut self, secs: u64) -> &mut Self {
        self.now = Duration::from_secs(1000 + secs);
        self
    }

    fn keeps(&mut self, session: SessionId, numbers: std::ops::RangeInclusive<u64>) {
        self.kept.entry(session).or_default().insert(numbers);
    }

    fn connects(&mut self) {
        self.plan.connected(self.now, 0.4);
    }

    fn disconnects(&mut self) {
        self.plan.disconnected(self.now);
    }

    fn takes(&mut self, seq: u64) {
        self.keeps(PRESENT, seq..=seq);
        self.plan.took(seq, self.now);
    }

    fn takes_and_sends(&mut self, seq: u64) {
        self.takes(seq);
        self.plan.sent(seq, self.now);
    }

    fn reads_nothing(&mut self, session: SessionId, numbers: std::ops::RangeInclusive<u64>) {
        let numbers = [numbers].into_iter().collect();
        self.plan.nothing_read(session, &numbers, self.now);
    }

    fn hears_ack(&mut self, session: SessionId, numbers: std::ops::RangeInclusive<u64>) {
        self.kept.get_mut(&session).unwrap().remove(numbers);
        let waits = self.kept.values().any(|it| !it.is_empty());
        self.plan.acked(waits, self.now);
    }

    fn hears_ingest(&mut self, since: i64, state: ServiceState, is_retained: bool) {
        let health = ServiceHealth {
            state,
            since: Timestamp::from_second(since).unwrap(),
            version: String::new(),
            reason: None,
            commit_interval_ms: Some(30_000),
            counters: BTreeMap::new(),
        };
        self.plan.ingest(&health, is_retained, self.now, 0.4);
    }

    fn next(&mut self) -> Step {
        let kept = self
            .kept
            .iter()
            .map(|(session, numbers)| (*session, numbers));
        self.plan.next(self.now, kept)
    }

    /// Nothing is to be sent before this time.
    fn rests_until(&mut self, secs: u64) {
        assert_eq!(
            self.next(),
            Step::Wait(Some(Duration::from_secs(1000 + secs)))
        );
    }

    fn rests(&mut self) {
        assert_eq!(self.next(), Step::Wait(None));
    }

    /// Sends what is due, so many of it at most.
    fn sends(&mut self, session: SessionId, numbers: std::ops::RangeInclusive<u64>) {
        let step = self.next();
        let Step::Send(found, due) = step else {
            panic!("{step:?} instead of {session} {numbers:?}")
        };
        assert_eq!(found, session);
        assert_eq!(due.iter().next(), Some(&numbers), "{due:?}");
        let sent = [numbers].into_iter().collect();
        self.plan.sent_batch(found, sent, self.now, 0.5);
    }
}

#[test]
fn while_samples_are_acknowledged_nothing_is_sent_again() {
    let mut agent = agent();
    agent.connects();
    agent.hears_ingest(5, ServiceState::Running, true);
    // Every 3 seconds a sample, every 30 a commit, for an hour.
    for tick in 1..1200 {
        agent.at(tick * 3).takes_and_sends(tick);
        if tick % 10 == 0 {
            agent.hears_ack(PRESENT, 1..=tick - 1);
        }
        let step = agent.next();
        assert!(matches!(step, Step::Wait(_)), "{step:?}");
    }
    assert!(agent.plan.on_the_way.numbers().iter().count() <= 2);
}

#[test]
fn what_is_not_acknowledged_within_two_commits_is_sent_again() {
    let mut agent = agent();
    agent.connects();
    agent.hears_ingest(5, ServiceState::Running, true);
    agent.at(10).takes_and_sends(1);
    agent.rests_until(70);
    agent.at(69).rests_until(70);
    agent.at(70).sends(PRESENT, 1..=1);
    // Not once more before the same time has passed again.
    agent.rests_until(130);
    agent.at(130).sends(PRESENT, 1..=1);
    agent.at(131).hears_ack(PRESENT, 1..=1);
    agent.rests();
}

#[test]
fn until_ingest_says_otherwise_a_commit_takes_a_minute() {
    let mut agent = agent();
    agent.connects();
    agent.at(10).takes_and_sends(1);
    agent.rests_until(130);
}

#[test]
fn a_sample_that_found_no_way_live_is_sent_soon() {
    let mut agent = agent();
    agent.connects();
    agent.at(10).takes(1);
    agent.rests_until(20);
    agent.at(20).sends(PRESENT, 1..=1);
}

#[test]
fn what_was_taken_without_a_connection_is_sent_soon_after_there_is_one_the_oldest_first() {
    let mut agent = agent();
    agent.keeps(FORMER, 50..=60);
    for seq in 1..=20 {
        agent.at(seq * 3).takes(seq);
    }
    agent.rests();
    agent.at(62).connects();
    // The birth sends the latest sample.
    agent.plan.sent(20, agent.now);
    agent.rests_until(64);
    agent.at(64).sends(FORMER, 50..=60);
    agent.rests_until(184);
    agent.hears_ack(FORMER, 50..=60);
    agent.sends(PRESENT, 1..=19);
    agent.hears_ack(PRESENT, 1..=19);
    agent.rests_until(182);
}

#[test]
fn one_batch_is_on_its_way_and_its_acknowledgement_brings_the_next() {
    let mut agent = agent();
    agent.keeps(FORMER, 1..=300);
    agent.connects();
    agent.at(2).sends(FORMER, 1..=300);
    // There was room for a hundred.
    let first: Numbers = [1..=100].into_iter().collect();
    agent.plan.sent_batch(FORMER, first, agent.now, 0.5);
    agent.at(3).hears_ack(FORMER, 1..=99);
    assert!(
        matches!(agent.next(), Step::Wait(Some(_))),
        "100 is missing"
    );
    agent.hears_ack(FORMER, 100..=100);
    agent.sends(FORMER, 101..=300);
}

#[test]
fn a_sample_that_is_never_acknowledged_does_not_hold_up_the_others() {
    let mut agent = agent();
    agent.keeps(FORMER, 1..=1);
    agent.keeps(PRESENT, 1..=50);
    agent.connects();
    agent.at(2).sends(FORMER, 1..=1);
    agent.at(122).sends(PRESENT, 1..=50);
    agent.at(123).hears_ack(PRESENT, 1..=50);
    agent.sends(FORMER, 1..=1);
    agent.rests_until(243);
}

#[test]
fn when_ingest_has_started_anew_everything_is_sent_at_once() {
    let mut agent = agent();
    agent.connects();
    agent.hears_ingest(5, ServiceState::Running, true);
    agent.at(10).takes_and_sends(1);
    agent.at(13).takes_and_sends(2);
    agent.at(14).hears_ingest(5, ServiceState::Running, false);
    agent.rests_until(73);
    agent.at(15).hears_ingest(5, ServiceState::Stopped, false);
    agent.rests_until(73);
    agent.at(16).hears_ingest(16, ServiceState::Running, false);
    agent.rests_until(18);
    agent.at(17).takes_and_sends(3);
    agent.at(18).sends(PRESENT, 1..=2);
}

#[test]
fn what_was_sent_after_ingest_came_back_is_on_its_way() {
    let mut agent = agent();
    agent.connects();
    agent.hears_ingest(5, ServiceState::Running, true);
    agent.at(10).takes_and_sends(1);
    agent.disconnects();
    agent.at(20).connects();
    agent.takes_and_sends(2);
    agent.hears_ingest(16, ServiceState::Running, true);
    agent.rests_until(22);
    agent.at(22).sends(PRESENT, 1..=1);
}

#[test]
fn while_ingest_is_not_at_work_there_is_one_attempt_in_two_commits() {
    let mut agent = agent();
    agent.keeps(FORMER, 1..=1000);
    agent.connects();
    agent.hears_ingest(5, ServiceState::Running, true);
    agent.at(2).sends(FORMER, 1..=1000);
    for secs in [3, 10, 20] {
        agent
            .at(secs)
            .hears_ingest(5, ServiceState::Degraded, false);
        agent.disconnects();
        agent.connects();
        agent.rests_until(62);
    }
    agent.at(62).sends(FORMER, 1..=1000);
}

#[test]
fn what_cannot_be_read_is_tried_again_later() {
    let mut agent = agent();
    agent.keeps(FORMER, 1..=10);
    agent.connects();
    agent.at(2);
    assert!(matches!(agent.next(), Step::Send(..)));
    agent.reads_nothing(FORMER, 1..=10);
    agent.rests_until(62);
    assert!(matches!(agent.at(62).next(), Step::Send(FORMER, _)));
}

#[test]
fn what_cannot_be_read_does_not_hold_up_what_is_behind_it() {
    let mut agent = agent();
    agent.keeps(FORMER, 1..=10);
    agent.keeps(PRESENT, 1..=5);
    agent.connects();
    agent.at(2);
    assert!(matches!(agent.next(), Step::Send(FORMER, _)));
    agent.reads_nothing(FORMER, 1..=10);
    agent.rests_until(62);
    agent.at(62).sends(PRESENT, 1..=5);
    agent.at(63).hears_ack(PRESENT, 1..=5);
    assert!(matches!(agent.next(), Step::Send(FORMER, _)));
}

impl Agent {
    fn packs(&mut self) {
        self.plan.packed(self.now);
    }

    /// When it packs next, in seconds.
    fn packs_at(&self) -> Option<u64> {
        let at = self.plan.next_packing()?;
        Some(at.as_secs() - 1000)
    }
}

#[test]
fn without_a_hub_for_half_a_minute_it_packs_each_minute() {
    let mut agent = agent();
    assert_eq!(agent.packs_at(), Some(30), "it was never there");
    agent.connects();
    assert_eq!(agent.packs_at(), None);
    agent.at(100).disconnects();
    agent.at(110).disconnects();
    assert_eq!(agent.packs_at(), Some(130));
    agent.at(131).packs();
    assert_eq!(agent.packs_at(), Some(191));
    agent.at(140).connects();
    agent.at(150).disconnects();
    assert_eq!(agent.packs_at(), Some(191));
}

#[test]
fn a_hub_that_acknowledges_nothing_is_away_as_well() {
    let mut agent = agent();
    agent.connects();
    agent.hears_ingest(5, ServiceState::Running, true);
    for seq in 1..=20 {
        agent.at(10 + seq * 3).takes_and_sends(seq);
    }
    assert_eq!(agent.packs_at(), Some(13 + 60 + 30));
    agent.at(80).hears_ack(PRESENT, 1..=10);
    assert_eq!(agent.packs_at(), Some(80 + 60 + 30));
    agent.at(81).hears_ack(PRESENT, 11..=20);
    assert_eq!(agent.packs_at(), None);
    agent.at(90).hears_ingest(5, ServiceState::Stopped, false);
    agent.at(100).hears_ingest(5, ServiceState::Degraded, false);
    assert_eq!(agent.packs_at(), Some(120));
    agent.at(110).hears_ingest(5, ServiceState::Running, false);
    assert_eq!(agent.packs_at(), None);
}
