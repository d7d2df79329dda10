//! What is no MQTT, or only half of it.

use std::sync::Arc;
use std::time::Duration;

use netmonitor_testkit::broken_conversation;
use rand::Rng as _;
use rand::rngs::StdRng;
use tokio::io::AsyncWriteExt as _;

use super::abuser::Abuser;
use super::bout::{AtOnce, Tally, drain, say};

/// Broken conversations of a bout, and how many at the same time.
const CONVERSATIONS: usize = 300;
const AT_ONCE: usize = 32;

/// For so long it listens to what the broker says.
const LISTENS: Duration = Duration::from_secs(2);

/// Sockets of a bout that say nothing more.
const SILENT: usize = 150;

/// What they have said before: nothing, and beginnings of MQTT and TLS.
const BEGINNINGS: [&[u8]; 4] = [
    b"",
    b"\x10",
    b"\x10\x20\0\x04MQTT",
    b"\x16\x03\x01\x02\0\x01",
];

pub(super) async fn broken(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let mut conversations = AtOnce::new(AT_ONCE);
    for _ in 0..CONVERSATIONS {
        let id = format!("broken-{}", random.random_range(0..3));
        let connect = abuser.connect(random, &id, None);
        let said = broken_conversation(random, &connect);
        let way = abuser.any_way(random);
        tally.connected();
        let conversation = async move {
            if let Ok(mut stream) = way.open().await {
                say(&mut *stream, &said, LISTENS).await;
            }
        };
        conversations.start(conversation).await;
    }
    conversations.all().await;
}

pub(super) async fn silent(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let mut sockets = AtOnce::new(SILENT);
    for _ in 0..SILENT {
        let mut way = abuser.any_way(random);
        // Those that have come through TLS are silent as well, some of them.
        way.tls = way.tls.filter(|_| random.random_ratio(1, 4));
        let said = match random.random_range(0..=BEGINNINGS.len()) {
            at if at < BEGINNINGS.len() => BEGINNINGS[at].to_vec(),
            _ => {
                let mut connect = abuser.connect(random, "silent", None);
                connect.truncate(random.random_range(0..connect.len()));
                connect
            }
        };
        tally.connected();
        let socket = async move {
            if let Ok(mut stream) = way.open().await {
                let _hung_up = stream.write_all(&said).await;
                let _hung_up = stream.flush().await;
                drain(&mut *stream).await;
            }
        };
        sockets.start(socket).await;
    }
    sockets.all().await;
}
