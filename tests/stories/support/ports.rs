//! Ports that stay free while nobody listens there.

use std::net::TcpListener;
use std::ops::Range;

/// Linux gives no port below 32768 to who asks for any (`ip_local_port_range`, ip(7)), so that a
/// program finds its own free again however long it was gone.
const RANGE: Range<u16> = 10_000..32_768;

/// One of them.
pub(crate) fn lasting_port() -> u16 {
    loop {
        let port = rand::random_range(RANGE);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
