//! English.

use netmonitor_protocol::RuleKind as K;

use super::texts::{Of, Texts};

pub(super) static TEXTS: Texts = Texts {
    hub: "Hub",
    decimal: '.',
    byte: "B",
    days: |number, is_one| format!("{number} {}", if is_one { "day" } else { "days" }),
    less_than_a_day: "less than a day",
    time: "%Y-%m-%d %H:%M:%S %Z",
    date: "%Y-%m-%d",
    problem,
    fine,
    ended: |of| format!("{}: the alert about {} has ended", of.name, thing(of)),
    why,
    why_ended: |detail| {
        Some(match detail {
            "removed" => "The device has been removed.",
            "disabled" => "The rule has been switched off.",
            "gone" => "It is not on the machine any more.",
            "unwatched" => "Nobody watches it any more.",
            "planned" => "It is away on purpose.",
            _ => return None,
        })
    },
    detail: |word| format!("Detail: {word}."),
    limit: |limit, is_below| {
        if is_below {
            format!("Below {limit} it is an alert.")
        } else {
            format!("The limit is {limit}.")
        }
    },
    was: |value, limit| format!("It was {value}; the limit is {limit}."),
    is: |value, limit| format!("It is {value} now; the limit is {limit}."),
    full_on: |date| format!("If it goes on like this, it is full on {date}."),
    since: |time| format!("Since {time}."),
    since_long: |time, long| format!("Since {time}, which is {long}."),
    lasted: |long, from, to| format!("It lasted {long}: from {from} until {to}."),
    behind: |names| format!("Behind it, and gone with it: {names}."),
    and_behind: |count| match count {
        1 => ", and 1 device behind it".to_owned(),
        _ => format!(", and {count} devices behind it"),
    },
    still: |title| format!("Still: {title}"),
    offline: |count, names| format!("{count} devices are offline: {names}"),
    back: |count, names| format!("{count} devices are back online: {names}"),
    alerts: |count, names| format!("{count} alerts: {names}"),
    over: |count, names| format!("{count} alerts are over: {names}"),
    and_more: |names, more| format!("{names} and {more} more"),
    also: |names| format!("Also: {names}."),
    test: "NetMonitor: a test",
    test_text: "This message shows that the channel works. Nothing is wrong.",
};

fn thing(of: &Of<'_>) -> String {
    let target = of.target;
    match of.kind {
        K::Offline => "its absence".to_owned(),
        K::Stale => "its samples".to_owned(),
        K::Reboot => "its restart".to_owned(),
        K::Cpu => "the processor".to_owned(),
        K::Ram => "the memory".to_owned(),
        K::Swap => "the swap".to_owned(),
        K::Load => "the load".to_owned(),
        K::Temperature => "the temperature".to_owned(),
        K::Network => "the network".to_owned(),
        K::Clock | K::Time => "its clock".to_owned(),
        K::Disk | K::DiskTrend => format!("disk {target}"),
        K::Inodes => format!("the inodes of {target}"),
        K::Service => format!("service {target}"),
        K::SamplesLost => "lost samples".to_owned(),
        K::Storage => "the disk with its data".to_owned(),
        K::Database => "its history".to_owned(),
        K::Ingest => "what it stores".to_owned(),
        K::Settings => "settings of devices".to_owned(),
        K::Unknown => "a rule that this version does not know".to_owned(),
    }
}

