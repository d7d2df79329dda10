//! More names than anybody can remember.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng as _;
use rand::rngs::StdRng;
use tokio::time::timeout;

use super::abuser::{Abuser, RETAINED};
use super::bout::{AtOnce, Tally};
use crate::packet::{self, Publish};
use crate::raw::Raw;

/// Topics of a bout.
const TOPICS: usize = 3_000;

/// Clients of a bout with many filters, how many at the same time, and the filters of each: some
/// more than a client may have.
const CLIENTS: usize = 40;
const AT_ONCE: usize = 8;
const FILTERS: usize = 70;

/// Filters of one packet.
const TOGETHER: usize = 10;

/// For so long it reads what comes.
const LISTENS: Duration = Duration::from_millis(200);

pub(super) async fn topics(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let way = abuser.way(random);
    let connect = abuser.connect(random, "topics", None);
    let are_retained = random.random_ratio(1, 2);
    tally.connected();
    let Ok(mut raw) = Raw::connect(&way, &connect).await else {
        return;
    };
    for sent in 1..=TOPICS {
        let topic = if are_retained {
            abuser.topic(random, RETAINED)
        } else {
            abuser.new_topic(random)
        };
        let payload = Abuser::payload(random, 200);
        let mut publish = Publish::new(&topic, &payload, 1, are_retained);
        publish.set_packet_id(1 + u16::try_from(sent % 100).unwrap_or_default());
        if raw.write(publish.bytes()).await.is_err() {
            return;
        }
        tally.sent(1);
        if sent % 100 == 0 && !listen(&mut raw).await {
            return;
        }
    }
    let _hung_up = raw.leave().await;
}

pub(super) async fn filters(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let mut clients = AtOnce::new(AT_ONCE);
    for client in 0..CLIENTS {
        let way = abuser.way(random);
        let connect = abuser.connect(random, &format!("filters-{client}"), None);
        let filters: Vec<String> = (0..FILTERS).map(|_| abuser.new_filter(random)).collect();
        let unsubscribes = random.random();
        let says_goodbye: bool = random.random();
        tally.connected();
        clients
            .start(async move {
                let Ok(mut raw) = Raw::connect(&way, &connect).await else {
                    return;
                };
                for together in filters.chunks(TOGETHER) {
                    if raw.write(&packet::subscribe(1, together, 1)).await.is_err() {
                        return;
                    }
                    if unsubscribes && raw.write(&packet::unsubscribe(2, together)).await.is_err() {
                        return;
                    }
                }
                if listen(&mut raw).await && says_goodbye {
                    let _hung_up = raw.leave().await;
                }
            })
            .await;
    }
    clients.all().await;
}

/// Reads for a moment. False: the connection has ended.
async fn listen(raw: &mut Raw) -> bool {
    match timeout(LISTENS, raw.read_all(|_| {})).await {
        Ok(read) => read.is_ok(),
        Err(_) => true,
    }
}
