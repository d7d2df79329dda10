//! Alerting: concludes who is there (`device/{id}/presence`) and what is wrong
//! (`alert/{subject}/{rule}`), says so in the log, and tells people.
//!
//! The shell around [`netmonitor_rules`], which is where everything is decided. It waits for no
//! database: what it must not forget is in a small file of its own, written beside everything else.
//!
//! - [`config`]: what can be set in the configuration
//! - [`service`]: the loop; `brain` has the engines, `journal` what must not be forgotten
//! - [`words`], [`routing`]: what a message says, and who gets it when: pure
//! - `policy`, `post`, `queue`, `parcel`: messages on their way, a queue for each channel
//! - [`channels`]: how they get there; [`heartbeat`]: how somebody notices that the hub is gone
//! - `trial`: whether a channel works, for who wants to see it
//! - `trends`: in how many days disks are full
//! - `hub_health`, `storage`, `undelivered`, `watch`: how the hub itself is doing

mod brain;
pub mod channels;
pub mod config;
pub mod heartbeat;
mod http;
mod hub_health;
mod journal;
mod outbox;
mod parcel;
mod policy;
mod post;
mod queue;
pub mod routing;
pub mod service;
mod storage;
mod trends;
mod trial;
mod undelivered;
mod watch;
pub mod words;

pub use config::Config;
pub use service::run;
