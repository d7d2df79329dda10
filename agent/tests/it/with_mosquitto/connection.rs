//! The connection with the hub under what networks and machines do.

use std::time::{Duration, Instant};

use netmonitor_agent::joined;
use netmonitor_protocol::payload::{HubInfo, Settings, Status};
use netmonitor_protocol::{Message, Topic};
use nix::sys::signal::Signal;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::relay::Relay;
use super::{Joined, join, join_at, status};
use crate::program::{DEADLINE, until};

/// The agent's keepalive, unless its settings say otherwise.
const KEEP_ALIVE: Duration = Duration::from_secs(6);

/// What a busy machine may add.
const SLACK: Duration = Duration::from_secs(4);

impl Joined {
    fn addresses(&self) -> Vec<String> {
        joined(self.state.path()).unwrap().unwrap().addresses
    }

    /// The hub says where it can be reached.
    async fn hub_is_at(&self, addresses: &[String]) {
        let info = HubInfo {
            name: "hub".to_owned(),
            version: "0".to_owned(),
            addresses: Vec::new(),
            agent_addresses: addresses.to_vec(),
        };
        self.hub.say(Message::HubInfo(info)).await;
    }

    async fn settings(&self, interval_secs: Option<f64>, offline_timeout_secs: Option<u32>) {
        let settings = Settings {
            interval_secs,
            offline_timeout_secs,
            ..Settings::default()
        };
        let message = Message::DeviceSettings("ws-14".parse().unwrap(), settings);
        self.hub.say(message).await;
    }

    async fn interval(&mut self) -> f64 {
        self.hub
            .next_of(|message| match message {
                Message::DeviceInfo(_, info) => Some(info.interval_secs),
                _ => None,
            })
            .await
    }
}

#[tokio::test]
async fn a_hub_that_moves_is_found_again_without_a_second_join() {
    let mut joined = join_at(|port| async move { vec![Relay::start(port).await] }).await;
    let old = joined.relays.remove(0);
    let (first, before) = (old.address(), joined.identity_file());
    let mut running = joined.run();
    let born = joined.birth().await;

    let new = Relay::start(joined.broker.tls_port()).await;
    let named = ["garbage", &new.address(), ":1", "hub:0"].map(str::to_owned);
    joined.hub_is_at(&named).await;
    let expected = [first.clone(), new.address()];
    until("the list is kept", || joined.addresses() == expected).await;
    let after = joined.identity_file();
    assert_ne!(after, before);
    joined.hub_is_at(&vec!["far:1".to_owned(); 65]).await;
    joined.hub_is_at(&[]).await;
    joined.hub.next_sample().await;
    joined.hub.next_sample().await;
    assert_eq!(joined.identity_file(), after, "nobody has that many");

    drop(old);
    let again = joined.birth().await;
    assert_eq!(again, born, "the same agent, at another address");
    let expected = [new.address(), first];
    until("it goes first", || joined.addresses() == expected).await;

    running.signal(Signal::SIGTERM);
    assert_eq!(running.has_ended().await, Some(0));
    joined.hub.catch_up().await;
    let started = Instant::now();
    let _running = joined.run();
    joined.birth().await;
    let took = started.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}");
}

#[tokio::test]
async fn addresses_that_accept_and_say_nothing_cost_two_seconds_each_and_dead_ones_nothing() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = (silent.local_addr().unwrap().to_string(), silent);
    let joined = &mut join().await;
    let works = joined.addresses().remove(0);
    // Nobody answers there (RFC 5737).
    let dead = (1..10).map(|n| format!("192.0.2.{n}:8883"));
    let mut addresses = vec![silent.0];
    addresses.extend(dead);
    addresses.push(works.clone());
    joined.rewrite_identity(|json| json["addresses"] = addresses.into());
    let started = Instant::now();
    let _running = joined.run();
    joined.birth().await;
    let took = started.elapsed();
    assert!(took < Duration::from_secs(5) + SLACK, "{took:?}");
    until("it goes first", || joined.addresses()[0] == works).await;
}

#[tokio::test]
async fn a_cut_cable_is_noticed_within_one_and_a_half_keepalives() {
    let mut joined = join_at(|port| async move { vec![Relay::start(port).await] }).await;
    let _running = joined.run();
    let born = joined.birth().await;
    joined.hub.next_sample().await;
    joined.relays[0].cut();
    let cut = Instant::now();
    timeout(DEADLINE, joined.relays[0].given_up())
        .await
        .unwrap();
    let noticed = cut.elapsed();
    assert!(noticed < KEEP_ALIVE * 3 / 2 + SLACK, "{noticed:?}");
    assert!(noticed > KEEP_ALIVE, "not before it had to be: {noticed:?}");
    assert_eq!(joined.birth().await, born);
}

