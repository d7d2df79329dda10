//! Configuration files: TOML, checked, with errors that say where and what.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// It holds something that does not belong there.
    #[error("{}, line {line}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong, and what is allowed.
        message: String,
    },
}

/// Reads a file into `T`, whose serde attributes say what is allowed.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
        path: path.to_owned(),
        source,
    })?;
    parse(&text).map_err(|(line, message)| ConfigError::Content {
        path: path.to_owned(),
        line,
        message,
    })
}

/// Line and message of the first thing that is wrong.
fn parse<T: DeserializeOwned>(text: &str) -> Result<T, (usize, String)> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text.get(..start).unwrap_or(text).matches('\n').count() + 1;
        let wrong = text.lines().nth(line - 1).unwrap_or_default().trim();
        (line, format!("{} (in `{wrong}`)", error.message()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Example {
        interval_secs: u32,
    }

    #[test]
    fn a_wrong_key_is_named_with_its_line_and_what_is_allowed() {
        let (line, message) = parse::<Example>("# comment\n\nintervall = 3\n").unwrap_err();
        assert_eq!(line, 3);
        assert!(message.contains("intervall"), "{message}");
        assert!(message.contains("interval_secs"), "{message}");
    }

    #[test]
    fn a_wrong_value_is_named_with_its_line() {
        let (line, message) = parse::<Example>("interval_secs = \"often\"\n").unwrap_err();
        assert_eq!(line, 1);
        assert!(message.contains("often"), "{message}");
        assert!(message.contains("interval_secs"), "{message}");
    }

    #[test]
    fn what_is_not_said_keeps_its_default() {
        assert_eq!(parse::<Example>(""), Ok(Example { interval_secs: 0 }));
        assert_eq!(
            parse::<Example>("interval_secs = 3"),
            Ok(Example { interval_secs: 3 })
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = read::<Example>(Path::new("/nowhere/netmonitor.toml")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/netmonitor.toml"));
    }
}
