//! The hub's own desktop, with a real notification daemon. Needs dbus-daemon, dunst and Xvfb.

use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use netmonitor_alerting::channels::SendError;
use netmonitor_alerting::words::Words;
use netmonitor_protocol::payload::ChannelKind;
use netmonitor_rules::alert::NoticeKind;
use netmonitor_service::channel_secrets::ChannelSecret;
use netmonitor_testkit::eventually;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;

use crate::apart::apart;
use crate::site::{DEADLINE, Site, notice, words};

/// A bus, a screen and a notification daemon, in the folder in which it is started.
const SESSION: &str = include_str!("with_desktop/session.sh");

/// All of it ends with the test.
struct Session(Child);

impl Session {
    fn start(folder: &Path) -> Self {
        let process = Command::new("sh")
            .args(["-c", SESSION])
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        Self(process)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap());
        // It may have ended by itself.
        let _ended = killpg(group, Signal::SIGKILL);
        let _status = self.0.wait();
    }
}

fn ask(what: &str) -> String {
    let output = Command::new("timeout")
        .args(["5", "dunstctl", what])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// Title and text of what is shown and has been, the newest first.
fn shown() -> Vec<(String, String)> {
    ask("close-all");
    let Ok(history) = serde_json::from_str::<Value>(&ask("history")) else {
        return Vec::new();
    };
    let text = |it: &Value, key: &str| it[key]["data"].as_str().unwrap_or_default().to_owned();
    let all = history["data"][0].as_array().cloned().unwrap_or_default();
    all.iter()
        .map(|it| (text(it, "summary"), text(it, "body")))
        .collect()
}

/// How many are on the screen.
fn on_screen() -> u64 {
    ask("count")
        .lines()
        .find_map(|line| line.trim().strip_prefix("Currently displayed: "))
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or_default()
}

async fn show(site: &Site, kind: NoticeKind, title: &str) -> Result<String, SendError> {
    let words = Words {
        title: title.to_owned(),
        text: "Above 90 % <since> noon & more.".to_owned(),
        ..words()
    };
    let nothing = ChannelSecret::default();
    site.send(ChannelKind::Desktop, nothing, &notice(kind), &words)
        .await
}

#[test]
fn whoever_is_logged_in_at_the_hub_sees_it_and_its_end_in_its_place() {
    apart(
        "with_desktop::whoever_is_logged_in_at_the_hub_sees_it_and_its_end_in_its_place",
        |folder| {
            let bus = format!("unix:path={}", folder.join("bus").display());
            vec![("DBUS_SESSION_BUS_ADDRESS", bus)]
        },
        async |folder| {
            let _session = Session::start(folder);
            eventually("dunst is there", DEADLINE, || {
                ask("is-paused").contains("false")
            });
            let site = Site::new();
            let answer = show(&site, NoticeKind::Firing, "ws-14: memory").await;
            assert_eq!(answer.as_deref(), Ok("shown on the hub's desktop"));
            eventually("it is on the screen", DEADLINE, || on_screen() == 1);
            let answer = show(&site, NoticeKind::Resolved, "ws-14: memory back").await;
            assert!(answer.is_ok(), "{answer:?}");
            assert_eq!(on_screen(), 1, "the end takes the place of the begin");
            let all = shown();
            let (title, text) = &all[0];
            assert_eq!(title, "ws-14: memory back");
            assert!(
                text.starts_with("Above 90 % &lt;since&gt; noon &amp; more.\nhttp://"),
                "no markup: {text}"
            );
        },
    );
}

#[test]
fn without_a_desktop_it_says_so() {
    apart(
        "with_desktop::without_a_desktop_it_says_so",
        |_| vec![("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus")],
        async |_| {
            let error = show(&Site::new(), NoticeKind::Firing, "x")
                .await
                .unwrap_err();
            assert!(!error.is_permanent, "somebody may log in");
            assert!(error.text.contains("there is no desktop here"), "{error:?}");
        },
    );
}
