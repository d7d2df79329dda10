//! What both brokers are given: the same clients with the same passwords, the same certificate,
//! and the same rights.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::SignedDuration;
use netmonitor_protocol::topics::{PRIVATE_ROOT, PUBLIC_ROOT};
use netmonitor_protocol::{DeviceId, JoinRequestId, ServiceName};
use netmonitor_service::{DataDir, clock, service_secrets, tls};
use netmonitor_store::certificates::Certificates;
use netmonitor_store::hub::{AuditLine, Enrolment, HubDb, NewJoinCode};
use netmonitor_store::mosquitto_hash;
use netmonitor_store::retained::RetainedDb;
use rustls::client::{ClientConfig, Resumption};
use tempfile::TempDir;

use crate::program::{Program, free_port, wait_for};

/// The token with which the clients below are enrolled.
const TOKEN: &str = "a-token";

/// A user of both brokers.
#[derive(Debug, Clone)]
pub struct Account {
    /// MQTT user name.
    pub user: String,
    /// MQTT password.
    pub password: String,
}

/// A data directory with devices, and the same for mosquitto.
#[derive(Debug)]
pub struct Site {
    folder: TempDir,
    /// Enrolled devices: each may publish and read its own topics.
    pub devices: Vec<(DeviceId, Account)>,
    /// One who reads everything.
    pub reader: Account,
    tls: Arc<ClientConfig>,
}

/// Which broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `netmonitor broker`.
    Ours,
    /// Debian's mosquitto.
    Mosquitto,
}

impl Kind {
    /// Both, in the order of the table.
    pub const BOTH: [Self; 2] = [Self::Ours, Self::Mosquitto];
}

/// A broker that runs, knowing nothing of earlier runs.
#[derive(Debug)]
pub struct Subject {
    /// Which one.
    pub kind: Kind,
    /// Its process.
    pub program: Program,
    /// Where it listens without TLS.
    pub plain: SocketAddr,
    /// Where it listens with TLS.
    pub tls: SocketAddr,
}

