//! What is done to sockets, and why the broker may not start.

use std::time::Duration;

use netmonitor_service::listen::ListenError;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// When the kernel starts to ask whether a quiet peer is still there. The keepalive of MQTT is
/// faster; this is for those who switched it off.
const TCP_KEEPALIVE: Duration = Duration::from_mins(2);

/// Why the broker cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A listener cannot be opened.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The thread of the router did not come up.
    #[error("cannot start the broker's router")]
    Router,
}

/// What every accepted socket gets. A socket that refuses is already broken, which will show.
pub(crate) fn tune(socket: &TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(TCP_KEEPALIVE);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}
