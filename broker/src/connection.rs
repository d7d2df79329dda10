//! One socket, from accept to close: the loop round a [`Client`].

pub(crate) mod clock;
pub(crate) mod connect;
pub(crate) mod websocket;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Either, OptionFuture, select};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use crate::client::buffers::room_to_read;
use crate::client::{Client, End, Ended, Left, Turn, handle_some};
use crate::connection::clock::Clock;
use crate::connection::connect::{Admitted, admit};
use crate::counters::Counter;
use crate::doors::Ticket;
use crate::doors::guarded::Guarded;
use crate::edge::Edge;
use crate::router::Link;
use crate::session::sessions::Kick;
use crate::session::share::next_of;

/// How long the last words to a client may take. Nobody waits for them.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long to look for the last words of a client to which nothing can be written any more. A
/// socket that has failed says at once what it has.
const LAST_READ: Duration = Duration::from_millis(100);

/// How often to look whether a publisher that was too fast may go on, and when it may anyhow.
const CATCH_UP: Duration = Duration::from_millis(1);
const CATCH_UP_MAX: Duration = Duration::from_secs(10);

/// How often to look whether others have given back what a large packet needs.
const ROOM_AGAIN: Duration = Duration::from_millis(20);

/// Bytes that are read, and so packets that are dealt with, in one go.
const READ_MAX: u64 = 16 * 1024;
/// Bytes that are handed to TLS or WebSocket in one go, which keep them until they are sent.
const WRITE_MAX: usize = 16 * 1024;

/// What is spoken below MQTT.
#[derive(Clone)]
pub(crate) enum Transport {
    Plain,
    Tls(TlsAcceptor),
    WebSocket,
}

/// What is left to be done when a socket is closed: a session goes on.
type Afterlife = BoxFuture<'static, ()>;

/// Serves one accepted socket to its end, and then the session that it leaves. What a peer does
/// not say in time, it need not say.
pub(crate) async fn serve(
    edge: Arc<Edge>,
    socket: TcpStream,
    transport: Transport,
    peer: SocketAddr,
    mut ticket: Ticket,
) {
    let afterlife = serve_socket(edge.clone(), socket, transport, peer, &mut ticket).await;
    if ticket.is_sent_away() {
        edge.counters
            .turn_away(Counter::ConnectionsUnauthenticatedOverLimit, peer);
    }
    drop(ticket);
    if let Some(afterlife) = afterlife {
        afterlife.await;
    }
}

async fn serve_socket(
    edge: Arc<Edge>,
    socket: TcpStream,
    transport: Transport,
    peer: SocketAddr,
    ticket: &mut Ticket,
) -> Option<Afterlife> {
    let (socket, release) = Guarded::new(socket, ticket.waiting());
    let leave = ticket.leave();
    let admitted = || {
        release.release();
        ticket.admitted();
    };
    let patience = Duration::from_secs(edge.config.connect_timeout_secs);
    let deadline = Instant::now() + patience;
    // Boxed, here and below: what is needed once does not stay with every idle connection.
    match transport {
        Transport::Plain => {
            Box::pin(serve_stream(edge, socket, peer, deadline, &leave, admitted)).await
        }
        Transport::Tls(acceptor) => {
            let handshake = Box::pin(acceptor.accept(socket));
            let stream = shake_hands(&edge, handshake, peer, deadline, &leave).await?;
            Box::pin(serve_stream(edge, stream, peer, deadline, &leave, admitted)).await
        }
        Transport::WebSocket => {
            let handshake = Box::pin(websocket::accept(socket, edge.config.packet_max_bytes));
            let stream = shake_hands(&edge, handshake, peer, deadline, &leave).await?;
            Box::pin(serve_stream(edge, stream, peer, deadline, &leave, admitted)).await
        }
    }
}

/// The stream below MQTT, if the peer makes one with us in time.
async fn shake_hands<S, E: std::fmt::Display>(
    edge: &Edge,
    handshake: impl Future<Output = Result<S, E>>,
    peer: SocketAddr,
    deadline: Instant,
    leave: &CancellationToken,
) -> Option<S> {
    let shaken = tokio::select! {
        shaken = timeout_at(deadline, handshake) => shaken,
        () = leave.cancelled() => return None,
    };
    match shaken {
        Ok(Ok(stream)) => return Some(stream),
        Ok(Err(error)) => tracing::debug!(%peer, %error, "handshake failed"),
        Err(_) => tracing::debug!(%peer, "handshake took too long"),
    }
    edge.counters.one(Counter::ConnectionsFailed);
    None
}

/// The same for whatever carries bytes.
async fn serve_stream<S>(
    edge: Arc<Edge>,
    mut stream: S,
    peer: SocketAddr,
    deadline: Instant,
    leave: &CancellationToken,
    let_in: impl FnOnce(),
) -> Option<Afterlife>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let admitted = tokio::select! {
        admitted = Box::pin(admit(&edge, &mut stream, peer, deadline)) => admitted,
        () = leave.cancelled() => return None,
    };
    match admitted {
        Ok(admitted) => {
            let_in();
            let (reader, writer) = tokio::io::split(stream);
            Box::pin(converse(admitted, reader, writer)).await
        }
        Err(rejected) => {
            edge.counters.one(Counter::ConnectionsFailed);
            tracing::debug!(%peer, reason = %rejected, "no connection");
            None
        }
    }
}

