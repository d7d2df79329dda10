//! Those who abuse the hub: as whom, from where, and what they may.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use netmonitor_agent::Identity;
use netmonitor_protocol::payload::Status;
use netmonitor_protocol::topics::{PUBLIC_ROOT, SYS_ROOT};
use netmonitor_protocol::{DeviceId, Topic};
use netmonitor_service::tls;
use rand::Rng as _;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rustls::ClientConfig;
use tokio::time::{Instant, sleep};

use crate::hub::Hub;
use crate::packet::{Connect, Publish, Received};
use crate::raw::{Raw, Way};

/// What the user with filters of its own may publish and read.
const OWN: &str = "abuse";

/// Different retained topics of that user, so many of each kind of abuse: it clears them in the
/// end, as what is retained has no other end.
pub(super) const RETAINED: usize = 1_000;

/// Addresses from which they come; the agents come from the first one, too.
const ADDRESSES: u8 = 8;

/// Longer than a bout lasts.
const KEEP_ALIVE_SECS: u16 = 60;

/// Between two attempts to clean up.
const AGAIN: Duration = Duration::from_millis(500);

/// As whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// One without a credential, who tries the names of others.
    Stranger,
    /// One who may read everything, and publish nothing.
    Reader,
    /// An enrolled machine that has gone mad.
    Device,
    /// A user with filters of its own, outside our topics.
    User,
}

/// One of them.
#[derive(Debug, Clone)]
pub struct Abuser {
    /// As whom.
    pub who: Who,
    user: String,
    password: String,
    device: Option<DeviceId>,
    /// Agents that others may try to speak for.
    victims: Arc<[DeviceId]>,
    plain: SocketAddr,
    tls: SocketAddr,
    config: Arc<ClientConfig>,
}

impl Abuser {
    /// One of each kind. `mad` is the identity of the device among them; nobody else uses it.
    pub fn all(hub: &Hub, mad: &Identity, victims: &[DeviceId]) -> anyhow::Result<Vec<Self>> {
        let [plain, tls] = hub.listeners()?;
        let reader = hub.mqtt_user("abuse-reader", &["--role", "reader"])?;
        let filter = format!("{OWN}/#");
        let own = ["--publish", &filter, "--subscribe", &filter];
        let user = hub.mqtt_user("abuse-user", &own)?;
        let stranger = Self {
            who: Who::Stranger,
            user: "nobody".to_owned(),
            password: "wrong".to_owned(),
            device: None,
            victims: victims.into(),
            plain,
            tls,
            config: tls::pinned(mad.ca_fingerprint),
        };
        let known = |who, user: &str, password: &str| Self {
            who,
            user: user.to_owned(),
            password: password.to_owned(),
            ..stranger.clone()
        };
        let device = Self {
            device: Some(mad.device.clone()),
            ..known(Who::Device, mad.device.as_str(), mad.password.expose())
        };
        Ok(vec![
            known(Who::Reader, "abuse-reader", reader.expose()),
            known(Who::User, "abuse-user", user.expose()),
            device,
            stranger,
        ])
    }

    /// A way to the broker, from one of many addresses. With TLS or without.
    pub(super) fn way(&self, random: &mut StdRng) -> Way {
        let tls = random.random_ratio(1, 3);
        Way {
            address: if tls { self.tls } else { self.plain },
            tls: tls.then(|| self.config.clone()),
            receive_buffer: None,
            from: Some(Ipv4Addr::new(127, 0, 0, random.random_range(1..=ADDRESSES))),
        }
    }

    /// The same, and now and then without TLS where TLS is spoken.
    pub(super) fn any_way(&self, random: &mut StdRng) -> Way {
        let mut way = self.way(random);
        if random.random_ratio(1, 6) {
            way.address = self.tls;
            way.tls = None;
        }
        way
    }

    /// What it says first.
    pub(super) fn connect(
        &self,
        random: &mut StdRng,
        client_id: &str,
        session_secs: Option<u32>,
    ) -> Vec<u8> {
        let victim = self.victims.choose(random);
        let user = match victim {
            Some(victim) if self.who == Who::Stranger && random.random() => victim.as_str(),
            _ => &self.user,
        };
        Connect {
            client_id,
            user,
            password: &self.password,
            keep_alive_secs: KEEP_ALIVE_SECS,
            will: None,
            session_secs,
        }
        .packet()
    }

