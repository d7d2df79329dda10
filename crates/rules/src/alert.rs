//! When something is wrong, and who is to be told: every trouble once, at once, and never none.
//!
//! A pure engine: what devices say, what is concluded of them, what an admin has set, and time go in;
//! what is published, logged, remembered and told comes out. What makes it hard, and where it is
//! dealt with:
//!
//! - A value that trembles about its limit is no news: `life`, and the clear levels of `defaults`.
//! - Nobody knows how a device is that is away: its alerts wait (`member`).
//! - A switch that dies takes many devices with it: `tell` waits for all, and says one thing.
//! - Whoever was told that something is wrong is told when it is over, whatever happens meanwhile:
//!   `life` owes it until it was said.
//! - The process may be killed at any moment: what one input has brought about is to be written
//!   together ([`Output::Save`], [`Output::Tell`]), and before anything of it is sent.
//! - After a start settings come one by one: nobody is told, and nothing let go, before all have come.

mod conclude;
mod defaults;
mod due;
mod engine;
mod hear;
mod life;
mod maintenance;
mod member;
mod notice;
mod now;
mod reading;
mod restarts;
mod services;
mod shown;
mod tell;
mod uplinks;

#[cfg(test)]
mod tests;

pub use defaults::{RuleConfig, default_config, effective};
pub use engine::{Engine, Finding, Input, Output};
pub use life::Life;
pub use notice::{Notice, NoticeKind, Told};
pub use now::Now;
