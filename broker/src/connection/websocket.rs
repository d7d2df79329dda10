//! MQTT over WebSocket (MQTT 5.0, section 6): for browsers, and tools such as MQTTX.

use std::future::ready;
use std::io;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite, join};
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode, header};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::io::{CopyToBytes, SinkWriter, StreamReader};

/// The subprotocol that a client must offer and the broker must choose.
const MQTT: &str = "mqtt";
/// What each connection holds for reading.
const READ_BUFFER: usize = 16 * 1024;

/// Answers the opening handshake, and makes a stream of bytes out of the messages: packets may
/// begin and end anywhere in them. What is no binary message ends the stream.
pub(crate) async fn accept<S>(
    stream: S,
    packet_max_bytes: usize,
) -> Result<impl AsyncRead + AsyncWrite + Unpin, Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let config = WebSocketConfig::default()
        .max_message_size(Some(packet_max_bytes.saturating_mul(2)))
        .max_frame_size(Some(packet_max_bytes.saturating_mul(2)))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(packet_max_bytes.saturating_mul(4));
    let socket = accept_hdr_async_with_config(stream, choose, Some(config)).await?;
    let (sink, messages) = socket.split();
    let reader = StreamReader::new(messages.filter_map(|message| ready(bytes(message))));
    let sink = sink
        .with(|bytes: Bytes| ready(Ok::<_, Error>(Message::Binary(bytes))))
        .sink_map_err(io::Error::other);
    Ok(join(reader, SinkWriter::new(CopyToBytes::new(sink))))
}

/// Chooses the subprotocol. A client that does not offer it does not mean us.
#[expect(
    clippy::result_large_err,
    reason = "the type of the callback is tungstenite's"
)]
fn choose(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let offered = request
        .headers()
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|name| name.trim() == MQTT);
    if !offered {
        let text = "offer the WebSocket subprotocol \"mqtt\"".to_owned();
        let mut refusal = ErrorResponse::new(Some(text));
        *refusal.status_mut() = StatusCode::BAD_REQUEST;
        return Err(refusal);
    }
    let chosen = HeaderValue::from_static(MQTT);
    response
        .headers_mut()
        .insert(header::SEC_WEBSOCKET_PROTOCOL, chosen);
    Ok(response)
}

/// The bytes of a message; none of what only keeps the connection alive.
fn bytes(message: Result<Message, Error>) -> Option<io::Result<Bytes>> {
    match message {
        Ok(Message::Binary(bytes)) => Some(Ok(bytes)),
        Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_)) => None,
        // MQTT 5.0, MQTT-6.0.0-1.
        Ok(_) => Some(Err(io::Error::other("not a binary message"))),
        Err(error) => Some(Err(io::Error::other(error))),
    }
}
