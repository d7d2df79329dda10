//! A machine that is invented, with a connection that is not: an MQTT client that says what an agent
//! says, and whose values the story decides.

mod life;
mod values;

use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use netmonitor_protocol::SessionId;
use netmonitor_protocol::payload::{EndCause, Notification};

use self::life::{Life, Order};
pub(crate) use self::values::Values;
use super::agent::Agent;
use super::hub::Hub;

/// A device that can be there, and go, with a word and without.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) id: String,
    password: String,
    port: u16,
    values: Arc<Mutex<Values>>,
    notified: Arc<Mutex<Vec<Notification>>>,
    sessions: u64,
    boots: u64,
    running: Option<(mpsc::Sender<Order>, JoinHandle<()>)>,
}

impl Device {
    /// A device of this hub that is not there yet.
    pub(crate) fn joined(hub: &Hub, code: &str) -> Self {
        let (agent, id) = Agent::joined(code);
        Self {
            id,
            password: agent.password(),
            port: hub.port("mqtt").parse().unwrap(),
            values: Arc::default(),
            notified: Arc::default(),
            sessions: 0,
            boots: 1,
            running: None,
        }
    }

    /// From now on it is like that.
    pub(crate) fn becomes(&self, change: impl FnOnce(&mut Values)) {
        change(&mut self.values.lock().unwrap());
    }

    /// From now on its memory is so full, in percent.
    pub(crate) fn ram(&self, percent: u64) {
        self.becomes(|it| it.ram = percent);
    }

    /// What the person who sits there was to see, so far.
    pub(crate) fn notified(&self) -> Vec<Notification> {
        self.notified.lock().unwrap().clone()
    }

    /// It comes, and is there when this returns.
    pub(crate) fn come(&mut self) {
        self.sessions += 1;
        let (come, there) = mpsc::channel();
        let (sender, orders) = mpsc::channel();
        let life = Life {
            id: self.id.parse().unwrap(),
            session: SessionId(self.sessions),
            boot_id: format!("boot-{}", self.boots),
            values: self.values.clone(),
            notified: self.notified.clone(),
            orders,
        };
        let (port, password) = (self.port, self.password.clone());
        let thread = std::thread::spawn(move || life.run(port, &password, &come));
        there.recv_timeout(super::DEADLINE).unwrap();
        self.running = Some((sender, thread));
    }

    /// It goes without a word: its socket is closed.
    pub(crate) fn die(&mut self) {
        self.order(Order::Die);
    }

    /// It goes with a word, and is gone when this returns.
    pub(crate) fn leave(&mut self, cause: EndCause) {
        self.order(Order::Leave(cause));
    }

    /// Somebody pulls its plug and puts it in again.
    pub(crate) fn restart(&mut self) {
        self.die();
        self.boots += 1;
        self.come();
    }

    /// So many of its samples are gone for good.
    pub(crate) fn lose(&self, samples: u64) {
        let (orders, _) = self.running.as_ref().expect("it is there");
        orders.send(Order::Lose(samples)).unwrap();
    }

    fn order(&mut self, last: Order) {
        if let Some((orders, thread)) = self.running.take() {
            orders.send(last).unwrap();
            thread.join().unwrap();
        }
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        self.die();
    }
}
