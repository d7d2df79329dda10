//! What sensors measure.

use serde::{Deserialize, Serialize};

/// One temperature sensor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Temperature {
    /// The sensor's name, e.g. `coretemp Package id 0`.
    pub sensor: String,
    /// In degrees Celsius.
    pub celsius: f64,
    /// Above this the hardware is in danger, by its maker's word, in degrees Celsius.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical_celsius: Option<f64>,
}

/// One fan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fan {
    /// The sensor's name, e.g. `nct6775 fan1`.
    pub sensor: String,
    /// Revolutions per minute.
    pub rpm: u32,
}

/// One voltage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Voltage {
    /// The sensor's name, e.g. `nct6775 Vcore`.
    pub sensor: String,
    /// In volts.
    pub volts: f64,
}
