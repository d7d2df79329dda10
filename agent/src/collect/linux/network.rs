//! Traffic of network interfaces from `/proc/net/dev`, and how their links are.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::Network;

use super::super::{Collector, Part, rounded};
use super::interface::{Link, is_worth_showing};
use crate::root::Root;

/// How often links are looked at: their state changes seldom.
const LOOK_EVERY: Duration = Duration::from_secs(10);

struct Traffic {
    root: Root,
    looked: Option<Instant>,
    links: BTreeMap<String, Link>,
    before: Option<(Instant, BTreeMap<String, Counters>)>,
}

/// Since boot (`proc_pid_net(5)`, `dev`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Counters {
    received_bytes: u64,
    receive_errors: u64,
    receive_dropped: u64,
    sent_bytes: u64,
    send_errors: u64,
    send_dropped: u64,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every collector opens in the same way"
)]
pub(super) fn open(root: &Root) -> anyhow::Result<Box<dyn Collector>> {
    Ok(Box::new(Traffic {
        root: root.clone(),
        looked: None,
        links: BTreeMap::new(),
        before: None,
    }))
}

impl Collector for Traffic {
    fn read(&mut self, now: Instant) -> anyhow::Result<Part> {
        let text = self.root.text("proc/net/dev")?;
        let all: Vec<(&str, Counters)> = text.lines().filter_map(parse).collect();
        let is_due = |looked: Instant| now.saturating_duration_since(looked) >= LOOK_EVERY;
        let is_new = |name: &str| !self.links.contains_key(name);
        if self.looked.is_none_or(is_due) || all.iter().any(|(name, _)| is_new(name)) {
            let look =
                |(name, _): &(&str, Counters)| ((*name).to_owned(), Link::read(&self.root, name));
            self.links = all.iter().map(look).collect();
            self.looked = Some(now);
        }
        let counters: BTreeMap<String, Counters> = all
            .into_iter()
            .filter(|(name, it)| {
                let is_unused = it.received_bytes == 0 && it.sent_bytes == 0;
                let link = self.links.get(*name);
                link.is_some_and(|link| is_worth_showing(name, *link, is_unused))
            })
            .map(|(name, counters)| (name.to_owned(), counters))
            .collect();
        let before = self.before.as_ref();
        let before = before.map(|(then, it)| (now.saturating_duration_since(*then), it));
        let network = counters.iter().map(|(name, counters)| {
            let before = before.and_then(|(elapsed, it)| Some((elapsed, it.get(name)?)));
            let link = self.links.get(name).copied().unwrap_or_default();
            Network {
                interface: name.clone(),
                link: link.carrier,
                ..traffic(counters, before)
            }
        });
        let part = Part::Network(network.collect());
        self.before = Some((now, counters));
        Ok(part)
    }
}

/// Name and counters of a line; none for the two that are headings.
fn parse(line: &str) -> Option<(&str, Counters)> {
    // A name may hold a colon, and numbers cannot.
    let (name, numbers) = line.rsplit_once(':')?;
    let numbers: Vec<u64> = numbers
        .split_ascii_whitespace()
        .map_while(|number| number.parse().ok())
        .collect();
    let counters = Counters {
        received_bytes: *numbers.first()?,
        receive_errors: *numbers.get(2)?,
        receive_dropped: *numbers.get(3)?,
        sent_bytes: *numbers.get(8)?,
        send_errors: *numbers.get(10)?,
        send_dropped: *numbers.get(11)?,
    };
    Some((name.trim(), counters))
}

/// With rates. An interface that was not there before, or whose counter went back, has none.
fn traffic(now: &Counters, before: Option<(Duration, &Counters)>) -> Network {
    let rate = |value: fn(&Counters) -> u64| {
        let (elapsed, before) = before?;
        let more = value(now).checked_sub(value(before))?;
        (!elapsed.is_zero()).then(|| rounded(more as f64 / elapsed.as_secs_f64()))
    };
    Network {
        received_bytes: now.received_bytes,
        sent_bytes: now.sent_bytes,
        received_bytes_per_sec: rate(|it| it.received_bytes),
        sent_bytes_per_sec: rate(|it| it.sent_bytes),
        receive_errors: now.receive_errors,
        send_errors: now.send_errors,
        dropped: now.receive_dropped.saturating_add(now.send_dropped),
        ..Network::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_read_and_headings_are_passed_over() {
        let text = "Inter-|   Receive                            |  Transmit\n face |bytes packets errs drop\n  \
                    eth0: 1000 9 1 2 0 0 0 5 2500 8 3 4 0 0 0 0\n";
        let expected = Counters {
            received_bytes: 1000,
            receive_errors: 1,
            receive_dropped: 2,
            sent_bytes: 2500,
            send_errors: 3,
            send_dropped: 4,
        };
        let found: Vec<_> = text.lines().filter_map(parse).collect();
        assert_eq!(found, [("eth0", expected)]);
        assert_eq!(
            parse("eth0:1: 1 2 3 4 5 6 7 8 9 10 11 12").unwrap().0,
            "eth0:1"
        );
        assert_eq!(parse("eth0: 1 2"), None);
    }

    #[test]
    fn a_rate_is_the_increase_per_second_unless_the_counter_went_back() {
        let before = Counters {
            received_bytes: 1000,
            sent_bytes: 50,
            ..Counters::default()
        };
        let now = Counters {
            received_bytes: 2500,
            sent_bytes: 10,
            receive_dropped: 1,
            send_dropped: 2,
            ..Counters::default()
        };
        let found = traffic(&now, Some((Duration::from_secs(3), &before)));
        assert_eq!(found.received_bytes_per_sec, Some(500.0));
        assert_eq!((found.sent_bytes_per_sec, found.dropped), (None, 3));
        assert_eq!(traffic(&now, None).received_bytes_per_sec, None);
        let at_once = traffic(&now, Some((Duration::ZERO, &before)));
        assert_eq!(at_once.received_bytes_per_sec, None);
    }
}
