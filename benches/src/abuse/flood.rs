//! More than anybody can take.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio::io::{AsyncWriteExt as _, sink};
use tokio::time::{sleep, timeout};

use super::abuser::{Abuser, RETAINED};
use super::bout::{AtOnce, Tally};
use crate::packet::Publish;
use crate::raw::Way;

/// Connections of a bout, at most.
const CONNECTIONS: usize = 4;

/// Messages of one of them, and how many are written together.
const MESSAGES: u64 = 20_000;
const TOGETHER: usize = 50;

/// Bytes of a payload, mostly.
const PAYLOAD_MAX: usize = 1_000;

/// More than a packet may have.
const TOO_LARGE: usize = 300_000;

/// The longest flood.
const LASTS: Duration = Duration::from_secs(8);

/// How one of them floods.
struct Flood {
    way: Way,
    connect: Vec<u8>,
    random: StdRng,
    /// It does not read what the broker answers.
    is_deaf: bool,
    retain: bool,
    qos: u8,
}

pub(super) async fn flood(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let mut floods = AtOnce::new(CONNECTIONS);
    for connection in 0..random.random_range(1..=CONNECTIONS) {
        let flood = Flood {
            way: abuser.way(random),
            connect: abuser.connect(random, &format!("flood-{connection}"), None),
            random: StdRng::seed_from_u64(random.random()),
            is_deaf: random.random_ratio(1, 3),
            retain: random.random_ratio(1, 4),
            qos: random.random_range(0..3),
        };
        tally.connected();
        let (abuser, tally) = (abuser.clone(), tally.clone());
        let flooding = async move {
            let _over = timeout(LASTS, flood.run(&abuser, &tally)).await;
        };
        floods.start(flooding).await;
    }
    floods.all().await;
}

impl Flood {
    async fn run(mut self, abuser: &Abuser, tally: &Arc<Tally>) -> anyhow::Result<()> {
        let (mut answers, mut out) = tokio::io::split(self.way.open().await?);
        out.write_all(&self.connect).await?;
        let is_deaf = self.is_deaf;
        let writing = async {
            let mut sent = 0;
            while sent < MESSAGES {
                let batch = self.batch(abuser);
                out.write_all(&batch).await?;
                out.flush().await?;
                sent += TOGETHER as u64;
                tally.sent(TOGETHER as u64);
                // Others of this program have their turn.
                tokio::task::yield_now().await;
            }
            anyhow::Ok(())
        };
        let reading = async {
            if is_deaf {
                sleep(LASTS).await;
            }
            // It has ended by itself if this ends.
            let _hung_up = tokio::io::copy(&mut answers, &mut sink()).await;
        };
        tokio::select! {
            written = writing => written,
            () = reading => Ok(()),
        }
    }

    fn batch(&mut self, abuser: &Abuser) -> Vec<u8> {
        let mut batch = Vec::new();
        for _ in 0..TOGETHER {
            let topic = abuser.topic(&mut self.random, RETAINED);
            let payload = if self.random.random_ratio(1, 5_000) {
                vec![b'x'; TOO_LARGE]
            } else {
                Abuser::payload(&mut self.random, PAYLOAD_MAX)
            };
            let mut publish = Publish::new(&topic, &payload, self.qos, self.retain);
            if self.qos > 0 {
                publish.set_packet_id(self.random.random_range(1..=u16::MAX));
            }
            batch.extend_from_slice(publish.bytes());
        }
        batch
    }
}
