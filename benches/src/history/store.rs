//! Who stores the samples.

/// A store that is measured.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    clap::ValueEnum,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Store {
    /// Our history: `monitor.db`.
    Ours,
    /// Debian's `VictoriaMetrics`.
    Victoria,
    /// Debian's Prometheus.
    Prometheus,
    /// A plain SQLite table: one row per series and time.
    Rows,
    /// Another: one row per report, a column per metric.
    Reports,
}

impl Store {
    /// All, in the order of the table.
    pub const ALL: [Self; 5] = [
        Self::Ours,
        Self::Victoria,
        Self::Prometheus,
        Self::Rows,
        Self::Reports,
    ];

    /// The head of its column.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Victoria => "VictoriaMetrics",
            Self::Prometheus => "Prometheus",
            Self::Rows => "SQLite, row per sample",
            Self::Reports => "SQLite, row per report",
        }
    }

    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Victoria => "victoria",
            Self::Prometheus => "prometheus",
            Self::Rows => "rows",
            Self::Reports => "reports",
        }
    }

    /// Whether it is a library, which lives in a worker of ours.
    pub fn is_embedded(self) -> bool {
        matches!(self, Self::Ours | Self::Rows | Self::Reports)
    }
}
