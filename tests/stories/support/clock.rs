//! A wall clock that can be moved while programs run that go by it: Debian's faketime stands
//! between them and the system. The monotonic clocks stay as they are, as they do when an admin
//! or NTP sets the time.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use netmonitor_service::clock::now;
use tempfile::TempDir;

use super::process::output;

/// The loader finds the folder of this machine's architecture.
const LIBRARY: &str = "/usr/$LIB/faketime/libfaketimeMT.so.1";

/// The clock of one machine.
#[derive(Debug, Clone)]
pub(crate) struct Clock(Arc<TempDir>);

impl Clock {
    /// One that is right. Fails without faketime: nothing would be tested.
    pub(crate) fn right() -> Self {
        let clock = Self(Arc::new(tempfile::tempdir().unwrap()));
        clock.is_off_by(SignedDuration::from_hours(-100));
        let mut date = Command::new("date");
        clock.is_that_of(date.arg("+%s"));
        let told: i64 = output(&mut date, "").stdout.trim().parse().unwrap();
        let off = clock.now().as_second() - told;
        assert!(off.abs() < 60, "Debian's faketime is needed: {off} s off");
        clock.is_off_by(SignedDuration::ZERO);
        clock
    }

    /// That of a machine that has none: it begins in 1970 when the machine starts.
    pub(crate) fn of_1970() -> Self {
        let clock = Self::right();
        clock.is_off_by(Timestamp::UNIX_EPOCH.duration_since(now()));
        clock
    }

    /// Sets it so far before the right time, from now on, or behind it.
    pub(crate) fn is_off_by(&self, offset: SignedDuration) {
        let new = self.0.path().join("new");
        std::fs::write(&new, format!("{:+}", offset.as_secs())).unwrap();
        std::fs::rename(new, self.file()).unwrap();
    }

    /// What it shows.
    pub(crate) fn now(&self) -> Timestamp {
        let offset = std::fs::read_to_string(self.file()).unwrap();
        now() + SignedDuration::from_secs(offset.parse().unwrap())
    }

    /// Whether that moment was just now, by this clock, on a machine that is slow.
    pub(crate) fn was_just_now(&self, moment: Timestamp) -> bool {
        let ago = self.now().duration_since(moment);
        ago.abs() < SignedDuration::from_mins(2)
    }

    /// A program that has not been started yet goes by it.
    pub(crate) fn is_that_of(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", LIBRARY)
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            // It looks at the file each time.
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            // The times of files are those of the disk.
            .env("NO_FAKE_STAT", "1");
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("offset")
    }
}