    /// A topic: one of so many that it may publish if there is any, now and then that of another.
    pub(super) fn topic(&self, random: &mut StdRng, number: usize) -> String {
        let own = match (&self.device, self.who) {
            (Some(device), _) => Some(device_topic(device, random)),
            (None, Who::User) => {
                let at = random.random_range(0..number);
                Some(format!("{OWN}/{number}/{at}"))
            }
            _ => None,
        };
        match own {
            Some(own) if !random.random_ratio(1, 10) => own,
            _ => self.topic_of_another(random),
        }
    }

    fn topic_of_another(&self, random: &mut StdRng) -> String {
        let Some(victim) = self.victims.choose(random).cloned() else {
            return OWN.to_owned();
        };
        match random.random_range(0..4) {
            0 => Topic::DeviceStatus(victim),
            1 => Topic::DevicePresence(victim),
            2 => Topic::DeviceSession(victim),
            _ => Topic::DeviceMetrics(victim),
        }
        .to_string()
    }

    /// What it publishes there: mostly nothing that anybody can read, or a lie.
    pub(super) fn payload(random: &mut StdRng, max: usize) -> Vec<u8> {
        if random.random_ratio(1, 8) {
            return Status::Offline.as_str().as_bytes().to_vec();
        }
        vec![b'x'; random.random_range(0..max)]
    }

    /// A filter that brings as much as it can get.
    pub(super) fn wide_filter(&self, random: &mut StdRng) -> String {
        let wide = match self.who {
            Who::User => format!("{OWN}/#"),
            Who::Device | Who::Reader | Who::Stranger => format!("{PUBLIC_ROOT}/#"),
        };
        match random.random_range(0..6) {
            0 => "#".to_owned(),
            1 => format!("{SYS_ROOT}/#"),
            2 => format!("$share/abuse/{wide}"),
            _ => wide,
        }
    }

    /// A filter that nobody had before.
    pub(super) fn new_filter(&self, random: &mut StdRng) -> String {
        let name: u64 = random.random();
        let root = if self.who == Who::User {
            OWN
        } else {
            PUBLIC_ROOT
        };
        match random.random_range(0..5) {
            0 => format!("$share/{name:x}/{root}/{name:x}/+"),
            1 => format!("{root}/+/{name:x}/#"),
            2 => format!("{root}/{name:x}/+/+/+/+/+/+/+/+"),
            3 => format!("+/{name:x}"),
            _ => format!("{root}/{name:x}"),
        }
    }

    /// A topic that nobody had before.
    pub(super) fn new_topic(&self, random: &mut StdRng) -> String {
        let name: u64 = random.random();
        match (random.random_range(0..20), self.who) {
            // Longer than topics may be.
            (0, _) => format!("{OWN}/{}", "long/".repeat(400)),
            (_, Who::Device) => format!("{}/{name:x}", self.topic(random, 1)),
            _ => format!("{OWN}/{name:x}"),
        }
    }

    /// Clears what it has left retained, and returns when that is acknowledged.
    pub(super) async fn clean_up(&self, within: Duration) -> anyhow::Result<()> {
        if self.who != Who::User {
            return Ok(());
        }
        let deadline = Instant::now() + within;
        // For a moment all connections that it may have can be taken by what is just ending.
        while let Err(error) = self.clear().await {
            if Instant::now() > deadline {
                return Err(error).context("cannot clear what was retained");
            }
            sleep(AGAIN).await;
        }
        Ok(())
    }

    async fn clear(&self) -> anyhow::Result<()> {
        let way = Way {
            address: self.plain,
            tls: None,
            receive_buffer: None,
            from: None,
        };
        let connect = Connect {
            client_id: "abuse-clear",
            user: &self.user,
            password: &self.password,
            keep_alive_secs: KEEP_ALIVE_SECS,
            will: None,
            session_secs: None,
        };
        let mut raw = Raw::connect(&way, &connect.packet()).await?;
        let mut acknowledged = 0;
        for at in 0..RETAINED {
            let topic = format!("{OWN}/{RETAINED}/{at}");
            let mut publish = Publish::new(&topic, b"", 1, true);
            publish.set_packet_id(1);
            raw.write(publish.bytes()).await?;
            while acknowledged <= at {
                raw.read_all(|received| {
                    acknowledged += usize::from(matches!(received, Received::PubAck(_)));
                })
                .await?;
            }
        }
        raw.leave().await
    }
}

fn device_topic(device: &DeviceId, random: &mut StdRng) -> String {
    let device = device.clone();
    match random.random_range(0..6) {
        0 => Topic::DeviceStatus(device),
        1 => Topic::DeviceSession(device),
        2 => Topic::DeviceInfo(device),
        3 => Topic::DeviceServices(device),
        _ => Topic::DeviceMetrics(device),
    }
    .to_string()
}
