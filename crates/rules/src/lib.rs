//! Rules over samples as pure functions.
