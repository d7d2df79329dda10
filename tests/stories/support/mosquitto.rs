//! Debian's mosquitto in place of the embedded broker, configured as the example says.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use netmonitor_testkit::eventually;
use nix::sys::signal::Signal;
use tempfile::TempDir;

use super::DEADLINE;
use super::hub::Home;
use super::process::{Ended, Process};
use super::programs::in_repository;

/// A mosquitto that runs with what a hub has exported.
#[derive(Debug)]
pub(crate) struct Mosquitto {
    pub(crate) mqtt: u16,
    pub(crate) mqtts: u16,
    folder: TempDir,
    process: Process,
}

impl Mosquitto {
    /// Two ports that are free, and a folder: nothing runs yet.
    pub(crate) fn ports() -> [u16; 2] {
        // Both at once, so that they differ. mosquitto cannot be given open sockets.
        let sockets = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        sockets.map(|socket| socket.local_addr().unwrap().port())
    }

    /// Starts it with the files that the hub in `home` exports, and the example configuration
    /// with nothing changed but ports and folders.
    pub(crate) fn start(home: &Home, [mqtt, mqtts]: [u16; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let exported = folder.path().join("export");
        let ended = export(home, &exported, &[]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(0), ""),
            "{}",
            ended.stderr
        );
        let example = std::fs::read_to_string(in_repository("mosquitto.conf.example")).unwrap();
        let mut text = example
            .replace("/etc/mosquitto/netmonitor", exported.to_str().unwrap())
            .replace(
                "/var/lib/mosquitto/",
                &format!("{}/", folder.path().display()),
            )
            .replace("listener 1883 ", &format!("listener {mqtt} "))
            .replace("listener 8883", &format!("listener {mqtts} 127.0.0.1"));
        assert_eq!(text.matches("127.0.0.1").count(), 3, "{text}");
        // As root it would become another user, who cannot read a test's folder.
        text.push_str("user root\n");
        let configuration = folder.path().join("mosquitto.conf");
        std::fs::write(&configuration, text).unwrap();
        let mut command = Command::new("/usr/sbin/mosquitto");
        let process = Process::start(command.arg("-c").arg(configuration));
        let log = process.stderr.clone();
        eventually("mosquitto runs", DEADLINE, || {
            log.all().iter().any(|line| line.ends_with(" running"))
        });
        Self {
            mqtt,
            mqtts,
            folder,
            process,
        }
    }

    /// Where the exported files are.
    pub(crate) fn exported(&self) -> std::path::PathBuf {
        self.folder.path().join("export")
    }

    /// Exports again, and has it read the files anew. Returns what the export has printed.
    pub(crate) fn export_again(&self, home: &Home, flags: &[&str]) -> String {
        let ended = export(home, &self.exported(), flags);
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        self.reload();
        ended.stdout.trim_end().to_owned()
    }

    /// Has it read its files anew.
    pub(crate) fn reload(&self) {
        let reloads = || {
            let log = self.process.stderr.all();
            let is_reload = |line: &&String| line.contains("Reloading config");
            log.iter().filter(is_reload).count()
        };
        let before = reloads();
        eventually("mosquitto reads its files", DEADLINE, || {
            // It loses a signal that comes while it still reads for the last one.
            self.process.signal(Signal::SIGHUP);
            reloads() > before
        });
    }
}

fn export(home: &Home, to: &Path, flags: &[&str]) -> Ended {
    let to = to.to_str().unwrap();
    home.admin(&[&["export-mosquitto", to], flags].concat())
}
