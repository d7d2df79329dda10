//! The agent as a service: installed in a machine with a whole systemd, and removed again.

use std::os::unix::fs::MetadataExt as _;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{ServiceManager, Status};
use netmonitor_testkit::Machine;

use crate::program::{output, until};
use crate::with_mosquitto::broker::Broker;
use crate::with_mosquitto::hub::Hub;

/// Where the program lies before it is installed.
pub(super) const DOWNLOADED: &str = "/opt/netmonitor-agent";

/// Where it is then.
pub(super) const PROGRAM: &str = "/usr/local/bin/netmonitor-agent";

/// A machine with an agent that is installed as a service, and its hub.
pub(super) struct Site {
    pub(super) machine: Machine,
    pub(super) broker: Broker,
    pub(super) hub: Hub,
}

impl Site {
    pub(super) async fn install() -> Self {
        let machine = Machine::boot();
        let copy = machine.path(DOWNLOADED);
        std::fs::copy(env!("CARGO_BIN_EXE_netmonitor-agent"), copy).unwrap();
        let broker = Broker::start();
        let hub = Hub::start(&broker).await;
        let code = broker.join_code().to_string();
        let mut command = machine.command(DOWNLOADED);
        command.args(["install", &code, "--name", "Reception"]);
        let installing = tokio::task::spawn_blocking(move || output(&mut command));
        let hub = hub.enrol("ws-14").await;
        let (exit, stdout, stderr) = installing.await.unwrap();
        assert_eq!(exit, Some(0), "{stdout}{stderr}");
        assert!(stdout.contains("joined as ws-14"), "{stdout}");
        Self {
            machine,
            broker,
            hub,
        }
    }

    fn property(&self, name: &str) -> String {
        let arguments = ["show", "--value", "-p", name, "netmonitor-agent.service"];
        self.machine.told("systemctl", &arguments).trim().to_owned()
    }
}

#[tokio::test]
async fn it_runs_as_a_user_of_its_own_with_few_rights_and_reads_everything_all_the_same() {
    let mut site = Site::install().await;
    let sample = site.hub.next_sample().await;
    assert_eq!(sample.failing, Vec::<String>::new());
    assert!(
        sample
            .disks
            .iter()
            .any(|disk| disk.mount == "/" && !disk.read_only)
    );
    assert!(!sample.network.is_empty() && sample.memory.used_bytes > 0);
    let services = |message: &Message| match message {
        Message::DeviceServices(_, services) => Some(services.clone()),
        _ => None,
    };
    let seen = site.hub.everything_seen().iter().find_map(services);
    let services = match seen {
        Some(services) => services,
        None => site.hub.next_of(|message| services(&message)).await,
    };
    assert_eq!(services.manager, ServiceManager::Systemd);
    let own = services
        .services
        .iter()
        .find(|it| it.name == "netmonitor-agent");
    assert!(own.is_some(), "{services:?}");

    let pid = site.property("MainPID");
    let process = site.machine.path(&format!("/proc/{pid}"));
    assert_ne!(std::fs::metadata(process).unwrap().uid(), 0);
    let identity = site.machine.path("/var/lib/netmonitor-agent/identity.json");
    let identity = std::fs::metadata(identity).unwrap();
    assert_ne!(identity.uid(), 0);
    assert_eq!(identity.mode() & 0o777, 0o600);

    let arguments = ["security", "--no-pager", "netmonitor-agent.service"];
    let told = site.machine.told("systemd-analyze", &arguments);
    let level = told.lines().last().unwrap();
    let number = level
        .split_whitespace()
        .find_map(|word| word.parse::<f64>().ok());
    assert!(number.unwrap() < 2.5, "{told}");

    // Whoever is logged in may ask it, without any right.
    let arguments = ["--reuid=65534", "--clear-groups", PROGRAM, "status"];
    let told = site.machine.told("setpriv", &arguments);
    assert!(told.contains("connected to 127.0.0.1"), "{told}");

    // Joined anew by root, it reads what root has written.
    site.hub.forget();
    site.machine
        .told("systemctl", &["restart", "netmonitor-agent.service"]);
    site.hub.next_status(Status::Online).await;
}

#[tokio::test]
async fn it_is_removed_and_what_it_knows_only_when_that_is_wanted() {
    let mut site = Site::install().await;
    site.hub.next_sample().await;
    let told = site.machine.told(PROGRAM, &["uninstall"]);
    assert!(
        told.contains("stays in /var/lib/netmonitor-agent"),
        "{told}"
    );
    site.hub.next_status(Status::Offline).await;
    for file in [
        PROGRAM,
        "/etc/systemd/system/netmonitor-agent.service",
        "/etc/systemd/system/multi-user.target.wants/netmonitor-agent.service",
        "/etc/xdg/autostart/netmonitor-agent-notify.desktop",
    ] {
        assert!(!site.machine.path(file).exists(), "{file}");
    }
    let (exit, _, stderr) = output(site.machine.command(DOWNLOADED).arg("uninstall"));
    assert_eq!(exit, Some(1));
    assert!(stderr.contains("not installed"), "{stderr}");

    // One that stopped half way is gone on with, and what it knows can be removed later.
    let unit = "/etc/systemd/system/netmonitor-agent.service";
    let left = site.machine.path(unit);
    std::fs::write(&left, "[Service]\nExecStart=/nonexistent\n").unwrap();
    site.machine.told(DOWNLOADED, &["uninstall"]);
    assert!(!left.exists());

    // It is what it was when it comes back, without a code.
    site.machine.told(DOWNLOADED, &["install"]);
    site.hub.next_status(Status::Online).await;
    site.machine.told(DOWNLOADED, &["uninstall"]);
    site.hub.next_status(Status::Offline).await;
    site.machine.told(DOWNLOADED, &["uninstall", "--purge"]);
    assert!(!site.machine.path("/var/lib/netmonitor-agent").exists());
    assert!(!site.machine.path("/run/netmonitor-agent").exists());
    let (exit, _, stderr) = output(site.machine.command(DOWNLOADED).arg("install"));
    assert_eq!(exit, Some(1));
    assert!(stderr.contains("netmonitor-agent install CODE"), "{stderr}");
}

#[tokio::test]
async fn one_that_is_killed_comes_back_and_a_machine_that_cannot_have_it_says_so() {
    let mut site = Site::install().await;
    site.hub.next_sample().await;
    let pid = site.property("MainPID");
    site.hub.forget();
    site.machine.told("kill", &["-9", &pid]);
    site.hub.next_status(Status::Offline).await;
    site.hub.next_status(Status::Online).await;
    until("another process runs", || site.property("MainPID") != pid).await;

    let mut command = site.machine.command(PROGRAM);
    let nowhere = "unix:path=/nonexistent/bus";
    let (exit, _, stderr) = output(
        command
            .arg("install")
            .env("DBUS_SYSTEM_BUS_ADDRESS", nowhere),
    );
    assert_eq!(exit, Some(1));
    assert!(
        stderr.contains("over the system bus: install D-Bus"),
        "{stderr}"
    );
    let mut command = site.machine.command("setpriv");
    command.args(["--reuid=65534", "--clear-groups", PROGRAM, "install"]);
    let (exit, _, stderr) = output(&mut command);
    assert_eq!(exit, Some(1));
    assert!(stderr.contains("as root"), "{stderr}");
}
