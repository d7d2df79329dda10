//! A mosquitto of our own: TLS as the hub speaks it, and a plain listener to watch from.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use netmonitor_protocol::HUB_TLS_NAME;
use netmonitor_protocol::join_code::JoinCode;
use netmonitor_service::tls;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::program::{DEADLINE, Running};

/// The token that this broker accepts of those who join.
const TOKEN: &str = "a-token";

/// The password of every device, and of the hub.
pub(crate) const PASSWORD: &str = "a-password";

/// The users of this broker.
const USERS: [(&str, &str); 4] = [
    ("join", TOKEN),
    ("hub", PASSWORD),
    ("ws-14", PASSWORD),
    ("ws-15", PASSWORD),
];

pub(crate) struct Broker {
    folder: tempfile::TempDir,
    process: Option<Running>,
    plain: u16,
    tls: u16,
    websocket: (u16, u16),
    ca_fingerprint: [u8; 32],
}

impl Broker {
    pub(crate) fn start() -> Self {
        let mut broker = Self {
            folder: tempfile::tempdir().unwrap(),
            process: None,
            plain: free_port(),
            tls: free_port(),
            websocket: (free_port(), free_port()),
            ca_fingerprint: [0; 32],
        };
        broker.make_certificates();
        broker.make_passwords();
        broker.configure();
        broker.restart();
        broker
    }

    /// Kills the broker, if it runs, and starts it on the same ports, knowing nothing.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let mut command = Command::new("mosquitto");
        command
            .arg("-c")
            .arg(self.path("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = Running::start(&mut command);
        let start = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, self.plain)).is_err() {
            assert!(start.elapsed() < DEADLINE, "mosquitto does not start");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.process = Some(process);
    }

    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    pub(crate) fn plain_port(&self) -> u16 {
        self.plain
    }

    /// Without TLS and with.
    pub(crate) fn websocket_ports(&self) -> (u16, u16) {
        self.websocket
    }

    /// The authority that has signed the broker's certificate.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    pub(crate) fn tls_port(&self) -> u16 {
        self.tls
    }

    /// The keepalives, in seconds, with which a client has connected, as the broker noted them
    /// (`New client connected from ... as ID (p5, c1, k6, u'...').`).
    pub(crate) fn keepalives(&self, client_id: &str) -> Vec<u16> {
        let log = std::fs::read_to_string(self.path("log")).unwrap();
        let of_client = format!(" as {client_id} (");
        log.lines()
            .filter_map(|line| {
                line.split_once(&of_client)?
                    .1
                    .split_once(", k")?
                    .1
                    .split_once(',')
            })
            .map(|(secs, _)| secs.parse().unwrap())
            .collect()
    }

    /// Whether the last that the broker noted of a client is not its end (`Client ID
    /// disconnected.`).
    pub(crate) fn is_connected(&self, client_id: &str) -> bool {
        let log = std::fs::read_to_string(self.path("log")).unwrap();
        let mut of_client = log.lines().filter(|line| line.contains(client_id));
        of_client
            .next_back()
            .is_some_and(|line| !line.contains("disconnected"))
    }

    pub(crate) fn tls_address(&self) -> String {
        format!("127.0.0.1:{}", self.tls)
    }

    pub(crate) fn join_code(&self) -> JoinCode {
        JoinCode {
            addresses: vec![self.tls_address()],
            ca_fingerprint: self.ca_fingerprint,
            token: TOKEN.to_owned(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A CA, and a server certificate whose file has the CA's behind it, as the hub shows it.
    fn make_certificates(&mut self) {
        let mut ca_parameters = CertificateParams::new(Vec::new()).unwrap();
        ca_parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca_key = KeyPair::generate().unwrap();
        let ca = ca_parameters.self_signed(&ca_key).unwrap();
        let issuer = Issuer::new(ca_parameters, ca_key);
        let key = KeyPair::generate().unwrap();
        let names = [HUB_TLS_NAME, "localhost"].map(str::to_owned);
        let certificate = CertificateParams::new(names)
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        self.ca_fingerprint = tls::fingerprint(ca.der());
        let chain = certificate.pem() + &ca.pem();
        std::fs::write(self.path("chain.pem"), chain).unwrap();
        std::fs::write(self.path("ca.pem"), ca.pem()).unwrap();
        std::fs::write(self.path("key.pem"), key.serialize_pem()).unwrap();
    }

    fn make_passwords(&self) {
        let passwords = self.path("passwords");
        let lines = USERS
            .map(|(user, password)| format!("{user}:{password}\n"))
            .concat();
        std::fs::write(&passwords, lines).unwrap();
        let hashed = Command::new("mosquitto_passwd")
            .arg("-U")
            .arg(&passwords)
            .status()
            .unwrap();
        assert!(hashed.success());
    }

    fn configure(&self) {
        let text = format!(
            "user root\nallow_anonymous false\npassword_file {passwords}\n\
             log_dest file {log}\nlog_type notice\n\
             listener {plain} 127.0.0.1\n\
             listener {tls} 127.0.0.1\ncertfile {chain}\nkeyfile {key}\n\
             listener {ws} 127.0.0.1\nprotocol websockets\n\
             listener {wss} 127.0.0.1\nprotocol websockets\ncertfile {chain}\nkeyfile {key}\n",
            passwords = self.path("passwords").display(),
            log = self.path("log").display(),
            plain = self.plain,
            tls = self.tls,
            ws = self.websocket.0,
            wss = self.websocket.1,
            chain = self.path("chain.pem").display(),
            key = self.path("key.pem").display(),
        );
        std::fs::write(self.path("mosquitto.conf"), text).unwrap();
    }
}

/// mosquitto cannot choose a port by itself.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}
