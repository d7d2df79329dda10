//! Debian's MQTT clients: programs that nobody here has written.

use std::process::Command;
use std::time::Duration;

use netmonitor_testkit::eventually_some;

use super::hub::Hub;
use super::network::Machine;
use super::process::{Ended, Process, output};

/// Which broker, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    port: String,
    machine: Option<Machine>,
    user: String,
    password: String,
}

/// A message that was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    pub(crate) topic: String,
    pub(crate) retained: bool,
    pub(crate) payload: String,
}

impl Peer {
    pub(crate) fn new(hub: &Hub, user: &str, password: &str) -> Self {
        Self {
            port: hub.port("mqtt").to_owned(),
            machine: hub.machine.clone(),
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    /// At a broker that listens on this port of loopback.
    pub(crate) fn at(port: u16, user: &str, password: &str) -> Self {
        Self {
            port: port.to_string(),
            machine: None,
            user: user.to_owned(),
            password: password.to_owned(),
        }
    }

    /// A new reader of this hub.
    pub(crate) fn reader(hub: &Hub) -> Self {
        let password = hub
            .home
            .told(&["mqtt-user", "add", "homeassistant", "--role", "reader"]);
        Self::new(hub, "homeassistant", &password)
    }

    fn tool(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(name);
        command
            .args(["-h", "127.0.0.1", "-p", &self.port])
            .args(arguments);
        if !self.user.is_empty() {
            command.args(["-u", &self.user, "-P", &self.password]);
        }
        match &self.machine {
            Some(machine) => machine.inside(&command),
            None => command,
        }
    }

    /// Runs `mosquitto_sub` to its end.
    pub(crate) fn sub(&self, arguments: &[&str]) -> Ended {
        output(&mut self.tool("mosquitto_sub", arguments), "")
    }

    /// Runs `mosquitto_pub` to its end.
    pub(crate) fn publish(&self, topic: &str, payload: &str, arguments: &[&str]) -> Ended {
        let message = ["-t", topic, "-m", payload, "-q", "1"];
        let all = [&message[..], arguments].concat();
        output(&mut self.tool("mosquitto_pub", &all), "")
    }

    /// Runs `mosquitto_rr` under this client id to its end: asks on one topic, and waits for the
    /// answer on another.
    pub(crate) fn ask(&self, client_id: &str, topic: &str, answer: &str, payload: &str) -> Ended {
        let arguments = [
            "-i", client_id, "-t", topic, "-e", answer, "-m", payload, "-q", "1", "-W", "20",
        ];
        output(&mut self.tool("mosquitto_rr", &arguments), "")
    }

    /// Fails unless the broker lets it not in at all.
    pub(crate) fn assert_is_a_stranger(&self) {
        let ended = self.sub(&["-t", "#", "-C", "1", "-W", "20"]);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(5), ""),
            "{ended:?}"
        );
    }

    /// Fails unless the broker denies the subscription.
    pub(crate) fn assert_may_not_read(&self, filter: &str) {
        let ended = self.sub(&["-t", filter, "-C", "1", "-W", "20"]);
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("denied"), "{filter}: {ended:?}");
    }

    /// Subscribes.
    pub(crate) fn subscribe(&self, filter: &str) -> Subscriber {
        let arguments = ["-t", filter, "-q", "1", "-F", "%t\t%r\t%p"];
        Subscriber(Process::start(&mut self.tool("mosquitto_sub", &arguments)))
    }
}

/// A subscription, until the story ends.
#[derive(Debug)]
pub(crate) struct Subscriber(Process);

impl Subscriber {
    /// Waits until the broker has ended the connection and lets it not in again.
    pub(crate) fn is_thrown_out(&mut self) {
        let ended = self.0.ended();
        assert!(!ended.success(), "{ended}");
    }

    /// Whether it is still connected.
    pub(crate) fn is_there(&mut self) -> bool {
        self.0.is_running()
    }

    /// What came so far, in order.
    pub(crate) fn received(&self) -> Vec<Received> {
        let parse = |line: String| {
            let mut parts = line.splitn(3, '\t');
            Some(Received {
                topic: parts.next()?.to_owned(),
                retained: parts.next()? == "1",
                payload: parts.next()?.to_owned(),
            })
        };
        self.0.stdout.all().into_iter().filter_map(parse).collect()
    }

    /// Waits for a message, from the one with number `from` on.
    pub(crate) fn wait(
        &self,
        what: &str,
        deadline: Duration,
        from: usize,
        wanted: impl Fn(&Received) -> bool,
    ) -> Received {
        eventually_some(what, deadline, || {
            self.received().into_iter().skip(from).find(&wanted)
        })
    }
}
