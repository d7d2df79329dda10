//! What may be forgotten.

use netmonitor_protocol::payload::HistorySettings;

/// What a step of [`HistoryWriter::tend`](super::HistoryWriter::tend) may remove. What is removed
/// never comes back: who does not know for certain says less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention<'a> {
    /// Nothing: how long the history is kept is not known.
    Nothing,
    /// What is too much, and nothing for its age: the clock may be wrong.
    BySize(&'a HistorySettings),
    /// What is too old, and what is too much.
    ByAgeAndSize(&'a HistorySettings),
}

impl<'a> Retention<'a> {
    /// How much is kept; none if nothing may be removed.
    pub(super) fn settings(self) -> Option<&'a HistorySettings> {
        match self {
            Self::Nothing => None,
            Self::BySize(settings) | Self::ByAgeAndSize(settings) => Some(settings),
        }
    }

    /// Whether what is too old may be removed.
    pub(super) fn is_by_age(self) -> bool {
        matches!(self, Self::ByAgeAndSize(_))
    }
}
