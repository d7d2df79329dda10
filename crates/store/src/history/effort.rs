//! How much is done to make many numbers small.

use pco::{ChunkConfig, DeltaSpec};

/// How long the numbers stay as they are written now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// A day: they are written anew when it is merged. To look for the best differences costs as
    /// much as all the rest, and gains nothing for what changes slowly.
    Passing,
    /// For years.
    Lasting,
}

impl Effort {
    /// Of pco's levels (0 to 12): of a day a higher one makes 1 % less, in a tenth more time.
    /// A level more makes up for what is not looked for.
    pub(super) fn config(self) -> ChunkConfig {
        let config = ChunkConfig::default();
        match self {
            Self::Passing => config
                .with_compression_level(5)
                .with_delta_spec(DeltaSpec::TryConsecutive(1)),
            Self::Lasting => config.with_compression_level(6),
        }
    }
}
