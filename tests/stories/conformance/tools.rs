//! `mosquitto_pub` and `mosquitto_sub` as a client: each publish and each subscription is a
//! program of its own.

use std::process::Command;
use std::time::Duration;

use netmonitor_testkit::eventually_some;

use super::client::{
    Ability, Client, Connect, Connection, Door, Message, Properties, Subscribe, Transport, Version,
};
use crate::support::DEADLINE;
use crate::support::process::{Ended, Process, output};

/// What `mosquitto_sub` prints of a message; the payload is last, and has no new line.
const FORMAT: &str = "message\t%t\t%q\t%r\t%E\t%C\t%R\t%D\t%S\t%P\t%p";

pub(crate) struct Tools(pub(crate) Door);

struct ToolsConnection {
    door: Door,
    options: Connect,
    subscriber: Option<Process>,
    seen: usize,
}

impl Client for Tools {
    fn can(&self, ability: Ability) -> bool {
        // In MQTT 5 `mosquitto_sub` asks for its will when it is told to end (reason 0x04).
        ability == Ability::TakeLeave && self.0.version == Version::V3
    }

    fn refusal(&self, options: &Connect) -> Option<u8> {
        let mut publisher = tool("mosquitto_pub", &self.0, options);
        let ended = output(publisher.args(["-t", "x/knock", "-m", ""]), "");
        // In MQTT 5 it ends with the reason, in MQTT 3.1.1 with the return code.
        let code = u8::try_from(ended.code.unwrap()).unwrap();
        (code != 0).then_some(code)
    }

    fn connect(&self, options: &Connect) -> Box<dyn Connection> {
        Box::new(ToolsConnection {
            door: self.0.clone(),
            options: options.clone(),
            subscriber: None,
            seen: 0,
        })
    }
}

fn tool(name: &str, door: &Door, options: &Connect) -> Command {
    let (user, password) = door.credentials(options.who);
    let version = match door.version {
        Version::V3 => "311",
        Version::V5 => "5",
    };
    // They keep back what they print unless it goes to a terminal.
    let mut command = Command::new("stdbuf");
    command
        .args(["-oL", name])
        .args(["-h", "127.0.0.1", "-p", &door.port, "-V", version])
        .args(["-u", user, "-P", password]);
    match door.transport {
        Transport::Tcp => {}
        // It cannot be told the name in the certificate; that the hub's authority has signed it
        // is checked all the same.
        Transport::Tls => {
            command.args(["--cafile", &door.ca, "--insecure"]);
        }
        Transport::WebSocket => unreachable!("the tools do not speak WebSocket"),
    }
    command
}

impl ToolsConnection {
    fn messages(&self) -> Vec<Message> {
        let lines = self
            .subscriber
            .as_ref()
            .expect("has subscribed")
            .stdout
            .all();
        lines.iter().filter_map(|line| parse(line)).collect()
    }
}

impl Connection for ToolsConnection {
    fn session_present(&self) -> bool {
        unreachable!("the tools do not tell")
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> u8 {
        let mut command = tool("mosquitto_sub", &self.door, &self.options);
        command
            .args(["-d", "-i", &self.options.client_id, "-F", FORMAT])
            .args(["-t", &subscribe.filter, "-q", &subscribe.qos.to_string()]);
        if let Some(will) = &self.options.will {
            command
                .args(["--will-topic", &will.topic, "--will-payload", &will.payload])
                .args(["--will-qos", &will.qos.to_string()]);
            if will.retain {
                command.arg("--will-retain");
            }
        }
        let mut process = Process::start(&mut command);
        // `Subscribed (mid: 1): 2`
        let answer = process.line("Subscribed ");
        self.subscriber = Some(process);
        let code = answer.rsplit(' ').next().unwrap();
        code.parse().unwrap_or_else(|_| panic!("{answer}"))
    }

    fn unsubscribe(&mut self, _: &str) {
        unreachable!("the tools unsubscribe only when they connect")
    }

    fn publish(&mut self, message: &Message) -> Option<u8> {
        let mut command = tool("mosquitto_pub", &self.door, &self.options);
        command
            .args(["-d", "-t", &message.topic, "-m", &message.payload])
            .args(["-q", &message.qos.to_string()]);
        if message.retain {
            command.arg("-r");
        }
        for word in properties(&message.properties) {
            command.args(["-D", "publish"]).args(word);
        }
        let ended = output(&mut command, "");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        reason(&ended)
    }

    fn next(&mut self) -> Message {
        let message = eventually_some("a message", DEADLINE, || {
            self.messages().into_iter().nth(self.seen)
        });
        self.seen += 1;
        message
    }

    fn arrived(&mut self) -> Vec<Message> {
        let new = self.messages().split_off(self.seen);
        self.seen += new.len();
        new
    }

    fn disconnect(self: Box<Self>) {
        if let Some(mut subscriber) = self.subscriber {
            // It takes a lock in its signal handler: a signal at the wrong moment leaves it
            // hanging, whatever the broker does.
            subscriber.terminate_or_kill(Duration::from_secs(5));
        }
    }

    fn kill(self: Box<Self>) {
        self.subscriber.expect("has subscribed").kill();
    }
}

/// The words behind `-D publish`.
fn properties(properties: &Properties) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    let mut add = |name: &str, values: &[&str]| {
        let words = std::iter::once(name).chain(values.iter().copied());
        all.push(words.map(str::to_owned).collect());
    };
    for (key, value) in &properties.user {
        add("user-property", &[key, value]);
    }
    if let Some(secs) = properties.expiry_secs {
        add("message-expiry-interval", &[&secs.to_string()]);
    }
    for (name, value) in [
        ("content-type", &properties.content_type),
        ("response-topic", &properties.response_topic),
        ("correlation-data", &properties.correlation),
    ] {
        if let Some(value) = value {
            add(name, &[value]);
        }
    }
    all
}

/// From `Client mosq-1 received PUBACK (Mid: 1, RC:135)`.
fn reason(ended: &Ended) -> Option<u8> {
    let (_, rest) = ended.stdout.split_once(", RC:")?;
    rest.split(')').next()?.parse().ok()
}

fn parse(line: &str) -> Option<Message> {
    let parts: Vec<&str> = line.strip_prefix("message\t")?.splitn(10, '\t').collect();
    let text = |at: usize| (!parts[at].is_empty()).then(|| parts[at].to_owned());
    let pair = |pair: &str| {
        let (key, value) = pair.split_once(':')?;
        Some((key.to_owned(), value.to_owned()))
    };
    Some(Message {
        topic: parts[0].to_owned(),
        qos: parts[1].parse().unwrap(),
        retain: parts[2] == "1",
        payload: (*parts.last()?).to_owned(),
        properties: Properties {
            expiry_secs: parts[3].parse().ok(),
            content_type: text(4),
            response_topic: text(5),
            correlation: text(6),
            subscriptions: parts[7]
                .split(' ')
                .filter_map(|id| id.parse().ok())
                .collect(),
            user: parts[8].split(' ').filter_map(pair).collect(),
        },
    })
}
