//! What a case works with: one client, and names that no other case uses.

use std::cell::Cell;

use super::client::{Ability, Client, Connect, Connection, Message, Subscribe, Version};

/// Something that has to hold.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What a client must be able to do, or the case is left out.
    pub(crate) needs: &'static [Ability],
    pub(crate) check: fn(&Bench<'_>),
}

impl Case {
    pub(crate) const fn of(
        name: &'static str,
        needs: &'static [Ability],
        check: fn(&Bench<'_>),
    ) -> Self {
        Self { name, needs, check }
    }
}

/// One client in one version over one transport.
pub(crate) struct Bench<'a> {
    pub(crate) client: &'a dyn Client,
    pub(crate) version: Version,
    /// Which version and transport.
    pub(crate) name: String,
    /// Which case.
    pub(crate) case: usize,
    pub(crate) names: Cell<usize>,
}

impl Bench<'_> {
    /// A name that nobody else has.
    pub(crate) fn unique(&self) -> String {
        self.names.set(self.names.get() + 1);
        format!("{}-{}-{}", self.name, self.case, self.names.get())
    }

    /// The topic, or filter, of this case.
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("x/{}-{}/{name}", self.name, self.case)
    }

    /// A client id of its own, and nothing special.
    pub(crate) fn options(&self) -> Connect {
        Connect {
            client_id: self.unique(),
            ..Connect::default()
        }
    }

    pub(crate) fn open(&self) -> Box<dyn Connection> {
        self.client.connect(&self.options())
    }

    /// A connection with one subscription, which must be granted.
    pub(crate) fn subscriber(&self, filter: &str, qos: u8) -> Box<dyn Connection> {
        let mut connection = self.open();
        assert_eq!(connection.subscribe(&Subscribe::new(filter, qos)), qos);
        connection
    }
}

/// Publishes one more message, which must be the next that comes.
pub(crate) fn nothing_but(
    publisher: &mut dyn Connection,
    subscriber: &mut dyn Connection,
    topic: &str,
) {
    publisher.publish(&Message::new(topic, "end"));
    let next = subscriber.next();
    assert_eq!((next.topic.as_str(), next.payload.as_str()), (topic, "end"));
}