async fn converse<S>(
    admitted: Admitted,
    mut reader: ReadHalf<S>,
    mut writer: WriteHalf<S>,
) -> Option<Afterlife>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let Admitted {
        mut client,
        rest,
        patience,
    } = admitted;
    let key = client.lease.key().clone();
    tracing::debug!(
        user = key.user,
        client = key.client_id,
        mqtt = client.speaks(),
        "connected"
    );
    let end = exchange_packets(&mut client, rest, patience, &mut reader, &mut writer).await;
    tracing::debug!(
        user = key.user,
        client = key.client_id,
        ?end,
        "disconnected"
    );
    // Before anything that could wait for the peer: the will, and the seat or the session.
    let Ended { last_words, parked } = client.end(end);
    let farewell = async {
        if end != End::Lost {
            writer.write_all(&last_words).await?;
            writer.shutdown().await?;
        }
        if end.reason().is_some() {
            // What a peer still says would reset the connection, and what it was told with it.
            while reader.read(&mut [0; 1024]).await? > 0 {}
        }
        std::io::Result::Ok(())
    };
    // A peer that cannot be reached misses what it would not have read.
    let farewell = Box::pin(timeout(FAREWELL, farewell));
    let Some(parked) = parked else {
        drop(farewell.await);
        return None;
    };
    let afterlife: Afterlife = Box::pin(parked.wait());
    match select(afterlife, farewell).await {
        Either::Left(((), farewell)) => {
            drop(farewell.await);
            None
        }
        Either::Right((_, afterlife)) => Some(afterlife),
    }
}

/// What happens between CONNACK and the end.
async fn exchange_packets<S>(
    client: &mut Client,
    mut incoming: BytesMut,
    patience: Option<Duration>,
    reader: &mut ReadHalf<S>,
    writer: &mut WriteHalf<S>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let edge = client.edge.clone();
    let mut kicks = client.lease.kicks();
    let mut clock = Clock::new(patience, edge.config.keepalive_max_secs);
    let alarm = sleep_until(clock.deadline());
    tokio::pin!(alarm);
    let (mut unflushed, mut broken) = (false, false);
    // What came behind CONNECT has been said, whoever comes next.
    let mut left = match handle_some(client, &mut incoming, false) {
        Ok(turn) => turn.left,
        Err(end) => return end,
    };
    let (mut pause_until, mut asking) = (None, None);
    loop {
        client.pump();
        let (has_room, is_short) = make_room(client, &mut incoming, left);
        let has_output = !client.out.is_empty();
        clock.output(has_output || unflushed);
        let listens = !client.is_clogged() && pause_until.is_none() && has_room;
        let reads = listens && left == Left::Part;
        let asks = listens && left == Left::ForRouter;
        if !asks {
            // Whoever does not read its answers keeps no place from others.
            asking = None;
        } else if asking.is_none() {
            asking = Some(Box::pin(edge.asks.acquire()));
        }
        let (wants_more, wants_shared) = (client.wants_more(), client.wants_shared());
        let outcome = tokio::select! {
            // Why a connection ends goes before what it still has to say; the rest is fair
            // enough, since each of them moves only a bounded piece.
            biased;
            kick = kicks.wait_for(Option::is_some) => {
                return End::Kicked(kick.ok().and_then(|kick| *kick).unwrap_or(Kick::Revoked));
            }
            () = edge.shutdown.cancelled() => return End::ShuttingDown,
            () = &mut alarm => {
                // Nobody is silent whom we keep waiting.
                if pause_until.is_some() || left != Left::Part || !has_room {
                    clock.heard();
                }
                let late = if reads {
                    read_late(client, reader, &mut incoming, &mut clock)
                } else {
                    Ok(None)
                };
                if late.is_ok() && clock.deadline() <= Instant::now() {
                    return End::Silent;
                }
                alarm.as_mut().reset(clock.deadline());
                late
            }
            () = let_router_catch_up(&edge, pause_until), if pause_until.is_some() => {
                pause_until = None;
                Ok(None)
            }
            written = write_some(&edge, writer, &mut client.out), if has_output || unflushed => {
                if let Ok(wrote) = written {
                    unflushed = wrote;
                    clock.wrote();
                } else {
                    broken = true;
                }
                Ok(None)
            }
            permit = OptionFuture::from(asking.as_mut()), if listens && left != Left::Part => {
                asking = None;
                handle_some(client, &mut incoming, permit.is_some()).map(Some)
            }
            read = read_some(&edge, reader, &mut incoming), if reads => {
                hear(client, read.unwrap_or(0), &mut incoming, &mut clock).map(Some)
            }
            next = next_of(&client.session.shares, &edge.counters, client.session.turn, false),
                if wants_shared => match next {
                    Ok((index, shared)) => client.deliver_shared(index, shared).map(|()| None),
                    Err(_) => Err(End::RouterStopped),
                },
            next = Link::next_of(&mut client.session.link), if wants_more => match next {
                Ok(delivery) => client.deliver(&delivery).map(|()| None),
                Err(_) => Err(End::RouterStopped),
            },
            () = tokio::task::yield_now(), if client.is_paging() => Ok(None),
            () = sleep(ROOM_AGAIN), if is_short => Ok(None),
        };
        if broken {
            return last_read(client, reader, &mut incoming).await;
        }
        let turn = match outcome {
            Ok(None) => continue,
            Ok(Some(turn)) => turn,
            Err(end) => return end,
        };
        left = turn.left;
        if turn.published && edge.exchange.is_congested() {
            pause_until = Some(Instant::now() + CATCH_UP_MAX);
        }
        // So that a client that never stops sending gets its messages, too.
        client.pump();
        if let Err(end) = client.deliver_ready() {
            return end;
        }
        if left != Left::Part {
            tokio::task::yield_now().await;
        }
    }
}

