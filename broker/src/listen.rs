//! Listening sockets.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::{TcpListener, TcpStream};

/// Connections that the kernel may complete before we accept them.
const BACKLOG: i32 = 1024;
/// When the kernel starts to ask whether a quiet peer is still there. The keepalive of MQTT is
/// faster; this is for those who switched it off.
const TCP_KEEPALIVE: Duration = Duration::from_mins(2);

/// Why the broker cannot start. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The text is no address.
    #[error("{address:?} is not an address for --{flag}: write it as 127.0.0.1:1883 or [::]:8883")]
    Address {
        /// `mqtt` or `mqtts`.
        flag: &'static str,
        /// As it was given.
        address: String,
    },
    /// The system does not let us listen there.
    #[error(
        "cannot listen on {address} for --{flag}: stop what uses that port, \
         or choose another address with --{flag}"
    )]
    Listen {
        /// `mqtt` or `mqtts`.
        flag: &'static str,
        /// As it was given.
        address: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The thread of the router did not come up.
    #[error("cannot start the broker's router")]
    Router,
}

/// Opens a listener on the address.
pub(crate) fn listen(flag: &'static str, address: &str) -> Result<TcpListener, StartError> {
    let parsed = address.parse().map_err(|_| StartError::Address {
        flag,
        address: address.to_owned(),
    })?;
    open(parsed).map_err(|source| StartError::Listen {
        flag,
        address: address.to_owned(),
        source,
    })
}

/// `[::]` takes IPv4 as well; on a machine without IPv6 it takes IPv4 alone.
fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    match bind(address) {
        Err(err) if is_any_v6(address) && lacks_ipv6(&err) => {
            bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port()).into())
        }
        result => result,
    }
}

fn is_any_v6(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

fn lacks_ipv6(err: &std::io::Error) -> bool {
    // Linux's number for a kernel without IPv6: it has no kind in the standard library.
    const EAFNOSUPPORT: i32 = 97;
    err.kind() == std::io::ErrorKind::AddrNotAvailable || err.raw_os_error() == Some(EAFNOSUPPORT)
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // Only the address of all interfaces stands for both families.
        socket.set_only_v6(!is_any_v6(address))?;
    }
    // A restart must not wait for connections of the last run to time out. On Windows the same
    // option would let others take the port.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// What every accepted socket gets. A socket that refuses is already broken, which will show.
pub(crate) fn tune(socket: &TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let keepalive = TcpKeepalive::new().with_time(TCP_KEEPALIVE);
    SockRef::from(socket).set_tcp_keepalive(&keepalive)
}
