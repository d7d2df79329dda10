//! When something is wrong, and who is to be told: every trouble once, at once, and never none.
//!
//! - [`RuleConfig`], [`effective`]: what is watched, and from where on it is wrong
//! - [`Notice`]: what somebody is to be told

mod defaults;
mod notice;

pub use defaults::{RuleConfig, default_config, effective};
pub use notice::{Notice, NoticeKind, Told};
