//! Those who ask for more than they take.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use tokio::time::sleep;

use super::abuser::{Abuser, RETAINED};
use super::bout::{AtOnce, Tally};
use crate::packet::{self, Publish};
use crate::raw::{Raw, Way};

/// Slow readers of a bout.
const READERS: usize = 6;

/// The kernel's buffer of one of them, in bytes, and how much it reads in how long.
const BUFFER: u32 = 4096;
const SIP: usize = 1024;
const REST: Duration = Duration::from_millis(200);

/// How often it reads.
const SIPS: usize = 40;

/// Sessions that are left behind in a bout, how many connect at the same time, and for how long
/// they are kept.
const SESSIONS: usize = 60;
const AT_ONCE: usize = 8;
const KEPT_SECS: u32 = 20;

/// Messages for them, of so many bytes.
const MESSAGES: usize = 2_000;
const PAYLOAD_BYTES: usize = 500;

pub(super) async fn readers(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let mut readers = AtOnce::new(READERS + 1);
    for reader in 0..READERS {
        let way = Way {
            receive_buffer: Some(BUFFER),
            ..abuser.way(random)
        };
        let connect = abuser.connect(random, &format!("slow-{reader}"), None);
        let filter = abuser.wide_filter(random);
        let qos = random.random_range(0..3);
        // Some do not read at all.
        let sip = if random.random() { SIP } else { 0 };
        tally.connected();
        readers
            .start(async move {
                let _ended = read_slowly(&way, &connect, filter, qos, sip).await;
            })
            .await;
    }
    let (way, connect) = (
        abuser.way(random),
        abuser.connect(random, "slow-talker", None),
    );
    let messages = messages(abuser, random, tally);
    readers
        .start(async move {
            let _ended = talk(&way, &connect, messages).await;
        })
        .await;
    readers.all().await;
}

async fn read_slowly(
    way: &Way,
    connect: &[u8],
    filter: String,
    qos: u8,
    sip: usize,
) -> anyhow::Result<()> {
    let mut raw = Raw::connect(way, connect).await?;
    raw.write(&packet::subscribe(1, &[filter], qos)).await?;
    for _ in 0..SIPS {
        if sip > 0 {
            // Nothing is ever acknowledged.
            raw.read(sip, |_| {}).await?;
        }
        sleep(REST).await;
    }
    Ok(())
}

pub(super) async fn sessions(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    // Twice: the second time some come back to what has waited for them.
    for _ in 0..2 {
        let mut sessions = AtOnce::new(AT_ONCE);
        for session in 0..SESSIONS {
            let id = format!("session-{}", random.random_range(0..session + 1));
            let connect = abuser.connect(random, &id, Some(KEPT_SECS));
            let (way, filter) = (abuser.way(random), abuser.wide_filter(random));
            tally.connected();
            sessions
                .start(async move {
                    if let Ok(mut raw) = Raw::connect(&way, &connect).await {
                        let _hung_up = raw.write(&packet::subscribe(1, &[filter], 1)).await;
                        let _hung_up = raw.read(SIP, |_| {}).await;
                    }
                })
                .await;
        }
        sessions.all().await;
        let (way, connect) = (abuser.way(random), abuser.connect(random, "talker", None));
        let messages = messages(abuser, random, tally);
        tally.connected();
        let _ended = talk(&way, &connect, messages).await;
    }
}

/// What is said to those who are slow, or away.
fn messages(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) -> Vec<Publish> {
    tally.sent(MESSAGES as u64);
    let mut next = || {
        let topic = abuser.topic(random, RETAINED);
        Publish::new(&topic, &[b'x'; PAYLOAD_BYTES], 1, false)
    };
    (0..MESSAGES).map(|_| next()).collect()
}

async fn talk(way: &Way, connect: &[u8], messages: Vec<Publish>) -> anyhow::Result<()> {
    let mut raw = Raw::connect(way, connect).await?;
    for mut publish in messages {
        publish.set_packet_id(1);
        raw.write(publish.bytes()).await?;
        raw.read_all(|_| {}).await?;
    }
    raw.leave().await
}