fn problem(of: &Of<'_>) -> String {
    let (name, target) = (of.name, of.target);
    let at = match of.value {
        Some(value) => format!("at {value}"),
        None => "above the limit".to_owned(),
    };
    match of.kind {
        K::Offline => format!("{name} is offline"),
        K::Stale => format!("{name} is connected, but sends no samples"),
        K::Reboot => format!("{name} has restarted without having been shut down"),
        K::Cpu => format!("{name}: processor {at}"),
        K::Ram => format!("{name}: memory {at}"),
        K::Swap => format!("{name}: swap {at}"),
        K::Load => format!("{name}: load per core {at}"),
        K::Temperature => format!("{name}: temperature {at}"),
        K::Network => format!("{name}: network {at}"),
        K::Clock => match of.value {
            Some(value) => format!("{name}: clock off by {value}"),
            None => format!("{name}: clock off"),
        },
        K::Disk => format!("{name}: disk {target} {at}"),
        K::Inodes => format!("{name}: inodes of {target} {at}"),
        K::DiskTrend => match of.value {
            Some(value) => format!("{name}: disk {target} is full in {value}"),
            None => format!("{name}: disk {target} is full soon"),
        },
        K::Service => match of.detail {
            Some("failed") => format!("{name}: service {target} has failed"),
            Some("missing") => format!("{name}: there is no service {target}"),
            Some("restart_loop") => format!("{name}: service {target} restarts again and again"),
            _ => format!("{name}: service {target} is not running"),
        },
        K::SamplesLost => format!("{name}: samples are lost"),
        K::Storage => format!("{name}: disk with its data {at}"),
        K::Database => format!("{name}: the history cannot be written"),
        K::Ingest => format!("{name}: samples are not stored in time"),
        K::Time => format!("{name}: nobody has told it what time it is"),
        K::Settings => {
            let device = of.detail.unwrap_or("a device");
            format!("{name}: {device} has not taken over its settings")
        }
        K::Unknown => format!("{name}: an alert that this version does not know"),
    }
}

fn fine(of: &Of<'_>) -> String {
    let (name, target) = (of.name, of.target);
    match of.kind {
        K::Offline => format!("{name} is back online"),
        K::Stale => format!("{name} sends samples again"),
        K::Reboot => format!("{name} has been running since its restart"),
        K::Cpu => format!("{name}: processor back to normal"),
        K::Ram => format!("{name}: memory back to normal"),
        K::Swap => format!("{name}: swap back to normal"),
        K::Load => format!("{name}: load back to normal"),
        K::Temperature => format!("{name}: temperature back to normal"),
        K::Network => format!("{name}: network back to normal"),
        K::Clock => format!("{name}: clock right again"),
        K::Disk => format!("{name}: disk {target} has room again"),
        K::Inodes => format!("{name}: disk {target} has free inodes again"),
        K::DiskTrend => format!("{name}: disk {target} is not filling up any more"),
        K::Service => format!("{name}: service {target} is running again"),
        K::SamplesLost => format!("{name}: no more samples are lost"),
        K::Storage => format!("{name}: disk with its data has room again"),
        K::Database => format!("{name}: the history is written again"),
        K::Ingest => format!("{name}: samples are stored in time again"),
        K::Time => format!("{name}: it knows the time again"),
        K::Settings => format!("{name}: all devices have their settings"),
        K::Unknown => format!("{name}: an alert that this version does not know is over"),
    }
}

fn why(kind: K, detail: &str) -> Option<&'static str> {
    Some(match (kind, detail) {
        // Said in the title.
        (K::Service, "stopped" | "failed" | "missing" | "restart_loop") => "",
        (K::Offline, "lost") => {
            "It went without a word: a crash, a power cut, or the network between it and the hub."
        }
        (K::Offline, "stopped") => "Its agent was stopped; the machine itself may be running.",
        (K::Offline, "shutdown") => "It was shut down.",
        (K::Offline, "suspend") => "It went to sleep.",
        (K::Offline, "reboot") => "It is restarting.",
        (K::Offline, "replaced") => {
            "Another agent has its identity: a copied disk, or an agent that was started twice."
        }
        (K::Offline, "hub_restart") => "It did not come back after the hub was away.",
        (_, "disk_full") => "The disk is full.",
        (_, "not_writable") => "Its data directory cannot be written.",
        (_, "damaged") => "The database is damaged: `netmonitor verify` says what to do.",
        (_, "stopped") => "The service that stores them is not running.",
        (_, "behind") => "The hub does not keep up with what devices send.",
        _ => return None,
    })
}
