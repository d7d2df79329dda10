//! Where the power comes from, and whether it is enough.

use serde::{Deserialize, Serialize};

/// What slows the processor down just now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttling {
    /// The supply voltage is too low, as with a weak power supply of a Raspberry Pi.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undervoltage: Option<bool>,
    /// It is slower than it could be, because of its temperature or its supply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<bool>,
}

/// One battery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Battery {
    /// The system's name for it, e.g. `BAT0`.
    pub name: String,
    /// How full it is, 0 to 100.
    pub percent: f64,
    /// What it does.
    pub state: ChargeState,
    /// What goes into it or comes out of it, in watts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watts: Option<f64>,
    /// What it holds when it is full, as a share of what it held when it was new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_percent: Option<f64>,
}

/// What a battery does (Linux, `Documentation/ABI/testing/sysfs-class-power`, `status`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChargeState {
    /// It is being charged.
    Charging,
    /// The machine lives on it.
    Discharging,
    /// It is full.
    Full,
    /// It is neither charged nor used, as when its charge is kept below a limit.
    NotCharging,
    /// The machine does not know, or says a word that this version does not know.
    #[serde(other)]
    Unknown,
}
