//! In which language people are spoken to.

/// The languages there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// French.
    French,
}

impl Language {
    /// The language of a locale (`locale(7)`): `fr_FR.UTF-8`. English where it is another one.
    pub fn of(locale: Option<&str>) -> Self {
        let language = locale.and_then(|it| it.split(['_', '.', '@', '-']).next());
        match language {
            Some("fr") => Self::French,
            _ => Self::English,
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
