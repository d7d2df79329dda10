//! A mail server that nobody here has written: Debian's python3-aiosmtpd, with a certificate of an
//! authority of its own.

use std::path::PathBuf;
use std::process::Command;

use netmonitor_testkit::eventually_some;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::DEADLINE;
use super::process::Process;

// What the tests of the channels have, these have.
#[path = "../../../alerting/tests/it/authority.rs"]
mod authority;

const SERVER: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../alerting/tests/it/with_smtp/server.py"
);

/// One that takes mail over STARTTLS, from ada with her password.
#[derive(Debug)]
pub(crate) struct MailServer {
    folder: TempDir,
    port: u16,
    process: Process,
}

impl MailServer {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        authority::make(folder.path());
        let mut command = Command::new("/usr/bin/python3");
        command.arg(SERVER).arg("starttls").arg(folder.path());
        let mut process = Process::start(&mut command);
        let port = process.line("").parse().unwrap();
        Self {
            folder,
            port,
            process,
        }
    }

    /// The certificate of the authority that a system must trust to reach it.
    pub(crate) fn authority(&self) -> PathBuf {
        authority::ca(self.folder.path())
    }

    /// A channel that leads here.
    pub(crate) fn channel(&self, to: &str) -> Value {
        json!({
            "name": "Mail", "kind": "email", "host": "localhost", "port": self.port,
            "security": "start_tls", "user": "ada", "password": "geheim-4711-token",
            "from": "hub@example.org", "to": [to],
        })
    }

    /// Everything that it was handed so far.
    pub(crate) fn mails(&self) -> Vec<Value> {
        let lines = self.process.stdout.all();
        let mails = lines.iter().skip(1);
        mails.map(|it| serde_json::from_str(it).unwrap()).collect()
    }

    /// Waits until it was handed so many.
    pub(crate) fn until(&self, number: usize) -> Vec<Value> {
        let what = format!("{number} mails");
        eventually_some(&what, 2 * DEADLINE, || {
            let mails = self.mails();
            (mails.len() >= number).then_some(mails)
        })
    }
}
