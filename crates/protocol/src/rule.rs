//! What is watched: the rules, by their names in topics, addresses and settings.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which rule, without what a device may have several of: the key of its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleKind {
    /// A device is gone, and did not say that it would be.
    Offline,
    /// A device is connected and sends no samples.
    Stale,
    /// A machine has started anew without having been shut down.
    Reboot,
    /// Processor, in percent.
    Cpu,
    /// Memory, in percent.
    Ram,
    /// Swap, in percent.
    Swap,
    /// Processes that wait for the processor: the five-minute load, per core.
    Load,
    /// The hottest sensor, in °C.
    Temperature,
    /// What all interfaces receive and send together, in bytes a second.
    Network,
    /// How far a device's clock is off, in seconds.
    Clock,
    /// How full a disk is, in percent.
    Disk,
    /// How many of a disk's inodes are used, in percent.
    Inodes,
    /// In how many days a disk is full, if it goes on like this.
    DiskTrend,
    /// A watched service does not run, or is started again and again.
    Service,
    /// Samples of a device are lost for good.
    SamplesLost,
    /// How full the disk is that has the hub's data, in percent.
    Storage,
    /// The hub's history cannot be written.
    Database,
    /// The hub does not keep up with what devices send, or nobody writes it down.
    Ingest,
    /// Nobody has told the hub what time it is.
    Time,
    /// Settings that a device has not taken over.
    Settings,
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// The unit of what a rule compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Percent.
    Percent,
    /// A number without a unit.
    Number,
    /// Degrees Celsius.
    Celsius,
    /// Bytes a second.
    BytesPerSecond,
    /// Seconds.
    Seconds,
    /// Days.
    Days,
}

impl RuleKind {
    /// Every kind that this version knows, in the order in which they are shown.
    pub const ALL: [Self; 20] = [
        Self::Offline,
        Self::Stale,
        Self::Reboot,
        Self::Cpu,
        Self::Ram,
        Self::Swap,
        Self::Disk,
        Self::Inodes,
        Self::DiskTrend,
        Self::Load,
        Self::Temperature,
        Self::Network,
        Self::Clock,
        Self::Service,
        Self::SamplesLost,
        Self::Storage,
        Self::Database,
        Self::Ingest,
        Self::Time,
        Self::Settings,
    ];

    /// The word in settings; for a rule of which a subject has one, also in topics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Stale => "stale",
            Self::Reboot => "reboot",
            Self::Cpu => "cpu",
            Self::Ram => "ram",
            Self::Swap => "swap",
            Self::Load => "load",
            Self::Temperature => "temperature",
            Self::Network => "network",
            Self::Clock => "clock",
            Self::Disk => "disk",
            Self::Inodes => "inodes",
            Self::DiskTrend => "disk-trend",
            Self::Service => "service",
            Self::SamplesLost => "samples-lost",
            Self::Storage => "storage",
            Self::Database => "database",
            Self::Ingest => "ingest",
            Self::Time => "time",
            Self::Settings => "settings",
            Self::Unknown => "unknown",
        }
    }

    /// Whether it is about the hub itself and not about a device.
    pub fn is_of_hub(self) -> bool {
        matches!(
            self,
            Self::Storage | Self::Database | Self::Ingest | Self::Time | Self::Settings
        )
    }

    /// The unit of value, limit and clear level. None: the rule has none of them.
    pub fn unit(self) -> Option<Unit> {
        match self {
            Self::Cpu | Self::Ram | Self::Swap | Self::Disk | Self::Inodes | Self::Storage => {
                Some(Unit::Percent)
            }
            Self::Load => Some(Unit::Number),
            Self::Temperature => Some(Unit::Celsius),
            Self::Network => Some(Unit::BytesPerSecond),
            Self::Clock => Some(Unit::Seconds),
            Self::DiskTrend => Some(Unit::Days),
            _ => None,
        }
    }

    /// Whether a value below the limit is the bad one: few days are left.
    pub fn is_below(self) -> bool {
        self == Self::DiskTrend
    }
}

