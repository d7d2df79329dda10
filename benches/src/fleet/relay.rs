//! The network between one agent and the hub: TCP that can be cut, slowed and left half open,
//! without either end knowing.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// For so long the hub's end of a connection stays open whose other end is gone.
const HALF_OPEN: Duration = Duration::from_mins(2);

/// One agent's way to the hub. Dropping it closes every connection.
#[derive(Debug)]
pub(super) struct Relay {
    address: SocketAddr,
    link: watch::Sender<Link>,
    /// Counts up: connections that stand then lose the agent's end.
    abandoned: watch::Sender<u64>,
    _task: JoinSet<()>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    open: bool,
    delay: Duration,
}

impl Relay {
    /// A way to this address, which is open.
    pub(super) async fn start(hub: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("cannot open a relay")?;
        let address = listener.local_addr()?;
        let (link, links) = watch::channel(Link {
            open: true,
            delay: Duration::ZERO,
        });
        let (abandoned, abandonments) = watch::channel(0);
        let mut task = JoinSet::new();
        task.spawn(accept(listener, hub, links, abandonments));
        Ok(Self {
            address,
            link,
            abandoned,
            _task: task,
        })
    }

    /// Where the agent reaches the hub.
    pub(super) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Nothing gets through any more, ends of connections included. What was on its way gets
    /// through when it is mended, as TCP sends again what was not acknowledged.
    pub(super) fn cut(&self) {
        self.link.send_modify(|link| link.open = false);
    }

    pub(super) fn mend(&self) {
        self.link.send_modify(|link| link.open = true);
    }

    /// Everything takes so much longer, each way.
    pub(super) fn slow(&self, delay: Duration) {
        self.link.send_modify(|link| link.delay = delay);
    }

    /// The agent loses its connection; the hub does not hear of it.
    pub(super) fn abandon(&self) {
        self.abandoned.send_modify(|number| *number += 1);
    }
}

async fn accept(
    listener: TcpListener,
    hub: String,
    links: watch::Receiver<Link>,
    abandonments: watch::Receiver<u64>,
) {
    let mut pairs = JoinSet::new();
    loop {
        tokio::select! {
            Ok((agent, _)) = listener.accept() => {
                let (mut abandonments, links) = (abandonments.clone(), links.clone());
                abandonments.mark_unchanged();
                pairs.spawn(pair(agent, hub.clone(), links, abandonments));
            }
            Some(_) = pairs.join_next() => {}
        }
    }
}

async fn pair(
    agent: TcpStream,
    hub: String,
    mut link: watch::Receiver<Link>,
    mut abandoned: watch::Receiver<u64>,
) {
    if link.wait_for(|link| link.open).await.is_err() {
        return;
    }
    let Ok(hub) = TcpStream::connect(hub).await else {
        // The agent's connection is closed, as if nobody listened there.
        return;
    };
    for socket in [&agent, &hub] {
        if socket.set_nodelay(true).is_err() {
            return;
        }
    }
    let (mut from_agent, mut to_agent) = agent.into_split();
    let (mut from_hub, mut to_hub) = hub.into_split();
    // The end of either direction ends the connection: MQTT has no half-closed ones.
    tokio::select! {
        () = copy(&mut from_agent, &mut to_hub, link.clone()) => return,
        () = copy(&mut from_hub, &mut to_agent, link.clone()) => return,
        Ok(()) = abandoned.changed() => {}
    }
    drop((from_agent, to_agent));
    sleep(HALF_OPEN).await;
}

/// Until the end of the connection, when that got through.
async fn copy(from: &mut OwnedReadHalf, to: &mut OwnedWriteHalf, mut link: watch::Receiver<Link>) {
    let mut buffer = vec![0; 4096];
    loop {
        let read = from.read(&mut buffer).await.unwrap_or(0);
        let Ok(delay) = link.wait_for(|link| link.open).await.map(|link| link.delay) else {
            return;
        };
        if !delay.is_zero() {
            sleep(delay).await;
        }
        if read == 0 || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::timeout;

    const SOON: Duration = Duration::from_secs(10);
    const A_WHILE: Duration = Duration::from_millis(50);

    async fn connected() -> (Relay, TcpStream, TcpStream) {
        let hub = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = hub.local_addr().unwrap().to_string();
        let relay = Relay::start(address).await.unwrap();
        let agent = TcpStream::connect(relay.address()).await.unwrap();
        let (hub, _) = timeout(SOON, hub.accept()).await.unwrap().unwrap();
        (relay, agent, hub)
    }

    async fn hears(socket: &mut TcpStream) -> usize {
        let mut buffer = [0; 16];
        let read = timeout(SOON, socket.read(&mut buffer)).await.unwrap();
        read.unwrap()
    }

    #[tokio::test]
    async fn what_is_said_while_the_cable_is_cut_arrives_when_it_is_mended() {
        let (relay, mut agent, mut hub) = connected().await;
        agent.write_all(b"before").await.unwrap();
        assert_eq!(hears(&mut hub).await, 6);
        relay.cut();
        agent.write_all(b"now").await.unwrap();
        drop(agent);
        let mut buffer = [0; 16];
        assert!(timeout(A_WHILE, hub.read(&mut buffer)).await.is_err());
        relay.mend();
        assert_eq!(hears(&mut hub).await, 3);
        assert_eq!(hears(&mut hub).await, 0, "the end arrives as well");
    }

    #[tokio::test]
    async fn the_hub_does_not_hear_of_an_abandoned_connection() {
        let (relay, mut agent, mut hub) = connected().await;
        agent.write_all(b"hello").await.unwrap();
        assert_eq!(hears(&mut hub).await, 5);
        relay.abandon();
        assert_eq!(hears(&mut agent).await, 0);
        let mut buffer = [0; 16];
        assert!(timeout(A_WHILE, hub.read(&mut buffer)).await.is_err());
    }
}
