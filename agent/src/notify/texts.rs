//! What is shown, in the language of whoever is logged in.

/// The languages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    French,
}

/// The texts of one language.
pub(super) struct Texts {
    pub(super) connected: &'static str,
    /// With the address of the hub.
    pub(super) connected_to: fn(&str) -> String,
    pub(super) unreachable: &'static str,
    /// With the time of day.
    pub(super) unreachable_since: fn(&str) -> String,
}

static ENGLISH: Texts = Texts {
    connected: "Connected to NetMonitor",
    connected_to: |hub| format!("This machine is watched by the hub at {hub}."),
    unreachable: "The NetMonitor hub cannot be reached",
    unreachable_since: |time| {
        format!("Not since {time}. What this machine measures is kept until the hub is back.")
    },
};

static FRENCH: Texts = Texts {
    connected: "Connecté à NetMonitor",
    connected_to: |hub| format!("Cette machine est surveillée par le hub {hub}."),
    unreachable: "Le hub NetMonitor est injoignable",
    unreachable_since: |time| {
        format!("Depuis {time}. Les mesures de cette machine sont gardées jusqu’à son retour.")
    },
};

impl Language {
    /// The language of a locale (`locale(7)`): `fr_FR.UTF-8`. English where it is another one.
    pub(super) fn of(locale: Option<&str>) -> Self {
        let language = locale.and_then(|it| it.split(['_', '.', '@', '-']).next());
        match language {
            Some("fr") => Self::French,
            _ => Self::English,
        }
    }

    pub(super) fn texts(self) -> &'static Texts {
        match self {
            Self::English => &ENGLISH,
            Self::French => &FRENCH,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_that_of_the_locale() {
        for locale in ["fr", "fr_FR.UTF-8", "fr_BE@euro", "fr-CA"] {
            assert_eq!(Language::of(Some(locale)), Language::French, "{locale}");
        }
        for locale in [None, Some("C.UTF-8"), Some("fry_NL"), Some("en_GB.UTF-8")] {
            assert_eq!(Language::of(locale), Language::English, "{locale:?}");
        }
    }
}
