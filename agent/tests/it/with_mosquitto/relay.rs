//! A way to the broker that can be cut without either end being told.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// Listens on a port of its own and passes everything on to another one. When dropped, its port
/// is closed and so are its connections.
pub(super) struct Relay {
    address: String,
    cut: watch::Sender<()>,
    shut: watch::Sender<bool>,
    given_up: Arc<Notify>,
    _accepting: JoinSet<()>,
}

impl Relay {
    pub(super) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (cut, is_cut) = watch::channel(());
        let given_up = Arc::new(Notify::new());
        let noted = given_up.clone();
        let (shut, is_shut) = watch::channel(false);
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut carrying = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if *is_shut.borrow() {
                    continue;
                }
                // Those that come later are whole.
                let mut is_cut = is_cut.clone();
                is_cut.mark_unchanged();
                carrying.spawn(carry(client, to, is_cut, noted.clone()));
            }
        });
        Self {
            address,
            cut,
            shut,
            given_up,
            _accepting: accepting,
        }
    }

    pub(super) fn address(&self) -> String {
        self.address.clone()
    }

    /// From now on nothing passes through the connections that stand, and neither end is told.
    pub(super) fn cut(&self) {
        self.cut.send_replace(());
    }

    /// From now on new connections are closed at once; those that stand go on.
    pub(super) fn shut(&self) {
        self.shut.send_replace(true);
    }

    /// Waits until the client of a connection that was cut has closed it.
    pub(super) async fn given_up(&self) {
        self.given_up.notified().await;
    }
}

async fn carry(
    mut client: TcpStream,
    to: u16,
    mut is_cut: watch::Receiver<()>,
    given_up: Arc<Notify>,
) {
    let Ok(mut broker) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else {
        return;
    };
    tokio::select! {
        _ended = copy_bidirectional(&mut client, &mut broker) => return,
        _cut = is_cut.changed() => {}
    }
    let mut swallowed = [0; 4096];
    while matches!(client.read(&mut swallowed).await, Ok(1..)) {}
    given_up.notify_one();
    // The broker hears nothing of it.
    std::future::pending::<()>().await;
}
