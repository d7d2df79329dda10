//! When a peer has been silent, or deaf, for too long (MQTT 5.0, section 3.1.2.10).

use std::time::Duration;

use tokio::time::Instant;

/// So many bytes are a sign of life although the packet they belong to is not whole: a large one
/// may take longer than the keepalive on a slow line.
const SIGN_OF_LIFE: usize = 1_000;

/// When a peer has been silent, or deaf, for too long.
pub(crate) struct Clock {
    /// None: it may be silent for ever.
    silence: Option<Duration>,
    deafness: Duration,
    /// When a packet was whole, or a good part of one had come.
    last_sign: Instant,
    /// What has come since then.
    bytes: usize,
    /// When the oldest byte that waits to be written began to wait, or the last one left.
    waiting_since: Option<Instant>,
}

impl Clock {
    pub(crate) fn new(patience: Option<Duration>, max_secs: u16) -> Self {
        Self {
            silence: patience,
            deafness: patience.unwrap_or(Duration::from_millis(u64::from(max_secs) * 1500)),
            last_sign: Instant::now(),
            bytes: 0,
            waiting_since: None,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        let silent = self.silence.map(|patience| self.last_sign + patience);
        // Without anything to write, look again when something might have come up.
        let deaf = self.waiting_since.unwrap_or_else(Instant::now) + self.deafness;
        silent.map_or(deaf, |silent| silent.min(deaf))
    }

    /// Bytes have come.
    pub(crate) fn read(&mut self, bytes: usize) {
        self.bytes += bytes;
        if self.bytes >= SIGN_OF_LIFE {
            self.heard();
        }
    }

    /// A packet has come.
    pub(crate) fn heard(&mut self) {
        self.last_sign = Instant::now();
        self.bytes = 0;
    }

    pub(crate) fn wrote(&mut self) {
        self.waiting_since = Some(Instant::now());
    }

    pub(crate) fn output(&mut self, waits: bool) {
        if !waits {
            self.waiting_since = None;
        } else if self.waiting_since.is_none() {
            self.waiting_since = Some(Instant::now());
        }
    }
}
