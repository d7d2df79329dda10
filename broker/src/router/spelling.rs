//! How topics and filters are spelled for the router.
//!
//! A prefix keeps it from slicing the first byte off as if it were a character, and from giving
//! `$` a meaning of its own. Our topics and those of others get different ones, and a filter
//! may say "either": so a filter falls into one of three classes, by which the router sizes its
//! log. (It takes sizes by pattern, and there a `+` stands for every prefix.)

use netmonitor_protocol::topics::{PRIVATE_ROOT, PUBLIC_ROOT};

/// Before topics below our roots, and filters of one device's topics.
pub(super) const OURS: &str = "m/";
/// Before all other topics, and filters that can match nothing but those.
pub(super) const FOREIGN: &str = "f/";
/// Before filters that reach wide.
const EITHER: &str = "+/";
/// Begins what the router is told without any filter matching it.
pub(super) const UNHEARD: &str = "$";

/// A topic as the router gets it.
pub(super) fn topic(topic: &str) -> String {
    let prefix = if is_ours(topic) { OURS } else { FOREIGN };
    [prefix, topic].concat()
}

/// The topic as the publisher wrote it.
pub(super) fn plain(spelled: &[u8]) -> Option<&str> {
    std::str::from_utf8(spelled.get(OURS.len()..)?).ok()
}

/// A filter as the router gets it. Two filters that are equal here are equal there.
pub(super) fn filter(filter: &str) -> String {
    let is_wild = filter.contains(['+', '#']);
    let first = filter.split('/').next().unwrap_or_default();
    let may_be_ours = ["+", "#"].contains(&first)
        || [PUBLIC_ROOT, PRIVATE_ROOT]
            .iter()
            .any(|root| root.split('/').next() == Some(first));
    let prefix = if is_wild {
        if may_be_ours { EITHER } else { FOREIGN }
    } else if is_of_one_device(filter) {
        OURS
    } else if is_ours(filter) {
        EITHER
    } else {
        FOREIGN
    };
    [prefix, filter].concat()
}

/// The pattern of filters of one device's topics: only it gets them, and they are few.
pub(super) fn narrow_pattern() -> String {
    format!("{OURS}#")
}

/// The pattern of filters that match nothing of ours.
pub(super) fn foreign_pattern() -> String {
    format!("{FOREIGN}#")
}

fn is_ours(topic: &str) -> bool {
    below(topic, PUBLIC_ROOT).is_some() || below(topic, PRIVATE_ROOT).is_some()
}

fn is_of_one_device(topic: &str) -> bool {
    below(topic, PUBLIC_ROOT).is_some_and(|rest| rest.starts_with("device/"))
}

fn below<'a>(topic: &'a str, root: &str) -> Option<&'a str> {
    topic.strip_prefix(root)?.strip_prefix('/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use rumqttd::protocol::matches;

    #[test]
    fn a_spelled_filter_matches_what_the_filter_matches() {
        let names = [
            "netmonitor/v1/device/a/ack",
            "netmonitor/v1/event",
            "netmonitor-private/v1/settings/x",
            "netmonitor/v2/x",
            "netmonitor/v1",
            "home/x",
            "/",
            "ä/b",
        ];
        let wild = [
            "#",
            "+/#",
            "netmonitor/#",
            "+/v1/#",
            "netmonitor/v1/device/+/ack",
            "netmonitor/v1/#",
            "home/#",
            "+/+",
            "ä/+",
        ];
        for name in names {
            for other in names {
                assert_eq!(matches(&topic(name), &filter(other)), name == other);
            }
            for wild in wild {
                let expected = netmonitor_protocol::acl::filter_matches(wild, name);
                assert_eq!(
                    matches(&topic(name), &filter(wild)),
                    expected,
                    "{name} {wild}"
                );
            }
            assert_eq!(plain(topic(name).as_bytes()), Some(name));
        }
    }

    #[test]
    fn the_classes_of_filters_do_not_overlap() {
        let class = |text: &str| {
            let spelled = filter(text);
            let narrow = matches(&spelled, &narrow_pattern());
            let foreign = matches(&spelled, &foreign_pattern());
            match (narrow, foreign) {
                (true, false) => "narrow",
                (false, true) => "foreign",
                (false, false) => "wide",
                (true, true) => "both",
            }
        };
        assert_eq!(class("netmonitor/v1/device/a/ack"), "narrow");
        assert_eq!(class("netmonitor/v1/event"), "wide");
        assert_eq!(class("netmonitor/v1/device/+/metrics"), "wide");
        assert_eq!(class("#"), "wide");
        assert_eq!(class("home/#"), "foreign");
        assert_eq!(class("home/a"), "foreign");
    }
}