impl Site {
    /// Enrols so many devices.
    pub fn make(devices: usize) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let data = DataDir::from(folder.path().join("data"));
        let secrets = service_secrets::ensure(&data)?;
        let password = secrets
            .into_iter()
            .find_map(|(name, secret)| (name == ServiceName::Api).then_some(secret))
            .context("the api has a password")?;
        let site = Self {
            devices: enrol(&data, devices)?,
            reader: Account {
                user: ServiceName::Api.mqtt_user(),
                password,
            },
            tls: client_config(&data)?,
            folder,
        };
        // More than a hub of 1 GB has by default: the comparison holds 2,000 of its own.
        let limits = "[broker]\nconnections_max = 6000\nconnections_unauthenticated_max = 6000\n\
                      connections_per_user_max = 6000\n";
        std::fs::write(data.config(), limits)?;
        site.prepare_mosquitto(&data)?;
        Ok(site)
    }

    /// Its data directory.
    pub fn data_dir(&self) -> DataDir {
        DataDir::from(self.path("data"))
    }

    /// Adds to the configuration of our own.
    pub fn configure(&self, more: &str) -> anyhow::Result<()> {
        let path = self.data_dir().config();
        let text = std::fs::read_to_string(&path)? + more;
        std::fs::write(&path, text).context("cannot write the configuration")
    }

    /// TLS towards either broker: the CA is pinned, each handshake is a full one.
    pub fn tls(&self) -> Arc<ClientConfig> {
        self.tls.clone()
    }

    /// Starts a broker. `netmonitor` is the program of that name.
    pub fn start(&self, kind: Kind, netmonitor: &Path) -> anyhow::Result<Subject> {
        match kind {
            Kind::Ours => self.start_ours(netmonitor),
            Kind::Mosquitto => self.start_mosquitto(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start_ours(&self, netmonitor: &Path) -> anyhow::Result<Subject> {
        // What an earlier run has left would come beside what is sent in this one.
        let retained = DataDir::from(self.path("data")).retained_db();
        if retained.exists() {
            RetainedDb::put_aside(&retained)?;
        }
        let mut command = Command::new(netmonitor);
        command
            .arg("broker")
            .arg("--data-dir")
            .arg(self.path("data"))
            .args(["--mqtt", "127.0.0.1:0", "--mqtts", "127.0.0.1:0"]);
        let program = Program::start(&mut command, &self.path("netmonitor.log"))?;
        let plain = program.line("listening mqtt ")?.parse()?;
        let tls = program.line("listening mqtts ")?.parse()?;
        Ok(Subject {
            kind: Kind::Ours,
            program,
            plain,
            tls,
        })
    }

    fn start_mosquitto(&self) -> anyhow::Result<Subject> {
        let plain = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let tls = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let path = |name: &str| self.path(name).display().to_string();
        // As many unacknowledged messages as ours, and a queue that is large enough to lose
        // nothing.
        let text = format!(
            "user root\nlog_type error\npersistence false\nset_tcp_nodelay true\n\
             allow_anonymous false\npassword_file {}\nacl_file {}\n\
             max_inflight_messages 100\nmax_queued_messages 0\n\
             listener {} 127.0.0.1\n\
             listener {} 127.0.0.1\ncertfile {}\nkeyfile {}\n",
            path("passwords"),
            path("acl"),
            plain.port(),
            tls.port(),
            path("chain.pem"),
            path("data/tls/mqtt.key"),
        );
        std::fs::write(self.path("mosquitto.conf"), text)?;
        let mut command = Command::new("/usr/sbin/mosquitto");
        command.arg("-c").arg(self.path("mosquitto.conf"));
        let program = Program::start(&mut command, &self.path("mosquitto.log"))?;
        wait_for(plain)?;
        wait_for(tls)?;
        Ok(Subject {
            kind: Kind::Mosquitto,
            program,
            plain,
            tls,
        })
    }

    fn prepare_mosquitto(&self, data: &DataDir) -> anyhow::Result<()> {
        let mut passwords = String::new();
        let devices = self.devices.iter().map(|(_, account)| account);
        for account in devices.chain([&self.reader]) {
            let hash = mosquitto_hash::hash(account.password.as_bytes());
            writeln!(passwords, "{}:{hash}", account.user)?;
        }
        std::fs::write(self.path("passwords"), passwords)?;
        let acl = format!(
            "user {}\ntopic read {PUBLIC_ROOT}/#\ntopic read {PRIVATE_ROOT}/#\n\
             pattern readwrite {PUBLIC_ROOT}/device/%u/#\n",
            self.reader.user
        );
        std::fs::write(self.path("acl"), acl)?;
        let read = |name: &str| std::fs::read_to_string(data.tls().join(name));
        std::fs::write(self.path("chain.pem"), read("mqtt.pem")? + &read("ca.pem")?)?;
        Ok(())
    }
}

/// Enrols so many devices in a data directory: `bench-00000` and so on.
pub fn enrol(data: &DataDir, number: usize) -> anyhow::Result<Vec<(DeviceId, Account)>> {
    let db = HubDb::open(&data.hub_db())?;
    let now = clock::now();
    let code = NewJoinCode {
        token: TOKEN,
        uses: u32::try_from(number)?,
        expires: now + SignedDuration::from_hours(1),
    };
    let audit = AuditLine {
        at: now,
        actor: "benches",
    };
    db.add_join_code(code, audit)?;
    (0..number)
        .map(|i| {
            let password = netmonitor_service::random::token();
            let enrolment = Enrolment {
                request: &JoinRequestId::from_bits(netmonitor_service::random::bits128()),
                token: TOKEN,
                host_name: &format!("bench-{i:05}"),
                name: None,
                password: &password,
            };
            let enrolled = db.enrol(enrolment, now)?.context("the code is used up")?;
            let account = Account {
                user: enrolled.device.id.to_string(),
                password,
            };
            Ok((enrolled.device.id, account))
        })
        .collect()
}

fn client_config(data: &DataDir) -> anyhow::Result<Arc<ClientConfig>> {
    let certificates = Certificates::open_or_create(&data.tls())?;
    certificates.mqtt_server()?;
    let pinned = tls::pinned(certificates.ca_fingerprint());
    let mut config = ClientConfig::clone(&pinned);
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}
