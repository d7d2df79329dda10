//! The list of services from a real systemd: its user manager, in namespaces of its own, so that
//! this needs root and no machine that was booted with systemd. Needs mosquitto as well.

mod desktop;
mod installed;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netmonitor_protocol::payload::{ServiceManager, Services, Settings, UnitState};
use netmonitor_protocol::{DeviceId, Message};
use netmonitor_service::clock;

use crate::program::{DEADLINE, Running, output};
use crate::with_mosquitto::{Joined, join};

/// What makes a user manager start: it asks for `/run/systemd/system`, which says that the
/// machine was booted with systemd.
const START: &str = "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && \
                     /usr/lib/systemd/systemd --user & wait";

struct Systemd {
    folder: tempfile::TempDir,
    _process: Running,
}

impl Systemd {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let units = folder.path().join("config/systemd/user");
        std::fs::create_dir_all(&units).unwrap();
        std::fs::create_dir(folder.path().join("runtime")).unwrap();
        let unit = |name: &str, text: &str| std::fs::write(units.join(name), text).unwrap();
        unit(
            "nm-good.service",
            "[Unit]\nDescription=A good one\n[Service]\nExecStart=/bin/sleep 1000\n",
        );
        unit("nm-bad.service", "[Service]\nExecStart=/bin/false\n");
        unit(
            "nm-loop.service",
            "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=200ms\nStartLimitIntervalSec=0\n",
        );
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--mount-proc", "--fork", "--kill-child"])
            .args(["sh", "-c", START])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        environment(&mut command, folder.path());
        let systemd = Self {
            _process: Running::start(&mut command),
            folder,
        };
        let socket = systemd.folder.path().join("runtime/systemd/private");
        eventually("systemd starts", || socket.exists());
        eventually("its bus starts", || {
            systemd.control(&["start", "dbus.socket", "dbus.service"])
        });
        // Until it is on the bus it is no systemd for anyone who asks there.
        eventually("it is on its bus", || {
            systemd.bus(&["status", "org.freedesktop.systemd1"])
        });
        systemd
    }

    /// Over the bus, since its private socket drops callers while it is busy.
    fn job(&self, method: &str, unit: &str) {
        let manager = "org.freedesktop.systemd1.Manager";
        let object = [
            "org.freedesktop.systemd1",
            "/org/freedesktop/systemd1",
            manager,
        ];
        let arguments = [method, "ss", unit, "replace"];
        assert!(self.bus(&[&["call"], &object[..], &arguments[..]].concat()));
    }

    fn bus(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("busctl");
        command.arg("--user").args(arguments);
        environment(&mut command, self.folder.path());
        command.env("DBUS_SESSION_BUS_ADDRESS", self.address());
        output(&mut command).0 == Some(0)
    }

    fn control(&self, arguments: &[&str]) -> bool {
        let mut command = Command::new("systemctl");
        command.arg("--user").args(arguments);
        environment(&mut command, self.folder.path());
        output(&mut command).0 == Some(0)
    }

    fn address(&self) -> String {
        format!("unix:path={}/runtime/bus", self.folder.path().display())
    }
}

fn environment(command: &mut Command, folder: &Path) {
    command
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env("XDG_RUNTIME_DIR", folder.join("runtime"))
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("HOME", folder);
}

fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < DEADLINE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Joined {
    /// The next list of services that is as wanted.
    async fn services(&mut self, wanted: impl Fn(&Services) -> bool) -> Services {
        self.hub
            .next_of(|message| match message {
                Message::DeviceServices(_, services) => wanted(&services).then_some(services),
                _ => None,
            })
            .await
    }
}

fn state(services: &Services, name: &str) -> Option<UnitState> {
    let service = services.services.iter().find(|it| it.name == name);
    service.map(|it| it.state)
}

#[tokio::test]
async fn services_are_those_of_systemd_and_a_change_is_told_at_once() {
    let systemd = Systemd::start();
    systemd.job("StartUnit", "nm-good.service");
    let mut joined = join().await;
    let mut command = joined.command(&["run"]);
    let _running = Running::start(command.env("DBUS_SYSTEM_BUS_ADDRESS", systemd.address()));

    let services = joined
        .services(|it| state(it, "nm-good") == Some(UnitState::Running))
        .await;
    assert_eq!(services.manager, ServiceManager::Systemd);
    assert!(services.services.is_sorted_by(|a, b| a.name < b.name));
    let good = services.services.iter().find(|it| it.name == "nm-good");
    assert_eq!(good.unwrap().description.as_deref(), Some("A good one"));
    let age = clock::now().duration_since(good.unwrap().since.unwrap());
    assert!(
        (0..60).contains(&age.as_secs()),
        "since when it runs: {age}"
    );

    // It tells by signals: well before it would look by itself, which is every five minutes.
    let changed = Instant::now();
    systemd.job("StartUnit", "nm-bad.service");
    joined
        .services(|it| state(it, "nm-bad") == Some(UnitState::Failed))
        .await;
    systemd.job("StopUnit", "nm-good.service");
    // systemd forgets a stopped unit that nothing else needs, or lists it as stopped.
    joined
        .services(|it| matches!(state(it, "nm-good"), None | Some(UnitState::Stopped)))
        .await;
    let took = changed.elapsed();
    assert!(
        took < Duration::from_secs(5),
        "it tells by signals: {took:?}"
    );
}

#[tokio::test]
async fn a_watched_service_is_told_with_its_restarts_and_also_when_the_machine_has_it_no_more() {
    let systemd = Systemd::start();
    let mut joined = join().await;
    let mut command = joined.command(&["run"]);
    let _running = Running::start(command.env("DBUS_SYSTEM_BUS_ADDRESS", systemd.address()));
    joined.services(|_| true).await;
    let watch = |names: &[&str]| Settings {
        watched_services: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..Settings::default()
    };
    let device: DeviceId = "ws-14".parse().unwrap();
    let settings = |names| Message::DeviceSettings(device.clone(), watch(names));

    joined
        .hub
        .say(settings(&["nm-loop.service", "never-was"]))
        .await;
    let services = joined
        .services(|it| state(it, "never-was") == Some(UnitState::Missing))
        .await;
    let of = |services: &Services, name: &str| {
        let mut all = services.services.iter();
        all.find(|it| it.name == name).cloned().unwrap()
    };
    assert!(of(&services, "never-was").watched);

    systemd.job("StartUnit", "nm-loop.service");
    let services = joined
        .services(|it| {
            it.services
                .iter()
                .any(|it| it.name == "nm-loop" && it.restarts >= 2)
        })
        .await;
    let looping = of(&services, "nm-loop");
    assert!(looping.watched && looping.since.is_some());

    // Unticked on the hub: it is gone from the list without a restart of anything.
    joined.hub.say(settings(&["nm-loop"])).await;
    joined.services(|it| state(it, "never-was").is_none()).await;
}
