//! A hub's data directory with the secrets of channels, and messages to send.

use std::time::Duration;

use netmonitor_alerting::channels::{Courier, SendError};
use netmonitor_alerting::words::Words;
use netmonitor_protocol::payload::{Channel, ChannelKind, Route, Severity};
use netmonitor_protocol::{Rule, RuleKind};
use netmonitor_rules::alert::{Notice, NoticeKind, Told};
use netmonitor_service::channel_secrets::{ChannelSecret, SecretOf};
use netmonitor_service::mqtt::{self, Dial, Publisher};
use netmonitor_service::{DataDir, Secret};
use tempfile::TempDir;

/// Longest time for anything that a test waits for.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// What must never be seen.
pub(crate) const SECRET: &str = "geheim-4711-token";

pub(crate) struct Site {
    folder: TempDir,
    courier: Courier,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with_publisher(no_broker())
    }

    pub(crate) fn with_publisher(publisher: Publisher) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let courier = Courier::new(DataDir::from(folder.path().to_owned()), publisher);
        Self {
            folder,
            courier: courier.with_timeout(DEADLINE),
        }
    }

    pub(crate) fn impatient(self) -> Self {
        let courier = self.courier.with_timeout(Duration::from_millis(300));
        Self { courier, ..self }
    }

    pub(crate) fn data_dir(&self) -> DataDir {
        DataDir::from(self.folder.path().to_owned())
    }

    /// Sends the message to a channel with this secret.
    pub(crate) async fn send(
        &self,
        kind: ChannelKind,
        secret: ChannelSecret,
        notice: &Notice,
        words: &Words,
    ) -> Result<String, SendError> {
        let channel = Channel {
            id: "test".to_owned(),
            name: "Test".to_owned(),
            enabled: true,
            kind,
            route: Route::default(),
            secret_revision: 1,
        };
        secret
            .write(&self.data_dir(), SecretOf::Channel(&channel.id))
            .unwrap();
        let sent = self.courier.send(&channel, notice, words);
        let in_time = tokio::time::timeout(2 * DEADLINE, sent).await;
        in_time.expect("it is not as patient as that")
    }
}

/// A publisher without a connection.
fn no_broker() -> Publisher {
    let dial = Dial::Fixed {
        endpoints: Vec::new(),
        user: String::new(),
        password: Secret::new(""),
    };
    let (publisher, _, _) = mqtt::client(mqtt::Options::new("test", dial));
    publisher
}

pub(crate) fn url(url: &str) -> ChannelSecret {
    ChannelSecret {
        url: Some(Secret::new(url)),
        ..ChannelSecret::default()
    }
}

pub(crate) fn token() -> ChannelSecret {
    ChannelSecret {
        token: Some(Secret::new(SECRET)),
        ..ChannelSecret::default()
    }
}

pub(crate) fn notice(kind: NoticeKind) -> Notice {
    Notice {
        id: "ws-14/ram/1764500652000".to_owned(),
        kind,
        time: "2026-11-30T11:09:12Z".parse().unwrap(),
        severity: Severity::Critical,
        alerts: vec![Told {
            subject: "ws-14".parse().unwrap(),
            name: "ws-14".to_owned(),
            groups: Vec::new(),
            rule: Rule::of(RuleKind::Ram),
            severity: Severity::Critical,
            since: "2026-11-30T11:04:12Z".parse().unwrap(),
            value: Some(96.0),
            limit: Some(90.0),
            detail: None,
            behind: Vec::new(),
            channels: None,
        }],
    }
}

pub(crate) fn words() -> Words {
    Words {
        title: "ws-14 : mémoire à 96 %".to_owned(),
        text: "Le seuil est de 90 %.\nDepuis midi.".to_owned(),
        link: Some("http://192.168.1.5:8080/devices/ws-14".to_owned()),
    }
}
