//! For which systems there may be an agent program.

/// A system, by its processor: all are Linux.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Target {
    X86_64,
    Aarch64,
    Armv7,
}

impl Target {
    /// Every one that is known. Nothing else is ever looked for.
    pub(crate) const ALL: [Self; 3] = [Self::X86_64, Self::Aarch64, Self::Armv7];

    /// The name that its program has on the disk and in addresses.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-linux",
            Self::Aarch64 => "aarch64-linux",
            Self::Armv7 => "armv7-linux",
        }
    }

    /// The one that has this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.as_str() == name)
    }

    /// That of the hub itself, if its programs can be handed out at all.
    pub(crate) fn own() -> Option<Self> {
        match (std::env::consts::ARCH, std::env::consts::OS) {
            ("x86_64", "linux") => Some(Self::X86_64),
            ("aarch64", "linux") => Some(Self::Aarch64),
            // What runs on an older ARM runs on this one.
            ("arm", "linux") => Some(Self::Armv7),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_are_known_name_a_target() {
        for target in Target::ALL {
            assert_eq!(Target::named(target.as_str()), Some(target));
        }
        for name in [
            "",
            ".",
            "..",
            "../hub.db",
            "x86_64-linux/",
            "./x86_64-linux",
            "X86_64-LINUX",
            "x86_64-linux\0",
            "install.sh",
        ] {
            assert_eq!(Target::named(name), None, "{name:?}");
        }
    }
}
