//! MQTT over WebSocket, as a browser speaks it.

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use netmonitor_broker::Config;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::support::{DEADLINE, Options, Raw, TestBroker, packet, start_with, text};

async fn start() -> TestBroker {
    start_with(Config {
        mqtt_ws: vec!["127.0.0.1:0".to_owned()],
        ..Config::default()
    })
    .await
}

async fn open(
    broker: &TestBroker,
    subprotocol: Option<&'static str>,
) -> Result<WebSocketStream<TcpStream>, Error> {
    let address = broker.websocket.unwrap();
    let mut request = format!("ws://{address}/mqtt").into_client_request()?;
    if let Some(name) = subprotocol {
        let name = name.parse().unwrap();
        request.headers_mut().insert("Sec-WebSocket-Protocol", name);
    }
    let stream = TcpStream::connect(address).await?;
    Ok(client_async(request, stream).await?.0)
}

async fn next(socket: &mut WebSocketStream<TcpStream>) -> Option<Bytes> {
    loop {
        match timeout(DEADLINE, socket.next()).await.unwrap()? {
            Ok(Message::Binary(bytes)) => return Some(bytes),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}

#[tokio::test]
async fn a_browser_hears_what_others_publish() {
    let broker = start().await;
    let mut socket = open(&broker, Some("mqttv3.1, mqtt")).await.unwrap();
    let subscribe = packet(0x82, &[&[0, 1][..], &text("a/#"), &[0]].concat());
    let both = [Options::new(4, "free", "browser").packet(), subscribe].concat();
    // Packets may begin and end anywhere in the messages.
    let (first, second) = both.split_at(7);
    for part in [first, second] {
        let part = Bytes::copy_from_slice(part);
        socket.send(Message::Binary(part)).await.unwrap();
    }
    let mut heard = Vec::new();
    while heard.len() < 9 {
        heard.extend(next(&mut socket).await.expect("closed"));
    }
    assert_eq!(heard, [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]);

    let mut other = Raw::connect(&broker, &Options::new(4, "free", "other")).await;
    other.publish("a/b", "hello", 0).await;
    let message = next(&mut socket).await.expect("closed");
    assert_eq!(
        &message[..],
        &packet(0x30, &[&text("a/b")[..], b"hello"].concat())[..]
    );
}

#[tokio::test]
async fn a_client_that_does_not_mean_mqtt_is_refused() {
    let broker = start().await;
    for subprotocol in [None, Some("graphql-ws")] {
        let refused = open(&broker, subprotocol).await;
        assert!(matches!(refused, Err(Error::Http(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn text_and_silence_end_the_connection_and_nobody_waits() {
    let broker = start().await;
    // Says nothing at all: it must not keep others from coming in.
    let _silent = TcpStream::connect(broker.websocket.unwrap()).await.unwrap();
    let mut socket = open(&broker, Some("mqtt")).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(next(&mut socket).await, None);
}

#[tokio::test]
async fn a_browser_that_vanishes_leaves_its_will() {
    let broker = start().await;
    let mut watcher = Raw::connect(&broker, &Options::new(4, "free", "watcher")).await;
    watcher.subscribe("wills/#", 0).await;
    let mut socket = open(&broker, Some("mqtt")).await.unwrap();
    let options = Options {
        will: Some(("wills/browser", "gone")),
        ..Options::new(4, "free", "browser")
    };
    let connect = Bytes::from(options.packet());
    socket.send(Message::Binary(connect)).await.unwrap();
    assert!(next(&mut socket).await.is_some());
    drop(socket);
    assert_eq!(watcher.message().await.payload, "gone");
}
