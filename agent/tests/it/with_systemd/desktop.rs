//! What is shown on the desktop of whoever is logged in, by a real notification daemon, while the
//! agent runs as a service under another user. Needs dunst and Xvfb.

use std::process::Stdio;

use jiff::SignedDuration;
use netmonitor_protocol::Message;
use netmonitor_protocol::payload::{Notification, Severity};
use netmonitor_service::clock;
use serde_json::Value;

use super::installed::{PROGRAM, Site};
use crate::program::{Running, until, until_within};

/// A session of a user without rights: a bus, a screen, a notification daemon, and the agent's
/// voice as autostart has it.
const SESSION: &str = r#"
mkdir -m 700 /tmp/desk
cd /tmp/desk
cat > bus.conf <<END
<busconfig>
  <type>session</type>
  <listen>unix:path=/tmp/desk/bus</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
END
export HOME=/tmp/desk XDG_RUNTIME_DIR=/tmp/desk DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/desk/bus
export LANG=fr_FR.UTF-8
dbus-daemon --config-file=bus.conf --nofork &
mkfifo display
Xvfb -displayfd 1 -nolisten tcp -screen 0 640x480x24 > display &
read -r number < display
export DISPLAY=:$number
dunst &
exec "$0" notify
"#;

/// What the daemon has shown so far: title and text of each, the newest first.
fn shown(site: &Site) -> Vec<(String, String)> {
    let address = "DBUS_SESSION_BUS_ADDRESS=unix:path=/tmp/desk/bus";
    let user = ["--reuid=65534", "--clear-groups", "timeout", "5"];
    let ask = |what: &str| {
        let mut command = site.machine.command("setpriv");
        command
            .args(user)
            .args(["env", address, "dunstctl", what])
            .stderr(Stdio::null());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
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

#[tokio::test]
async fn whoever_is_logged_in_sees_what_the_hub_says_and_whether_it_is_there() {
    let mut site = Site::install().await;
    site.hub.next_sample().await;
    let mut session = site.machine.command("setpriv");
    session
        .args([
            "--reuid=65534",
            "--clear-groups",
            "sh",
            "-c",
            SESSION,
            PROGRAM,
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _session = Running::start(&mut session);
    let has = |site: &Site, title: &str| shown(site).iter().any(|(it, _)| it == title);
    until("the hub is there", || has(&site, "Connecté à NetMonitor")).await;

    let notification = |title: &str, expires_in: i64| {
        let notification = Notification {
            title: title.to_owned(),
            text: "Above 90 % <since> 12:04 & more.".to_owned(),
            severity: Severity::Critical,
            alert: Some("nas/disk-srv".to_owned()),
            expires: Some(clock::now() + SignedDuration::from_secs(expires_in)),
        };
        Message::DeviceNotify("ws-14".parse().unwrap(), notification)
    };
    site.hub.say(notification("too late", -60)).await;
    site.hub.say(notification("nas: disk /srv 96 %", 600)).await;
    until("it is shown", || has(&site, "nas: disk /srv 96 %")).await;
    let all = shown(&site);
    let (_, text) = all.iter().find(|(it, _)| it.starts_with("nas")).unwrap();
    assert_eq!(
        text, "Above 90 % &lt;since&gt; 12:04 &amp; more.",
        "no markup"
    );
    assert!(!has(&site, "too late"));

    site.broker.stop();
    let long = std::time::Duration::from_secs(40);
    until_within(long, "the hub is gone", || {
        has(&site, "Le hub NetMonitor est injoignable")
    })
    .await;
    let before = shown(&site).len();
    site.broker.restart();
    until("it is back", || {
        let all = shown(&site);
        all.len() > before && all[0].0 == "Connecté à NetMonitor"
    })
    .await;
}