impl FromStr for RuleKind {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| UnknownRule(text.to_owned()))
    }
}

impl fmt::Display for RuleKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One rule of one subject: with the disk or the service that it is about.
///
/// Its text is a level of a topic, part of an address, and stands in Home Assistant's ids: see
/// [`Rule::to_string`]. A mount point is written without its first slash and with `-` for the
/// others (`disk-home`, `disk-var-log`); the root is `disk-root`. Every other character than
/// `a-z A-Z 0-9 _ . @ :` is written as `~` and two hexadecimal digits for each of its bytes; `-` of a
/// service as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rule {
    kind: RuleKind,
    /// The mount point, or the name of the service; empty where there is none.
    target: String,
}

/// The text names no rule that this version knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no rule")]
pub struct UnknownRule(pub String);

/// The root's name among mount points.
const ROOT_MOUNT: &str = "root";

/// Begins the name of a mount point that is written as it is: no other begins with a slash.
const WHOLE: &str = "~2f";

impl Rule {
    /// The longest target whose name is sure to fit a topic, in bytes. Longer ones are cut.
    pub const MAX_TARGET_LEN: usize = 256;

    /// A rule of which a subject has one.
    pub fn of(kind: RuleKind) -> Self {
        Self {
            kind,
            target: String::new(),
        }
    }

    /// A rule about one disk, by its mount point, or about one service, by its name.
    pub fn about(kind: RuleKind, target: &str) -> Self {
        let mut end = target.len().min(Self::MAX_TARGET_LEN);
        while !target.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            kind,
            target: target[..end].to_owned(),
        }
    }

    /// Which one, without its target.
    pub fn kind(&self) -> RuleKind {
        self.kind
    }

    /// The mount point or the service, if the rule is about one.
    pub fn target(&self) -> Option<&str> {
        (!self.target.is_empty()).then_some(self.target.as_str())
    }
}

impl RuleKind {
    /// Whether a subject may have several of it, each with a target.
    pub fn has_target(self) -> bool {
        matches!(
            self,
            Self::Disk | Self::Inodes | Self::DiskTrend | Self::Service
        )
    }

    fn is_about_mount(self) -> bool {
        self.has_target() && self != Self::Service
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        if self.target.is_empty() {
            return Ok(());
        }
        f.write_str("-")?;
        if !self.kind.is_about_mount() {
            return write_escaped(f, &self.target, |c| c == '-');
        }
        match self.target.strip_prefix('/') {
            Some("") => f.write_str(ROOT_MOUNT),
            // What would be read as another rule is written out in full.
            Some(path) if !is_read_otherwise(path) => {
                for (number, level) in path.split('/').enumerate() {
                    if number > 0 {
                        f.write_str("-")?;
                    }
                    write_escaped(f, level, |_| false)?;
                }
                Ok(())
            }
            // That, or no mount point of Linux: a drive of Windows.
            _ => {
                f.write_str(WHOLE)?;
                write_escaped(f, &self.target, |_| false)
            }
        }
    }
}

/// `disk-root` is the root, and `disk-trend-home` a [`RuleKind::DiskTrend`].
fn is_read_otherwise(path: &str) -> bool {
    path == ROOT_MOUNT || path.split('/').next() == Some("trend") || path.starts_with('/')
}

