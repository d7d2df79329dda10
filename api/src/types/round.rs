//! How many digits are shown.

/// One digit behind the point is what the agent measures.
pub(super) fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
