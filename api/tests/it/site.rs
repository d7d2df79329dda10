//! The api as the hub runs it, with its database in a folder of its own.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use netmonitor_api::admin::{Admin, CONSOLE, Command};
use netmonitor_api::{Api, Config};
use netmonitor_service::mqtt::{Dial, Endpoint};
use netmonitor_service::{DataDir, Secret, clock, tls};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use netmonitor_testkit::http::{Answer, Client};
use serde_json::json;

/// Longer than anything here takes on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A password that can be taken.
pub(crate) const PASSWORD: &str = "a horse, a staple";

/// An api that runs.
pub(crate) struct Site {
    pub(crate) admin: Arc<Admin>,
    base: String,
    // In the order in which they go: what runs, then its files.
    _runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl Site {
    /// Starts it; what it has to say goes to the broker on this port of loopback.
    pub(crate) fn start(broker: u16) -> Self {
        tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let data_dir = DataDir::choose(Some(folder.path().to_owned())).unwrap();
        let config = Config {
            http: vec!["127.0.0.1:0".to_owned()],
            https: Vec::new(),
            ..Config::default()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let within = runtime.enter();
        let api = Api::open(config, &data_dir, data_dir.path().join("monitor.db")).unwrap();
        drop(within);
        let base = format!("http://{}", api.addresses()[0].1);
        let admin = api.admin();
        runtime.spawn(api.run(dial(broker), CancellationToken::new()));
        Self {
            admin,
            base,
            _runtime: runtime,
            _folder: folder,
        }
    }

    /// Somebody without any credential.
    pub(crate) fn anybody(&self) -> Client {
        Client::new(&format!("{}/api/v1", self.base))
    }

    /// Somebody tries to log in.
    pub(crate) fn log_in(&self, name: &str, password: &str) -> Answer {
        let login = json!({ "name": name, "password": password });
        self.anybody().post("/login", &login)
    }

    /// A browser that has logged in.
    pub(crate) fn logged_in(&self, name: &str, password: &str) -> Client {
        let answer = self.log_in(name, password);
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.anybody().with_cookie(&answer.cookie())
    }

    /// Somebody who has got an account on the console, and has logged in.
    pub(crate) fn person(&self, name: &str, role: &str) -> Client {
        let command = Command::UserAdd {
            name: name.to_owned(),
            role: role.to_owned(),
            password: PASSWORD.to_owned(),
        };
        self.admin.execute(command, CONSOLE, clock::now()).unwrap();
        self.logged_in(name, PASSWORD)
    }

    /// A program that has got a token on the console.
    pub(crate) fn program(&self, name: &str, role: &str) -> Client {
        self.program_until(name, role, None, clock::now())
    }

    /// The same, at some time of the past, maybe with an end.
    pub(crate) fn program_until(
        &self,
        name: &str,
        role: &str,
        expires: Option<Timestamp>,
        made: Timestamp,
    ) -> Client {
        let command = Command::TokenAdd {
            name: name.to_owned(),
            role: role.to_owned(),
            expires,
        };
        let outcome = self.admin.execute(command, CONSOLE, made).unwrap();
        self.anybody().with_token(&outcome.output)
    }
}

/// To a broker that asks nobody who it is.
pub(crate) fn dial(port: u16) -> Dial {
    let address = format!("127.0.0.1:{port}");
    Dial::Fixed {
        endpoints: vec![Endpoint::parse(&address, None).unwrap()],
        user: String::new(),
        password: Secret::new(String::new()),
    }
}