/// Whether what comes next may be read, and whether anything waits until others have given back
/// what their large packets take.
fn make_room(client: &mut Client, incoming: &mut BytesMut, left: Left) -> (bool, bool) {
    let buffers = &mut client.buffers;
    buffers.settle(&mut client.out);
    // Whole packets are dealt with before anything is read.
    let has_room = left != Left::Part || buffers.may_read(incoming);
    (has_room, buffers.take_is_short())
}

/// After a time in which the whole process stood still, the alarm and what has arrived meanwhile
/// come together: whoever has spoken in time is not silent.
fn read_late<S>(
    client: &mut Client,
    reader: &mut ReadHalf<S>,
    incoming: &mut BytesMut,
    clock: &mut Clock,
) -> Result<Option<Turn>, End>
where
    S: AsyncRead,
{
    let edge = client.edge.clone();
    match read_some(&edge, reader, incoming).now_or_never() {
        Some(Ok(bytes @ 1..)) => hear(client, bytes, incoming, clock).map(Some),
        _ => Ok(None),
    }
}

/// So many bytes were read. 0: there will be no more.
fn hear(
    client: &mut Client,
    bytes: usize,
    incoming: &mut BytesMut,
    clock: &mut Clock,
) -> Result<Turn, End> {
    if bytes == 0 {
        return Err(End::Lost);
    }
    clock.read(bytes);
    let turn = handle_some(client, incoming, false)?;
    if turn.packets > 0 {
        clock.heard();
    }
    Ok(turn)
}

/// Nothing can be written any more: what is still there to be read may be a goodbye, and then
/// it is no death. The runtime may have to be asked first whether there is something.
async fn last_read<S>(client: &mut Client, reader: &mut ReadHalf<S>, incoming: &mut BytesMut) -> End
where
    S: AsyncRead,
{
    let edge = client.edge.clone();
    let until = Instant::now() + LAST_READ;
    loop {
        match handle_some(client, incoming, true) {
            Err(end) => return end,
            Ok(turn) if turn.left != Left::Part => tokio::task::yield_now().await,
            Ok(_) => match timeout_at(until, read_some(&edge, reader, incoming)).await {
                Ok(Ok(1..)) => {}
                _ => return End::Lost,
            },
        }
    }
}

/// Whoever publishes faster than the router can take it is not read until it has taken some. It
/// never waits for a subscriber, and a router that takes nothing at all is replaced before the
/// pause is over. Cancel safe.
async fn let_router_catch_up(edge: &Edge, until: Option<Instant>) {
    while edge.exchange.is_congested() && until.is_some_and(|until| Instant::now() < until) {
        sleep(CATCH_UP).await;
    }
}

/// Writes a piece, or when all is written flushes it out of TLS. True: flush next. Cancel safe.
async fn write_some<S>(
    edge: &Edge,
    writer: &mut WriteHalf<S>,
    out: &mut BytesMut,
) -> std::io::Result<bool>
where
    S: AsyncWrite,
{
    if out.is_empty() {
        writer.flush().await?;
        return Ok(false);
    }
    let piece = &out[..out.len().min(WRITE_MAX)];
    let written = writer.write(piece).await?;
    if written == 0 {
        return Err(std::io::ErrorKind::WriteZero.into());
    }
    edge.counters.add(Counter::BytesSent, written as u64);
    out.advance(written);
    Ok(true)
}

/// Reads what is there, in pieces that leave time for others. Cancel safe.
async fn read_some<S>(
    edge: &Edge,
    reader: &mut ReadHalf<S>,
    incoming: &mut BytesMut,
) -> std::io::Result<usize>
where
    S: AsyncRead,
{
    incoming.reserve(room_to_read(incoming));
    let read = reader.take(READ_MAX).read_buf(incoming).await?;
    edge.counters.add(Counter::BytesReceived, read as u64);
    Ok(read)
}