#[tokio::test]
async fn a_frozen_agent_that_wakes_behind_a_dead_connection_is_back_at_once() {
    let mut joined = join_at(|port| async move { vec![Relay::start(port).await] }).await;
    let running = joined.run();
    joined.birth().await;
    running.signal(Signal::SIGSTOP);
    joined.relays[0].cut();
    joined.hub.next_status(Status::Offline).await;
    running.signal(Signal::SIGCONT);
    let woken = Instant::now();
    joined.birth().await;
    let took = woken.elapsed();
    assert!(took < Duration::from_secs(1) + SLACK, "{took:?}");
}

#[tokio::test]
async fn an_agent_objects_to_the_late_will_of_its_own_connection() {
    let mut joined = join().await;
    let _running = joined.run();
    let born = joined.birth().await;
    joined.hub.say(status(Status::Offline, born.session)).await;
    joined.hub.next_status(Status::Offline).await;
    let said = joined.hub.next_status(Status::Online).await;
    assert_eq!(said, Some(born.session));
}

#[tokio::test]
async fn settings_take_effect_at_once_and_the_last_word_is_online() {
    let mut joined = join().await;
    let _running = joined.run();
    let born = joined.birth().await;
    assert_eq!(joined.broker.keepalives("agent-ws-14"), [6]);

    // The keepalive is told at CONNECT: the connection before it ends with its will.
    joined.settings(Some(2.5), Some(30)).await;
    joined.hub.next_status(Status::Offline).await;
    assert_eq!(joined.birth_with(2.5).await, born);
    assert_eq!(joined.broker.keepalives("agent-ws-14"), [6, 20]);

    // Said again, nothing happens; an interval alone needs no new connection.
    joined.hub.forget();
    joined.settings(Some(2.5), Some(30)).await;
    joined.settings(Some(0.1), Some(30)).await;
    assert!((joined.interval().await - 1.0).abs() < 1e-9, "the shortest");
    assert_eq!(joined.broker.keepalives("agent-ws-14"), [6, 20]);
    joined.hub.next_sample().await;
    assert!(!joined.hub.saw(Status::Offline));

    let topic = Topic::DeviceSettings("ws-14".parse().unwrap());
    joined.hub.say(Message::Cleared(topic)).await;
    joined.hub.next_status(Status::Offline).await;
    assert_eq!(joined.birth_with(1.0).await, born);
    assert_eq!(joined.broker.keepalives("agent-ws-14"), [6, 20, 6]);
}

#[tokio::test]
async fn an_agent_that_leaves_for_another_keepalive_and_does_not_come_back_is_offline() {
    let mut joined = join_at(|port| async move { vec![Relay::start(port).await] }).await;
    let _running = joined.run();
    let born = joined.birth().await;
    joined.relays[0].shut();
    joined.settings(None, Some(30)).await;
    let left = joined.hub.next_status(Status::Offline).await;
    assert_eq!(left, Some(born.session));
}

#[tokio::test]
async fn an_agent_starts_with_the_keepalive_that_the_hub_wanted_last() {
    let mut joined = join().await;
    let mut running = joined.run();
    joined.birth().await;
    joined.settings(None, Some(30)).await;
    joined.birth().await;
    running.signal(Signal::SIGTERM);
    assert_eq!(running.has_ended().await, Some(0));
    joined.hub.catch_up().await;
    joined.hub.forget();
    let mut running = joined.run();
    joined.birth().await;
    joined.hub.next_sample().await;
    joined.hub.next_sample().await;
    assert_eq!(joined.broker.keepalives("agent-ws-14"), [6, 20, 20]);
    assert!(!joined.hub.saw(Status::Offline), "one connection is enough");

    // Taken back while it was away: nothing is retained that would say so.
    running.signal(Signal::SIGTERM);
    assert_eq!(running.has_ended().await, Some(0));
    let topic = Topic::DeviceSettings("ws-14".parse().unwrap());
    joined.hub.say(Message::Cleared(topic)).await;
    joined.hub.catch_up().await;
    let _running = joined.run();
    joined.birth().await;
    joined.birth().await;
    assert_eq!(joined.broker.keepalives("agent-ws-14"), [6, 20, 20, 20, 6]);
}
