//! Samples of the past, in columns.

use std::collections::HashMap;

use netmonitor_store::history::Columns;
use poem_openapi::Object;

/// Samples of one device: times, and for each series a value per time.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct History {
    /// Begin of the range, in milliseconds since 1970.
    pub from: i64,
    /// End of the range, in milliseconds since 1970.
    pub to: i64,
    /// Milliseconds since 1970, ascending.
    pub times: Vec<i64>,
    /// By name: `cpu`, `ram`, `swap` and `disk:{mount}` in percent, `load1`, `rx:{interface}`
    /// and `tx:{interface}` in bytes per second, `temp:{sensor}` in degrees Celsius.
    pub series: HashMap<String, Series>,
}

/// One series, as long as `times`; null where nothing was measured.
#[derive(Debug, Clone, PartialEq, Object)]
pub struct Series {
    /// Mean of what the time stands for.
    pub mean: Vec<Option<f64>>,
    /// Smallest.
    pub min: Vec<Option<f64>>,
    /// Largest.
    pub max: Vec<Option<f64>>,
}

impl History {
    /// The columns of a range.
    pub fn new(from: i64, to: i64, columns: Columns) -> Self {
        let series = columns
            .series
            .into_iter()
            .map(|(name, series)| {
                let series = Series {
                    mean: series.mean,
                    min: series.min,
                    max: series.max,
                };
                (name, series)
            })
            .collect();
        Self {
            from,
            to,
            times: columns.times,
            series,
        }
    }
}