fn write_escaped(
    f: &mut fmt::Formatter<'_>,
    text: &str,
    also_plain: impl Fn(char) -> bool,
) -> fmt::Result {
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | ':') || also_plain(c) {
            write!(f, "{c}")?;
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                write!(f, "~{byte:02x}")?;
            }
        }
    }
    Ok(())
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'~' {
            let digits = [rest.next()?, rest.next()?];
            let digits = std::str::from_utf8(&digits).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

impl FromStr for Rule {
    type Err = UnknownRule;

    fn from_str(text: &str) -> Result<Self, UnknownRule> {
        let unknown = || UnknownRule(text.to_owned());
        let rule = parse(text).ok_or_else(unknown)?;
        // One rule has one text.
        if rule.to_string() == text {
            Ok(rule)
        } else {
            Err(unknown())
        }
    }
}

fn parse(text: &str) -> Option<Rule> {
    if let Ok(kind) = text.parse::<RuleKind>() {
        return (!kind.has_target()).then(|| Rule::of(kind));
    }
    let with_target = RuleKind::ALL.into_iter().filter(|kind| kind.has_target());
    // The longest first: `disk-trend-home` is no disk called `trend-home`.
    let mut kinds: Vec<RuleKind> = with_target.collect();
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.as_str().len()));
    let (kind, name) = kinds.into_iter().find_map(|kind| {
        let name = text.strip_prefix(kind.as_str())?.strip_prefix('-')?;
        Some((kind, name))
    })?;
    let target = if !kind.is_about_mount() {
        unescape(name)?
    } else if name == ROOT_MOUNT {
        "/".to_owned()
    } else if let Some(whole) = name.strip_prefix(WHOLE) {
        unescape(whole)?
    } else {
        let levels: Option<Vec<String>> = name.split('-').map(unescape).collect();
        format!("/{}", levels?.join("/"))
    };
    (!target.is_empty() && target.len() <= Rule::MAX_TARGET_LEN).then_some(Rule { kind, target })
}

impl TryFrom<String> for Rule {
    type Error = UnknownRule;

    fn try_from(text: String) -> Result<Self, UnknownRule> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_a_kind_is_the_word_in_settings() {
        for kind in RuleKind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        let kind: RuleKind = serde_json::from_str("\"of_tomorrow\"").unwrap();
        assert_eq!(kind, RuleKind::Unknown);
    }

    #[test]
    fn rules_are_read_back_as_written_and_no_two_have_one_name() {
        let check = |kind, target: &str, expected: &str| {
            let rule = Rule::about(kind, target);
            assert_eq!(rule.to_string(), expected);
            assert_eq!(expected.parse(), Ok(rule), "{expected}");
        };
        check(RuleKind::Disk, "/", "disk-root");
        check(RuleKind::Disk, "/root", "disk-~2f~2froot");
        check(RuleKind::Disk, "/home", "disk-home");
        check(RuleKind::Disk, "/trend", "disk-~2f~2ftrend");
        check(RuleKind::DiskTrend, "/home", "disk-trend-home");
        check(RuleKind::Inodes, "/var/log", "inodes-var-log");
        check(RuleKind::Disk, "/var-log", "disk-var~2dlog");
        check(
            RuleKind::Disk,
            "/mnt/Données #1",
            "disk-mnt-Donn~c3~a9es~20~231",
        );
        check(RuleKind::Disk, "C:\\", "disk-~2fC:~5c");
        check(RuleKind::Disk, "//x", "disk-~2f~2f~2fx");
        check(RuleKind::Service, "nginx", "service-nginx");
        check(RuleKind::Service, "getty@tty1", "service-getty@tty1");
        check(RuleKind::Service, "a-b/c+#~", "service-a-b~2fc~2b~23~7e");
        assert_eq!("cpu".parse(), Ok(Rule::of(RuleKind::Cpu)));
    }

    #[test]
    fn what_is_no_rule_or_is_written_otherwise_is_unknown() {
        for text in [
            "",
            "CPU",
            "cpu-x",
            "disk",
            "disk-",
            "disk-~",
            "disk-~zz",
            "disk-~2F",
            "disk-~72oot",
            "service",
            "service-~6eginx",
            "unknown",
            "disk-trend",
            "disk-~ff",
        ] {
            assert_eq!(
                text.parse::<Rule>(),
                Err(UnknownRule(text.to_owned())),
                "{text}"
            );
        }
    }

    #[test]
    fn a_very_long_name_is_cut_between_characters() {
        let rule = Rule::about(RuleKind::Service, &"é".repeat(200));
        assert_eq!(rule.target().map(str::len), Some(Rule::MAX_TARGET_LEN));
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
}
