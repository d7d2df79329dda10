//! `agent.toml` as `setup` reads and writes it: what was chosen, with a comment for each key, and
//! everything else as it was.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_service::private_file;
use toml::{Table, Value};

use crate::Config;

/// What is chosen in `setup`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Choices {
    /// Time between two samples, unless it is the usual one.
    pub(super) interval: Option<Duration>,
    pub(super) watch: Vec<String>,
    pub(super) notifications: bool,
    pub(super) broker: Option<Broker>,
    /// All other keys.
    rest: Table,
}

/// A broker that is not the hub's own.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Broker {
    pub(super) url: String,
    pub(super) user: String,
    pub(super) password_file: Option<String>,
    /// All other keys of the table.
    pub(super) rest: Table,
}

impl Choices {
    /// What the file says now; the defaults if there is none. One that is wrong is an error.
    pub(super) fn read(state_dir: &Path) -> anyhow::Result<Self> {
        let path = state_dir.join("agent.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        // It says what is wrong with it, if something is.
        Config::load(state_dir, None)?;
        Self::parse(&text)
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut rest: Table = text.parse().context("agent.toml is not TOML")?;
        let mut broker = take_table(&mut rest, "broker");
        let broker = take_text(&mut broker, "url").map(|url| Broker {
            url,
            user: take_text(&mut broker, "user").unwrap_or_default(),
            password_file: take_text(&mut broker, "password_file"),
            rest: broker,
        });
        let mut services = take_table(&mut rest, "services");
        let watch = match services.remove("watch") {
            Some(Value::Array(names)) => names
                .into_iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            _ => Vec::new(),
        };
        let mut notifications = take_table(&mut rest, "notifications");
        let shown = notifications.remove("enabled").and_then(|it| it.as_bool());
        let interval = rest.remove("interval_secs");
        let secs = interval.and_then(|it| it.as_float().or(it.as_integer().map(|it| it as f64)));
        if !services.is_empty() {
            rest.insert("services".to_owned(), Value::Table(services));
        }
        Ok(Self {
            interval: secs.and_then(|secs| Duration::try_from_secs_f64(secs).ok()),
            watch,
            notifications: shown.unwrap_or(true),
            broker,
            rest,
        })
    }

    /// Writes the file; the old one stays beside it, as `agent.toml.old`.
    pub(super) fn write(&self, state_dir: &Path) -> anyhow::Result<()> {
        let path = state_dir.join("agent.toml");
        let context = || format!("cannot write {}", path.display());
        private_file::create_dir(state_dir).with_context(context)?;
        if path.exists() {
            let old = std::fs::read(&path).with_context(context)?;
            private_file::write(&path.with_extension("toml.old"), &old).with_context(context)?;
        }
        private_file::write(&path, self.text()?.as_bytes()).with_context(context)
    }

    fn text(&self) -> anyhow::Result<String> {
        let mut text = String::from(
            "# The agent of this machine. Written by `netmonitor-agent setup`; change it as you like.\n\
             # Settings of the device on the hub go before what stands here.\n\n",
        );
        // Writing to a String cannot fail.
        let mut line = |arguments: std::fmt::Arguments<'_>| {
            let _infallible = text.write_fmt(arguments);
        };
        line(format_args!(
            "# Time between two samples, in seconds, from 1 to 3600.\n"
        ));
        match self.interval {
            Some(interval) => line(format_args!(
                "interval_secs = {:?}\n",
                interval.as_secs_f64()
            )),
            None => line(format_args!("# interval_secs = 3.0\n")),
        }
        let mut rest = self.rest.clone();
        let services = take_table(&mut rest, "services");
        // Keys of their own stand before tables.
        let (tables, keys): (Table, Table) = rest.into_iter().partition(|(_, it)| it.is_table());
        line(format_args!("{}", toml::to_string(&keys)?));
        line(format_args!("\n[services]\n"));
        line(format_args!("{}", toml::to_string(&services)?));
        line(format_args!(
            "# Services of which somebody wants to hear when they do not run.\n"
        ));
        line(format_args!(
            "watch = {}\n",
            Value::from(self.watch.clone())
        ));
        line(format_args!("\n[notifications]\n"));
        line(format_args!(
            "# Whether whoever is logged in here is shown any.\n"
        ));
        line(format_args!("enabled = {}\n", self.notifications));
        if let Some(broker) = &self.broker {
            line(format_args!(
                "\n# A broker that is not the hub's own.\n[broker]\n"
            ));
            let mut table = broker.rest.clone();
            table.insert("url".to_owned(), broker.url.clone().into());
            table.insert("user".to_owned(), broker.user.clone().into());
            if let Some(file) = &broker.password_file {
                table.insert("password_file".to_owned(), file.clone().into());
            }
            line(format_args!("{}", toml::to_string(&table)?));
        }
        if !tables.is_empty() {
            line(format_args!("\n{}", toml::to_string(&tables)?));
        }
        Ok(text)
    }
}

fn take_table(table: &mut Table, key: &str) -> Table {
    match table.remove(key) {
        Some(Value::Table(table)) => table,
        _ => Table::new(),
    }
}

fn take_text(table: &mut Table, key: &str) -> Option<String> {
    let text = table.remove(key)?;
    text.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let text = "interval_secs = 10\nspool_max_mb = 8\n\n[services]\nenabled = true\nwatch = [\"ssh\"]\n\n\
                    [collectors.disks]\ninterval_secs = 60\n\n\
                    [broker]\nurl = \"mqtt://pi\"\ndevice = \"ws-14\"\n";
        std::fs::write(folder.path().join("agent.toml"), text).unwrap();
        let mut choices = Choices::read(folder.path()).unwrap();
        assert_eq!(choices.interval, Some(Duration::from_secs(10)));
        assert_eq!(choices.watch, ["ssh"]);
        choices.watch = vec!["a \"b\"".to_owned(), "cron".to_owned()];
        choices.notifications = false;
        choices.write(folder.path()).unwrap();
        assert_eq!(Choices::read(folder.path()).unwrap(), choices);
        let config = Config::load(folder.path(), None).unwrap();
        assert_eq!(config.interval, Duration::from_secs(10));
        assert_eq!(config.spool_bytes, 8 << 20);
        assert_eq!(config.watched_services, Some(choices.watch));
        assert!(!config.notifications);
        assert_eq!(config.broker.unwrap().device.as_str(), "ws-14");
        let old = folder.path().join("agent.toml.old");
        assert_eq!(std::fs::read_to_string(old).unwrap(), text);
    }

    #[test]
    fn without_a_file_the_defaults_are_written_with_a_comment_each() {
        let folder = tempfile::tempdir().unwrap();
        let choices = Choices::read(folder.path()).unwrap();
        choices.write(folder.path()).unwrap();
        let text = std::fs::read_to_string(folder.path().join("agent.toml")).unwrap();
        assert!(text.contains("# interval_secs = 3.0\n"), "{text}");
        assert_eq!(Choices::read(folder.path()).unwrap(), choices);
    }

    #[test]
    fn a_file_that_is_wrong_is_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("agent.toml"), "intervall = 3\n").unwrap();
        let error = Choices::read(folder.path()).unwrap_err();
        assert!(format!("{error:#}").contains("line 1"), "{error:#}");
    }
}
