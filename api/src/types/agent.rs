//! Agent programs that the hub hands out.

use poem_openapi::Object;

/// An agent program.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Agent {
    /// For which system: `x86_64-linux`, `aarch64-linux` or `armv7-linux`.
    pub target: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Agent programs.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct AgentPage {
    /// By target.
    pub items: Vec<Agent>,
    /// Always null: all fit on one page.
    pub next: Option<String>,
}
