//! How a service (or an agent) of `NetMonitor` starts, connects to MQTT and stops.
//!
//! This is the only crate that knows rumqttc, reads the environment, or asks the clock what
//! time it is. It knows neither databases nor HTTP. Reading order:
//!
//! - [`mqtt`]: connect, reconnect, publish, receive
//! - [`frame`]: what each of the hub's services does alike: say that it is there, count, leave
//! - [`tls`]: the hub proves itself by the fingerprint of its CA
//! - [`data_dir`], [`announced`]: what lies where in the hub's data directory, and where it listens
//! - [`listen`], [`config`], [`environment`], [`logging`], [`shutdown`], [`clock`], [`time_zone`],
//!   [`language`], [`random`], [`open_files`], [`huge_pages`]: the edge towards the system
//! - [`private_file`], [`service_secrets`]: passwords on disk
//! - [`channel_secrets`]: what channels for messages need
//! - [`secret`], [`counters`], [`digest`]: small parts that the above share

pub mod announced;
pub mod channel_secrets;
pub mod clock;
pub mod config;
pub mod counters;
pub mod data_dir;
pub mod digest;
pub mod environment;
pub mod frame;
pub mod huge_pages;
pub mod language;
pub mod listen;
pub mod logging;
pub mod mqtt;
pub mod open_files;
pub mod private_file;
pub mod random;
pub mod secret;
pub mod service_secrets;
pub mod shutdown;
pub mod time_zone;
pub mod tls;

pub use counters::Counters;
pub use data_dir::DataDir;
pub use secret::Secret;
