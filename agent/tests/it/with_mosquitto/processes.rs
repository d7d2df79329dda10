//! The processes that need most, while someone looks.

use std::process::{Command, Stdio};
use std::time::Duration;

use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{Processes, Watch};

use super::{Joined, join};
use crate::program::Running;

impl Joined {
    async fn looks(&mut self, for_secs: u32) {
        let watch = Message::DeviceWatch("ws-14".parse().unwrap(), Watch { for_secs });
        self.hub.say(watch).await;
    }

    async fn processes(&mut self) -> Processes {
        self.hub
            .next_of(|message| match message {
                Message::DeviceProcesses(_, processes) => Some(processes),
                _ => None,
            })
            .await
    }

    fn has_told_processes(&self) -> bool {
        let is_it = |it: &Message| matches!(it, Message::DeviceProcesses(..));
        self.hub.everything_seen().iter().any(is_it)
    }
}

#[tokio::test]
async fn processes_are_told_by_name_while_someone_looks_and_only_then() {
    let mut joined = join().await;
    let _running = joined.run();
    joined.birth().await;
    joined.hub.next_sample().await;
    joined.hub.next_sample().await;
    assert!(!joined.has_told_processes());

    // A busy one, whose arguments are nobody's business.
    let mut busy = Command::new("sh");
    busy.args(["-c", "while :; do :; done", "a-secret"])
        .stdin(Stdio::null());
    let busy = Running::start(&mut busy);
    joined.looks(30).await;
    joined.processes().await;
    let processes = joined.processes().await;
    let own = processes.processes.iter().find(|it| it.pid == busy.pid());
    let own = own.expect("a busy process is among those that need most");
    assert_eq!(own.name, "sh");
    assert!(
        own.cpu_percent.unwrap() > 1.0 && own.memory_bytes > 100_000,
        "{own:?}"
    );
    assert!(processes.total as usize >= processes.processes.len());
    let text = serde_json::to_string(&processes).unwrap();
    assert!(
        !text.contains("a-secret") && !text.contains("while"),
        "{text}"
    );

    // A wish ends by itself: one for no time at all takes the place of the one before.
    joined.looks(0).await;
    joined.hub.catch_up().await;
    joined.hub.next_sample().await;
    joined.hub.forget();
    for _ in 0..7 {
        joined.hub.next_sample().await;
    }
    assert!(!joined.has_told_processes());
}

#[tokio::test]
async fn where_they_are_switched_off_nobody_sees_them() {
    let mut joined = join().await;
    joined.configure("[processes]\nshow = \"never\"\n");
    let _running = joined.run();
    joined.birth().await;
    joined.looks(60).await;
    let told = tokio::time::timeout(Duration::from_secs(8), joined.processes()).await;
    assert!(told.is_err(), "{told:?}");
}
