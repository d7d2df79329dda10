//! Connections and nothing else.

use std::sync::Arc;

use rand::Rng as _;
use rand::rngs::StdRng;
use tokio::io::AsyncWriteExt as _;

use super::abuser::Abuser;
use super::bout::{AtOnce, Tally};
use crate::packet;
use crate::raw::{Raw, Way};

/// Connections of a bout, and how many at the same time.
const CONNECTIONS: usize = 500;
const AT_ONCE: usize = 64;

/// How one of them ends.
#[derive(Clone, Copy)]
enum End {
    /// Properly, once it is accepted.
    Goodbye,
    /// Without a word, once it is accepted.
    Lost,
    /// Before the broker could answer.
    Early,
    /// After it has asked for something that is never read.
    Unread,
}

pub(super) async fn storm(abuser: &Abuser, random: &mut StdRng, tally: &Arc<Tally>) {
    let one_id = random.random_ratio(1, 3);
    let mut connections = AtOnce::new(AT_ONCE);
    for number in 0..CONNECTIONS {
        let id = if one_id {
            "storm".to_owned()
        } else {
            format!("storm-{number}")
        };
        let connect = abuser.connect(random, &id, None);
        let way = abuser.way(random);
        let ends = [End::Goodbye, End::Lost, End::Early, End::Unread];
        let end = ends[random.random_range(0..ends.len())];
        let filter = abuser.wide_filter(random);
        tally.connected();
        let connection = async move {
            // That it is refused or ended is no error here.
            let _refused = match end {
                End::Early => early(&way, &connect).await,
                end => accepted(&way, &connect, end, filter).await,
            };
        };
        connections.start(connection).await;
    }
    connections.all().await;
}

async fn early(way: &Way, connect: &[u8]) -> anyhow::Result<()> {
    let mut stream = way.open().await?;
    stream.write_all(connect).await?;
    stream.flush().await?;
    Ok(())
}

async fn accepted(way: &Way, connect: &[u8], end: End, filter: String) -> anyhow::Result<()> {
    let mut raw = Raw::connect(way, connect).await?;
    match end {
        End::Goodbye => raw.leave().await,
        End::Unread => raw.write(&packet::subscribe(1, &[filter], 1)).await,
        End::Lost | End::Early => Ok(()),
    }
}
