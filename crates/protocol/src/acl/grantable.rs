//! Which filters of their own MQTT users may be given.

use super::{is_ours, is_sys, is_well_formed};

/// Whether an MQTT user may be given this filter to read: well formed, without control characters
/// (MQTT 5.0, section 1.5.4, advises against them) or blanks at its ends (mosquitto's files have no
/// way to write them), and below none of our roots. Of what begins with `$`, only `$SYS` is ever
/// read: `$share` is for whoever subscribes.
pub fn is_grantable_to_read(filter: &str) -> bool {
    let first = filter.split('/').next().unwrap_or_default();
    let is_plain = !filter.chars().any(char::is_control) && filter.trim() == filter;
    let is_topical = first != "#" && first != "+" && (!first.starts_with('$') || is_sys(filter));
    is_plain && is_topical && is_well_formed(filter) && !is_ours(filter)
}

/// Whether an MQTT user may be given this filter to publish: as to read, but for `$SYS`, where
/// nobody publishes.
pub fn is_grantable_to_publish(filter: &str) -> bool {
    is_grantable_to_read(filter) && !is_sys(filter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_filters_that_name_what_is_theirs_can_be_given() {
        for filter in [
            "#",
            "+/a",
            "netmonitor/#",
            "netmonitor-private/x",
            "",
            "a#",
            "a\nb",
            " a",
            "a/ ",
            "$share/group/a",
        ] {
            assert!(!is_grantable_to_read(filter), "{filter}");
            assert!(!is_grantable_to_publish(filter), "{filter}");
        }
        assert!(is_grantable_to_publish("zigbee2mqtt/#"));
        assert!(is_grantable_to_read("$SYS/broker/uptime"));
        assert!(!is_grantable_to_publish("$SYS/broker/uptime"));
    }
}
