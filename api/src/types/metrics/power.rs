//! Where the power comes from, and whether it is enough.

use netmonitor_protocol::payload as wire;
use poem_openapi::{Enum, Object};

/// What slows the processor down just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object)]
pub struct Throttling {
    /// The supply voltage is too low.
    #[oai(skip_serializing_if_is_none)]
    pub undervoltage: Option<bool>,
    /// It is slower than it could be, because of its temperature or its supply.
    #[oai(skip_serializing_if_is_none)]
    pub throttled: Option<bool>,
}

impl From<wire::Throttling> for Throttling {
    fn from(throttling: wire::Throttling) -> Self {
        Self {
            undervoltage: throttling.undervoltage,
            throttled: throttling.throttled,
        }
    }
}

/// A battery.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Battery {
    /// The system's name for it.
    pub name: String,
    /// How full it is, 0 to 100.
    pub percent: f64,
    /// What it does.
    pub state: ChargeState,
    /// What goes into it or comes out of it, in watts.
    #[oai(skip_serializing_if_is_none)]
    pub watts: Option<f64>,
    /// What it holds when it is full, as a share of what it held when it was new.
    #[oai(skip_serializing_if_is_none)]
    pub health_percent: Option<f64>,
}

impl From<&wire::Battery> for Battery {
    fn from(battery: &wire::Battery) -> Self {
        Self {
            name: battery.name.clone(),
            percent: battery.percent,
            state: battery.state.into(),
            watts: battery.watts,
            health_percent: battery.health_percent,
        }
    }
}

/// What a battery does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[oai(rename_all = "snake_case")]
pub enum ChargeState {
    /// It is being charged.
    Charging,
    /// The machine lives on it.
    Discharging,
    /// It is full.
    Full,
    /// It is neither charged nor used, as when its charge is kept below a limit.
    NotCharging,
    /// The machine does not know, or the agent is newer than the hub.
    Unknown,
}

impl From<wire::ChargeState> for ChargeState {
    fn from(state: wire::ChargeState) -> Self {
        match state {
            wire::ChargeState::Charging => Self::Charging,
            wire::ChargeState::Discharging => Self::Discharging,
            wire::ChargeState::Full => Self::Full,
            wire::ChargeState::NotCharging => Self::NotCharging,
            wire::ChargeState::Unknown => Self::Unknown,
        }
    }
}
