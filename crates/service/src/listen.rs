//! Listening sockets: `[::]` stands for IPv4 as well, and a port that is taken says so in a
//! sentence.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the kernel may complete before we accept them.
const BACKLOG: i32 = 1024;

/// Why a listener cannot be opened. Each says what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The text is no address.
    #[error("{address:?} is not an address for --{flag}: write it as 127.0.0.1:8080 or [::]:8080")]
    Address {
        /// The flag without its dashes, e.g. `mqtts`.
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
        /// The flag without its dashes.
        flag: &'static str,
        /// As it was given.
        address: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
}

/// Opens a listener on the address, and tells the address with the port that was chosen. Must
/// be called within a tokio runtime.
pub fn listen(flag: &'static str, address: &str) -> Result<(TcpListener, SocketAddr), ListenError> {
    let parsed = address.parse().map_err(|_| ListenError::Address {
        flag,
        address: address.to_owned(),
    })?;
    let opened = || {
        let listener = open(parsed)?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    opened().map_err(|source| ListenError::Listen {
        flag,
        address: address.to_owned(),
        source,
    })
}

/// On a machine without IPv6, `[::]` means IPv4 alone.
fn open(address: SocketAddr) -> std::io::Result<TcpListener> {
    match bind(address) {
        Err(error) if is_any_v6(address) && lacks_ipv6(&error) => {
            bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), address.port()).into())
        }
        result => result,
    }
}

fn is_any_v6(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

fn lacks_ipv6(error: &std::io::Error) -> bool {
    // EAFNOSUPPORT (the kernel has no IPv6) has no kind of its own in the standard library.
    const EAFNOSUPPORT: i32 = 97;
    error.kind() == std::io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(EAFNOSUPPORT)
}

fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_address_of_all_interfaces_takes_both_families() {
        let (_listener, address) = listen("http", "[::]:0").unwrap();
        let port = address.port();
        for host in ["127.0.0.1", "::1"] {
            tokio::net::TcpStream::connect((host, port)).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named_with_its_flag() {
        let (_taken, address) = listen("http", "127.0.0.1:0").unwrap();
        let address = address.to_string();
        let error = listen("http", &address).unwrap_err().to_string();
        assert!(
            error.contains(&address) && error.contains("--http"),
            "{error}"
        );
        let error = listen("mqtts", "everywhere").unwrap_err().to_string();
        assert!(
            error.contains("everywhere") && error.contains("--mqtts"),
            "{error}"
        );
    }
}
