//! Memory of connections that only exist.

use std::time::Duration;

use netmonitor_protocol::{DeviceId, Topic};
use tokio::time::sleep;

use super::{Bench, Goal, Measured, over};

/// The broker's memory has settled when it is the same after this.
const SETTLE: Duration = Duration::from_millis(500);

/// Goal of 2,000 connections over TLS, the program included.
const MOST_MEGABYTES: f64 = 200.0;

pub(super) async fn measure(bench: &Bench<'_>, tls: bool) -> anyhow::Result<Vec<Measured>> {
    // What is made once, for the first connection, is not counted.
    for raw in bench.devices(bench.size.idle.min(10), tls).await? {
        raw.leave().await?;
    }
    let before = settled(bench).await?;
    let mut connections = bench.devices(bench.size.idle, tls).await?;
    for (raw, (id, _)) in connections.iter_mut().zip(&bench.site.devices) {
        raw.subscribe(&own_filters(id), 1).await?;
    }
    let after = settled(bench).await?;
    let number = connections.len() as f64;
    let way = over(tls);
    let each = after.saturating_sub(before) as f64 / number;
    let all = Measured::new(
        format!("{number} idle connections over {way}, whole process"),
        "MB",
        after as f64 / 1e6,
    );
    let goal = if tls && connections.len() >= 2_000 {
        Goal::AtMost(MOST_MEGABYTES)
    } else {
        Goal::None
    };
    Ok(vec![
        Measured::new(format!("idle connection over {way}"), "kB", each / 1e3),
        Measured::new(
            format!("idle connections over {way} per MB"),
            "",
            1e6 / each.max(1.0),
        ),
        all.with(goal),
    ])
}

/// As many of its own as an agent has.
pub(super) fn own_filters(device: &DeviceId) -> [String; 3] {
    [
        Topic::DeviceStatus(device.clone()),
        Topic::DeviceSession(device.clone()),
        Topic::DeviceSettings(device.clone()),
    ]
    .map(|topic| topic.to_string())
}

/// The broker's memory once it does not change any more.
pub(super) async fn settled(bench: &Bench<'_>) -> anyhow::Result<u64> {
    let mut last = bench.subject.program.resident_bytes()?;
    for _ in 0..20 {
        sleep(SETTLE).await;
        let now = bench.subject.program.resident_bytes()?;
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}
