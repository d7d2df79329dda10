//! A client in another language: a program that is told on standard input what to do, a line of
//! JSON each, and answers on standard output. Between the answers it says which messages came.

use std::cell::Cell;
use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::client::{
    Ability, Client, Connect, Connection, Door, Message, Properties, Subscribe, TLS_NAME,
    Transport, Version,
};
use crate::support::DEADLINE;

/// The program, with its connections.
pub(crate) struct Scripted {
    door: Door,
    program: Rc<Program>,
    connections: Cell<u64>,
}

struct Program {
    child: Mutex<Child>,
    input: Mutex<ChildStdin>,
    answers: Receiver<Value>,
    inboxes: Arc<Mutex<HashMap<u64, Sender<Message>>>>,
}

struct ScriptedConnection {
    program: Rc<Program>,
    number: u64,
    session_present: bool,
    inbox: Receiver<Message>,
}

impl Scripted {
    pub(crate) fn start(command: &mut Command, door: Door) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", command.get_program().display()));
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (answer, answers) = channel();
        let inboxes: Arc<Mutex<HashMap<u64, Sender<Message>>>> = Arc::default();
        let to = inboxes.clone();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let mut said: Value = serde_json::from_str(&line).expect("a line of JSON");
                if said["message"].is_null() {
                    // Nobody waits any more once the story has failed.
                    let _late = answer.send(said["answer"].take());
                } else {
                    let number = said["connection"].as_u64().unwrap();
                    let _late = to.lock().unwrap()[&number].send(parse(&said["message"]));
                }
            }
        });
        let program = Rc::new(Program {
            child: Mutex::new(child),
            input: Mutex::new(input),
            answers,
            inboxes,
        });
        Self {
            door,
            program,
            connections: Cell::default(),
        }
    }

    fn open(&self, options: &Connect) -> (ScriptedConnection, u64) {
        let number = self.connections.get() + 1;
        self.connections.set(number);
        let (sender, inbox) = channel();
        let inboxes = &self.program.inboxes;
        inboxes.lock().unwrap().insert(number, sender);
        let door = &self.door;
        let (user, password) = door.credentials(options.who);
        let answer = self.program.ask(
            number,
            "connect",
            json!({
                "version": if door.version == Version::V5 { 5 } else { 4 },
                "transport": match door.transport {
                    Transport::Tcp => "tcp",
                    Transport::Tls => "tls",
                    Transport::WebSocket => "ws",
                },
                "port": door.port.parse::<u16>().unwrap(),
                "ca": door.ca,
                "tls_name": TLS_NAME,
                "user": user,
                "password": password,
                "client_id": options.client_id,
                "clean": options.session_secs.is_none(),
                "session_expiry_secs": options.session_secs.unwrap_or(0),
                "will": options.will.as_ref().map(|will| json!({
                    "topic": will.topic,
                    "payload": will.payload,
                    "qos": will.qos,
                    "retain": will.retain,
                    "delay_secs": 0,
                })),
            }),
        );
        let connection = ScriptedConnection {
            program: self.program.clone(),
            number,
            session_present: answer["session_present"] == true,
            inbox,
        };
        (connection, answer["reason"].as_u64().unwrap())
    }
}

impl Client for Scripted {
    fn can(&self, _: Ability) -> bool {
        true
    }

    fn refusal(&self, options: &Connect) -> Option<u8> {
        let (_, reason) = self.open(options);
        (reason != 0).then(|| u8::try_from(reason).unwrap())
    }

    fn connect(&self, options: &Connect) -> Box<dyn Connection> {
        let (connection, reason) = self.open(options);
        assert_eq!(reason, 0, "not let in");
        Box::new(connection)
    }
}

impl Program {
    fn ask(&self, connection: u64, what: &str, mut request: Value) -> Value {
        request["connection"] = connection.into();
        request["do"] = what.into();
        writeln!(self.input.lock().unwrap(), "{request}").expect("the client has ended");
        let answer = self.answers.recv_timeout(DEADLINE);
        let answer = answer.unwrap_or_else(|error| panic!("{what}: no answer: {error}"));
        assert!(answer["error"].is_null(), "{what}: {}", answer["error"]);
        answer
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let mut child = self.child.lock().unwrap();
        let _gone = child.kill();
        let _gone = child.wait();
    }
}

impl ScriptedConnection {
    fn ask(&self, what: &str, request: Value) -> Option<u8> {
        let answer = self.program.ask(self.number, what, request);
        let reason = answer["reason"].as_u64()?;
        Some(u8::try_from(reason).unwrap())
    }
}

impl Connection for ScriptedConnection {
    fn session_present(&self) -> bool {
        self.session_present
    }

    fn subscribe(&mut self, subscribe: &Subscribe) -> u8 {
        let request = json!({
            "filter": subscribe.filter,
            "qos": subscribe.qos,
            "no_local": subscribe.no_local,
            "retain_as_published": subscribe.retain_as_published,
            "retain_handling": subscribe.retain_handling,
            "id": subscribe.id,
        });
        self.ask("subscribe", request).expect("a code")
    }

    fn unsubscribe(&mut self, filter: &str) {
        self.ask("unsubscribe", json!({ "filter": filter }));
    }

    fn publish(&mut self, message: &Message) -> Option<u8> {
        let properties = &message.properties;
        let request = json!({
            "topic": message.topic,
            "payload": message.payload,
            "qos": message.qos,
            "retain": message.retain,
            "properties": {
                "user": properties.user,
                "expiry_secs": properties.expiry_secs,
                "content_type": properties.content_type,
                "response_topic": properties.response_topic,
                "correlation": properties.correlation,
            },
        });
        self.ask("publish", request)
    }

    fn next(&mut self) -> Message {
        self.inbox.recv_timeout(DEADLINE).expect("a message")
    }

    fn arrived(&mut self) -> Vec<Message> {
        self.inbox.try_iter().collect()
    }

    fn disconnect(self: Box<Self>) {
        self.ask("disconnect", json!({}));
    }

    fn kill(self: Box<Self>) {
        self.ask("kill", json!({}));
    }
}

fn parse(message: &Value) -> Message {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let number = |value: &Value| u32::try_from(value.as_u64()?).ok();
    let properties = &message["properties"];
    let pair = |pair: &Value| Some((text(&pair[0])?, text(&pair[1])?));
    let list = |name: &str| properties[name].as_array().into_iter().flatten();
    Message {
        topic: text(&message["topic"]).unwrap(),
        payload: text(&message["payload"]).unwrap(),
        qos: u8::try_from(message["qos"].as_u64().unwrap()).unwrap(),
        retain: message["retain"] == true,
        properties: Properties {
            user: list("user").filter_map(pair).collect(),
            expiry_secs: number(&properties["expiry_secs"]),
            content_type: text(&properties["content_type"]),
            response_topic: text(&properties["response_topic"]),
            correlation: text(&properties["correlation"]),
            subscriptions: list("subscriptions").filter_map(number).collect(),
        },
    }
}
