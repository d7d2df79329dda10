//! What a client hears, and why it hears nothing.

use std::time::Duration;

use netmonitor_protocol::Message;
use rumqttc::v5::StateError;
use rumqttc::v5::mqttbytes::v5::{ConnectReturnCode, DisconnectReasonCode};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::timeout;

use super::dial::{DialError, Target};

/// How long the owner of [`Events`] may take nothing before the client reconnects. Below the
/// shortest keepalive, since pings stand still as well.
pub(super) const STALL: Duration = Duration::from_secs(5);

/// What a client hears.
#[derive(Debug)]
pub enum Event {
    /// Connected and subscribed.
    Connected,
    /// The connection ended, or could not be made. Another attempt follows.
    Disconnected(ConnectionError),
    /// A message arrived, just published.
    Message(Message),
    /// A retained message: what was the case before this client subscribed.
    Retained(Message),
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectionError {
    /// Nowhere to connect to.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// The broker does not accept user name and password.
    #[error("the broker at {endpoint} does not accept the credential of {user}")]
    Credential {
        /// Where.
        endpoint: String,
        /// As whom.
        user: String,
    },
    /// The other side is not the hub that the fingerprint names.
    #[error("{endpoint} does not show the certificate of the hub")]
    Certificate {
        /// Where.
        endpoint: String,
        /// What TLS says.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Anything else between here and there.
    #[error("no connection with {endpoint}")]
    Network {
        /// Where.
        endpoint: String,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another client has connected under the same client id, and the broker gave it the place
    /// (reason 0x8E; MQTT 5.0, section 3.1.4).
    #[error("another client has taken the place of this one at {endpoint}")]
    TakenOver {
        /// Where.
        endpoint: String,
    },
    /// The broker has not been heard for one and a half keepalives, though it is to answer
    /// pings: the connection is dead, whatever the system says.
    #[error("{endpoint} has not been heard for {} s", silence.as_secs())]
    Silent {
        /// Where.
        endpoint: String,
        /// For how long.
        silence: Duration,
    },
    /// Nobody took the received messages.
    #[error("received messages were not taken for {} s", STALL.as_secs())]
    Stalled,
}

/// Receives.
#[derive(Debug)]
pub struct Events(mpsc::Receiver<Event>);

impl Events {
    pub(super) fn new(receiver: mpsc::Receiver<Event>) -> Self {
        Self(receiver)
    }

    /// The next event; none once the connection was told to stop. Cancel safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.0.recv().await
    }
}

/// The way to the owner of [`Events`].
#[derive(Debug)]
pub(super) struct Arrivals {
    queue: mpsc::Sender<Event>,
    /// The end of a connection for which there was no room: it goes before all that follows.
    untold: Option<ConnectionError>,
}

impl Arrivals {
    pub(super) fn new(queue: mpsc::Sender<Event>) -> Self {
        Self {
            queue,
            untold: None,
        }
    }

    /// Says what came over a connection. Waits for room, but not for ever.
    pub(super) async fn tell(&mut self, event: Event) -> Result<(), ConnectionError> {
        let told = async {
            // An error means that nobody listens, which is the owner's right.
            if self.untold.is_some() {
                let Ok(place) = self.queue.reserve().await else {
                    return;
                };
                if let Some(error) = self.untold.take() {
                    place.send(Event::Disconnected(error));
                }
            }
            let _unheard = self.queue.send(event).await;
        };
        timeout(STALL, told)
            .await
            .map_err(|_| ConnectionError::Stalled)
    }

    /// Says that there is no connection, without waiting: the owner may be slow, but that must
    /// not keep us from reconnecting. Of several ends for which there is no room the first is
    /// told, before all that follows.
    pub(super) fn tell_end(&mut self, error: ConnectionError) {
        for error in [self.untold.take(), Some(error)].into_iter().flatten() {
            let Err(TrySendError::Full(Event::Disconnected(error))) =
                self.queue.try_send(Event::Disconnected(error))
            else {
                continue;
            };
            self.untold.get_or_insert(error);
        }
    }
}

impl ConnectionError {
    pub(super) fn silent(target: &Target, silence: Duration) -> Self {
        Self::Silent {
            endpoint: target.endpoint.to_string(),
            silence,
        }
    }
}

/// Puts an error of rumqttc into our words.
pub(super) fn describe(error: rumqttc::v5::ConnectionError, target: &Target) -> ConnectionError {
    use rumqttc::v5::ConnectionError as E;
    let endpoint = target.endpoint.to_string();
    match error {
        E::ConnectionRefused(
            ConnectReturnCode::NotAuthorized | ConnectReturnCode::BadUserNamePassword,
        ) => ConnectionError::Credential {
            endpoint,
            user: target.user.clone(),
        },
        E::MqttState(StateError::ServerDisconnect {
            reason_code: DisconnectReasonCode::SessionTakenOver,
            ..
        }) => ConnectionError::TakenOver { endpoint },
        E::Tls(error) if is_certificate_error(&error) => ConnectionError::Certificate {
            endpoint,
            source: innermost(error),
        },
        error => ConnectionError::Network {
            endpoint,
            source: innermost(error),
        },
    }
}

/// rumqttc's errors repeat the text of what they wrap: the cause alone says it once.
fn innermost(
    error: impl std::error::Error + Send + Sync + 'static,
) -> Box<dyn std::error::Error + Send + Sync> {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string().into()
}

/// rustls reports a failed handshake as an I/O error with its own error inside.
fn is_certificate_error(error: &rumqttc::TlsError) -> bool {
    let inner = match error {
        rumqttc::TlsError::TLS(inner) => Some(inner),
        rumqttc::TlsError::Io(io) => io
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>()),
        _ => None,
    };
    matches!(inner, Some(rustls::Error::InvalidCertificate(_)))
}
