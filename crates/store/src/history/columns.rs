//! The answer to a query, in columns.

use std::collections::BTreeMap;

/// Times, and for each series a value per time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    /// Milliseconds since 1970, ascending.
    pub times: Vec<i64>,
    /// By name; each as long as `times`.
    pub series: BTreeMap<String, Series>,
}

/// One series: nothing where nothing was measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Mean of what the time stands for.
    pub mean: Vec<Option<f64>>,
    /// Smallest.
    pub min: Vec<Option<f64>>,
    /// Largest.
    pub max: Vec<Option<f64>>,
}
