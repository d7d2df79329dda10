//! A connection that speaks MQTT 5 from bytes made beforehand.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context as _, bail};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio_rustls::TlsConnector;

use crate::packet::{self, Received};

/// Bytes that one read takes at most.
const READ_BYTES: usize = 64 * 1024;

/// TCP, or TLS over it.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Where to connect, and how.
#[derive(Debug, Clone)]
pub struct Way {
    /// The listener.
    pub address: SocketAddr,
    /// TLS, if it is to be used.
    pub tls: Option<Arc<ClientConfig>>,
    /// The kernel's buffer for what arrives, in bytes: a small one makes a slow reader.
    pub receive_buffer: Option<u32>,
    /// The own address; none: the system chooses.
    pub from: Option<Ipv4Addr>,
}

impl Way {
    /// A connection on which nothing of MQTT has been said.
    pub async fn open(&self) -> anyhow::Result<Box<dyn Stream>> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = self.receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        if let Some(from) = self.from {
            socket.bind(SocketAddr::from((from, 0)))?;
        }
        let tcp = socket.connect(self.address).await?;
        tcp.set_nodelay(true)?;
        Ok(match &self.tls {
            None => Box::new(tcp),
            Some(config) => {
                let name = ServerName::try_from(netmonitor_protocol::HUB_TLS_NAME)?;
                let connector = TlsConnector::from(config.clone());
                Box::new(connector.connect(name, tcp).await?)
            }
        })
    }
}

/// A connection that the broker has accepted.
pub struct Raw {
    stream: Box<dyn Stream>,
    incoming: Vec<u8>,
}

impl Raw {
    /// Connects with this CONNECT packet, and waits for the broker's word.
    pub async fn connect(way: &Way, connect: &[u8]) -> anyhow::Result<Self> {
        let mut raw = Self {
            stream: way.open().await?,
            incoming: Vec::new(),
        };
        raw.write(connect).await?;
        match raw.answer().await? {
            Answer::ConnAck(0) => Ok(raw),
            other => bail!("the broker does not accept the connection: {other:?}"),
        }
    }

    /// Subscribes, and waits for the broker's word.
    pub async fn subscribe(&mut self, filters: &[String], qos: u8) -> anyhow::Result<()> {
        self.write(&packet::subscribe(1, filters, qos)).await?;
        match self.answer().await? {
            Answer::SubAck(code) if code < 0x80 => Ok(()),
            other => bail!("the broker does not accept the subscription: {other:?}"),
        }
    }

    /// Writes all of it.
    pub async fn write(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// Hands over every packet that is whole, once at least one is or `most` more bytes were
    /// read. Cancel safe.
    pub async fn read(
        &mut self,
        most: usize,
        mut each: impl FnMut(Received<'_>),
    ) -> anyhow::Result<()> {
        // There may be something left that came behind an answer.
        if packet::first(&self.incoming).is_none() {
            self.fill(most).await?;
        }
        let mut at = 0;
        while let Some((received, length)) = packet::first(&self.incoming[at..]) {
            if let Received::Disconnect(reason) = received {
                bail!("the broker ends the connection: reason {reason:#04x}");
            }
            each(received);
            at += length;
        }
        self.incoming.drain(..at);
        Ok(())
    }

    async fn fill(&mut self, most: usize) -> anyhow::Result<()> {
        self.incoming.reserve(READ_BYTES);
        let mut limited = (&mut self.stream).take(most as u64);
        let read = limited.read_buf(&mut self.incoming).await;
        if read.context("the connection broke")? == 0 {
            bail!("the broker has closed the connection");
        }
        Ok(())
    }

    /// Reads once, as much as there is.
    pub async fn read_all(&mut self, each: impl FnMut(Received<'_>)) -> anyhow::Result<()> {
        self.read(READ_BYTES, each).await
    }

    /// Says DISCONNECT and closes.
    pub async fn leave(mut self) -> anyhow::Result<()> {
        self.write(&packet::DISCONNECT).await?;
        self.stream.shutdown().await?;
        Ok(())
    }

    /// The next CONNACK or SUBACK. What comes behind it waits for [`Raw::read`].
    async fn answer(&mut self) -> anyhow::Result<Answer> {
        loop {
            while let Some((received, length)) = packet::first(&self.incoming) {
                let answer = match received {
                    Received::ConnAck(code) => Some(Answer::ConnAck(code)),
                    Received::SubAck(code) => Some(Answer::SubAck(code)),
                    _ => None,
                };
                self.incoming.drain(..length);
                if let Some(answer) = answer {
                    return Ok(answer);
                }
            }
            self.fill(READ_BYTES).await?;
        }
    }
}

#[derive(Debug)]
enum Answer {
    ConnAck(u8),
    SubAck(u8),
}
