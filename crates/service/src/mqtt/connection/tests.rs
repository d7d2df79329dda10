//! Against one that says what a broker says.

use netmonitor_protocol::{Message, ServiceName};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::Secret;
use crate::mqtt::{Dial, Events, KEEP_ALIVE_MIN, Publisher, client};

/// CONNACK that accepts (MQTT 5.0, section 3.2).
const CONNACK: [u8; 5] = [0x20, 3, 0, 0, 0];

/// DISCONNECT with reason "session taken over" (section 3.14), as the embedded broker writes it.
/// mosquitto leaves out the last byte, as it may; rumqttc 0.25 does not understand that.
const TAKEN_OVER: [u8; 4] = [0xE0, 2, 0x8E, 0];

/// A QoS 0 PUBLISH (section 3.3) without properties, of less than 128 bytes.
fn publish(message: &Message) -> Vec<u8> {
    let (topic, payload) = (message.topic().to_string(), message.payload());
    let length = 2 + topic.len() + 1 + payload.len();
    let mut packet = vec![0x30, u8::try_from(length).unwrap(), 0];
    packet.push(u8::try_from(topic.len()).unwrap());
    packet.extend(topic.bytes());
    packet.push(0);
    packet.extend(payload);
    packet
}

/// A running client of one that accepts connections and says what the test says.
async fn dialled() -> (TcpListener, Publisher, Events, Control, JoinSet<()>) {
    dialled_with(1024).await
}

/// The same, with room for so many events.
async fn dialled_with(queue: usize) -> (TcpListener, Publisher, Events, Control, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let dial = Dial::Fixed {
        endpoints: vec![Endpoint::parse(&address, None).unwrap()],
        user: ServiceName::Api.to_string(),
        password: Secret::new("x"),
    };
    let (publisher, events, connection) = client(Options {
        keep_alive: KEEP_ALIVE_MIN,
        queue,
        ..Options::new("test", dial)
    });
    let control = connection.control();
    let mut tasks = JoinSet::new();
    tasks.spawn(connection.run(CancellationToken::new()));
    (listener, publisher, events, control, tasks)
}

/// The next event; a task that has panicked would be waited for in vain.
async fn next(events: &mut Events) -> Option<Event> {
    let event = timeout(Duration::from_secs(20), events.next()).await;
    event.expect("nothing happens")
}

#[tokio::test]
async fn a_takeover_is_told_apart_from_other_losses() {
    let (listener, _publisher, mut events, _control, _tasks) = dialled().await;
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(&CONNACK).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));
    socket.write_all(&TAKEN_OVER).await.unwrap();
    let Some(Event::Disconnected(error)) = next(&mut events).await else {
        panic!("the connection has ended")
    };
    assert!(
        matches!(error, ConnectionError::TakenOver { .. }),
        "{error}"
    );
}

/// rumqttc alone would wait for the second ping that is not answered, and for ever where
/// nothing can be written.
#[tokio::test]
async fn a_broker_that_says_nothing_is_given_up_after_one_and_a_half_keepalives() {
    let (listener, _publisher, mut events, _control, _tasks) = dialled().await;
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(&CONNACK).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));
    let silent = Instant::now();
    let Some(Event::Disconnected(error)) = next(&mut events).await else {
        panic!("the connection has ended")
    };
    assert!(matches!(error, ConnectionError::Silent { .. }), "{error}");
    assert!(silent.elapsed() >= KEEP_ALIVE_MIN, "not before");
    let _next = listener.accept().await.unwrap();
}

#[tokio::test]
async fn whoever_stays_away_comes_back_when_told_and_not_before() {
    let (listener, publisher, mut events, control, _tasks) = dialled().await;
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(&CONNACK).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));
    let mut received = Vec::new();
    control.stay_away(Duration::from_hours(1), Parting::Disconnect);
    socket.read_to_end(&mut received).await.unwrap();
    assert!(received.ends_with(&[0xE0, 0]), "DISCONNECT: {received:x?}");
    control.closed().await;
    let message = Message::CredentialsChanged;
    assert!(publisher.publish(message).await.is_err());
    control.come_back();
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(&CONNACK).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));

    received.clear();
    control.stay_away(Duration::from_millis(10), Parting::Silent);
    socket.read_to_end(&mut received).await.unwrap();
    assert!(
        !received.ends_with(&[0xE0, 0]),
        "no DISCONNECT: {received:x?}"
    );
    let _next = listener.accept().await.unwrap();
}

/// Between DISCONNECT and the next CONNACK nobody would say that a client has died.
#[tokio::test]
async fn another_keepalive_needs_a_new_connection_and_leaves_the_will_to_the_old_one() {
    let (listener, _publisher, mut events, control, _tasks) = dialled().await;
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(&CONNACK).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));
    control.set_keep_alive(Duration::from_secs(0x1234));
    let mut received = Vec::new();
    socket.read_to_end(&mut received).await.unwrap();
    assert!(
        !received.ends_with(&[0xE0, 0]),
        "no DISCONNECT: {received:x?}"
    );
    let (mut socket, _) = listener.accept().await.unwrap();
    // The protocol's name and version, flags and keepalive (section 3.1.2) follow the length.
    let mut connect = [0; 12];
    socket.read_exact(&mut connect).await.unwrap();
    assert_eq!(connect[10..], [0x12, 0x34], "{connect:x?}");
}

/// Whoever is told of a connection and not of the end of the one before would take what it knows
/// for complete.
#[tokio::test]
async fn an_owner_that_took_nothing_hears_that_the_connection_ended_before_it_hears_of_the_next() {
    let (listener, _publisher, mut events, _control, _tasks) = dialled_with(1).await;
    let said = publish(&Message::CredentialsChanged);
    for _ in 0..2 {
        let (mut socket, _) = listener.accept().await.unwrap();
        socket.write_all(&CONNACK).await.unwrap();
        socket.write_all(&said).await.unwrap();
        let _closed = socket.read_to_end(&mut Vec::new()).await;
    }
    let (mut socket, _) = listener.accept().await.unwrap();
    socket.write_all(&CONNACK).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));
    let Some(Event::Disconnected(error)) = next(&mut events).await else {
        panic!("the connection has ended")
    };
    assert!(matches!(error, ConnectionError::Stalled), "{error}");
    assert!(matches!(next(&mut events).await, Some(Event::Connected)));
    socket.write_all(&said).await.unwrap();
    assert!(matches!(next(&mut events).await, Some(Event::Message(_))));
}
