//! Copies of a machine's disk.

use std::process::Command;

use netmonitor_protocol::payload::Status;
use netmonitor_protocol::{Message, SessionId};
use nix::sys::signal::Signal;

use super::join;
use crate::program::{Running, agent, output, until};

/// What an agent that gives way says.
const GIVES_WAY: &str = "another agent uses the identity of this one";

#[tokio::test]
async fn of_two_agents_with_one_identity_one_gives_way_and_says_so_once() {
    let mut joined = join().await;
    let copy = tempfile::tempdir().unwrap();
    let identity = joined.state.path().join("identity.json");
    std::fs::copy(identity, copy.path().join("identity.json")).unwrap();
    let logs = [copy.path().join("one.log"), copy.path().join("two.log")];
    let start = |mut command: Command, log| {
        let log = std::fs::File::create(log).unwrap();
        Running::start(command.stderr(log))
    };
    let arguments = ["run", "--interval", "1s"];
    let mut agents = [
        start(joined.command(&arguments), &logs[0]),
        start(agent(copy.path(), &arguments), &logs[1]),
    ];
    let said = || {
        logs.each_ref().map(|log| {
            let text = std::fs::read_to_string(log).unwrap();
            text.matches(GIVES_WAY).count()
        })
    };
    let have_one = || said().iter().sum::<usize>() == 1;
    until("one gives way", have_one).await;
    joined.hub.catch_up().await;

    // The other one stays: five samples of one session, and nobody is born in between.
    let other = joined.hub.next_sample().await.session;
    let mut of_the_other: Vec<SessionId> = Vec::new();
    while of_the_other.len() < 5 {
        match joined.hub.next().await {
            Message::DeviceMetrics(_, sample) if sample.session == other => {
                of_the_other.push(sample.session);
            }
            Message::DeviceMetrics(..) => of_the_other.clear(),
            Message::DeviceSession(_, born) => {
                assert_eq!(born.session, other, "it came back within seconds");
            }
            _ => {}
        }
    }
    assert!(have_one(), "{:?}", said());

    // Whoever has given way is not heard when it ends: the other one is there.
    let gave_way = said().iter().position(|count| *count > 0).unwrap();
    agents[gave_way].signal(Signal::SIGTERM);
    agents[gave_way].ended();
    joined.hub.next_sample().await;
    agents[1 - gave_way].signal(Signal::SIGTERM);
    let died = joined.hub.next_status(Status::Offline).await;
    assert_eq!(died, Some(other));
}

/// Needs root, for a mount namespace in which `/etc/machine-id` is another one.
#[tokio::test]
async fn a_copied_disk_says_what_to_do_and_a_moved_one_is_told_to_keep_its_identity() {
    let mut joined = join().await;
    let folder = tempfile::tempdir().unwrap();
    let id = folder.path().join("machine-id");
    std::fs::write(&id, "00112233445566778899aabbccddeeff\n").unwrap();
    let elsewhere = |command: &Command| {
        let mut other = Command::new("unshare");
        other
            .args(["--mount", "sh", "-c"])
            .arg("mount --bind \"$0\" /etc/machine-id && exec \"$@\"")
            .arg(&id)
            .arg(command.get_program())
            .args(command.get_args());
        for (name, value) in command.get_envs() {
            other.env(name, value.unwrap());
        }
        other
    };
    let run = ["run", "--interval", "1s"];
    let (exit, _, stderr) = output(&mut elsewhere(&joined.command(&run)));
    assert_eq!(exit, Some(1));
    for part in [
        "the identity of ws-14 was made for another machine",
        "`netmonitor-agent join --force CODE`",
        "`netmonitor-agent join --keep-identity`",
    ] {
        assert!(stderr.contains(part), "{part} is missing in: {stderr}");
    }
    let (_, stdout, _) = output(&mut elsewhere(&joined.command(&["status"])));
    assert!(stdout.contains("another machine"), "{stdout}");

    let mut running = joined.run();
    joined.birth().await;
    running.signal(Signal::SIGTERM);
    running.ended();
    joined.hub.next_status(Status::Offline).await;

    let keep = joined.command(&["join", "--keep-identity"]);
    let (exit, stdout, stderr) = output(&mut elsewhere(&keep));
    assert_eq!((exit, stderr.as_str()), (Some(0), ""));
    assert_eq!(stdout, "this machine is ws-14 from now on\n");
    let _running = Running::start(&mut elsewhere(&joined.command(&run)));
    joined.birth().await;
    assert_eq!(output(&mut joined.command(&run)).0, Some(1), "and not here");
}
