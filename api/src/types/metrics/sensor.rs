//! What sensors measure.

use netmonitor_protocol::payload as wire;
use poem_openapi::Object;

/// A temperature sensor.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Temperature {
    /// The sensor's name.
    pub sensor: String,
    /// In degrees Celsius.
    pub celsius: f64,
    /// Above this the hardware is in danger, by its maker's word, in degrees Celsius.
    #[oai(skip_serializing_if_is_none)]
    pub critical_celsius: Option<f64>,
}

impl From<&wire::Temperature> for Temperature {
    fn from(sensor: &wire::Temperature) -> Self {
        Self {
            sensor: sensor.sensor.clone(),
            celsius: sensor.celsius,
            critical_celsius: sensor.critical_celsius,
        }
    }
}

/// A fan.
#[derive(Debug, Clone, PartialEq, Eq, Object)]
pub struct Fan {
    /// The sensor's name.
    pub sensor: String,
    /// Revolutions per minute.
    pub rpm: u32,
}

impl From<&wire::Fan> for Fan {
    fn from(fan: &wire::Fan) -> Self {
        Self {
            sensor: fan.sensor.clone(),
            rpm: fan.rpm,
        }
    }
}

/// A voltage.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Voltage {
    /// The sensor's name.
    pub sensor: String,
    /// In volts.
    pub volts: f64,
}

impl From<&wire::Voltage> for Voltage {
    fn from(voltage: &wire::Voltage) -> Self {
        Self {
            sensor: voltage.sensor.clone(),
            volts: voltage.volts,
        }
    }
}
