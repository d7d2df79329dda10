//! A socket on which a stranger can say only so much, whatever is spoken above it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf, Take};
use tokio::net::TcpStream;

use crate::doors::Waiting;

/// All that a stranger may send: a handshake of TLS or WebSocket, a CONNECT, and what an eager
/// client sends behind it. Then it seems to have closed its end.
const ALLOWANCE: u64 = 64 * 1024;

/// The socket.
pub(crate) struct Guarded {
    socket: Take<TcpStream>,
    released: Arc<AtomicBool>,
    waiting: Waiting,
}

/// Ends the guard.
pub(crate) struct Release(Arc<AtomicBool>);

impl Release {
    /// The client has shown its credential.
    pub(crate) fn release(self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Guarded {
    /// It says in `waiting` whether it is the peer that is waited for.
    pub(crate) fn new(socket: TcpStream, waiting: Waiting) -> (Self, Release) {
        let released = Arc::new(AtomicBool::new(false));
        let release = Release(released.clone());
        let socket = socket.take(ALLOWANCE);
        let guarded = Self {
            socket,
            released,
            waiting,
        };
        (guarded, release)
    }

    fn writer(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.socket.get_mut())
    }
}

impl AsyncRead for Guarded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.released.load(Ordering::Relaxed) {
            self.socket.set_limit(u64::MAX);
        }
        let read = Pin::new(&mut self.socket).poll_read(cx, buf);
        self.waiting.set(read.is_pending());
        read
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = self.writer().poll_write(cx, bytes);
        self.waiting.set(written.is_pending());
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.writer().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.writer().poll_write_vectored(cx, bytes);
        self.waiting.set(written.is_pending());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.get_ref().is_write_vectored()
    }
}
