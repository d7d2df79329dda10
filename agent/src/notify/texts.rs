//! What is shown, in the language of whoever is logged in.

use netmonitor_service::language::Language;

/// The texts of one language.
pub(super) struct Texts {
    pub(super) connected: &'static str,
    /// With the address of the hub.
    pub(super) connected_to: fn(&str) -> String,
    pub(super) unreachable: &'static str,
    /// With the time of day.
    pub(super) unreachable_since: fn(&str) -> String,
}

static ENGLISH: Texts = Texts {
    connected: "Connected to NetMonitor",
    connected_to: |hub| format!("This machine is watched by the hub at {hub}."),
    unreachable: "The NetMonitor hub cannot be reached",
    unreachable_since: |time| {
        format!("Not since {time}. What this machine measures is kept until the hub is back.")
    },
};

static FRENCH: Texts = Texts {
    connected: "Connecté à NetMonitor",
    connected_to: |hub| format!("Cette machine est surveillée par le hub {hub}."),
    unreachable: "Le hub NetMonitor est injoignable",
    unreachable_since: |time| {
        format!("Depuis {time}. Les mesures de cette machine sont gardées jusqu’à son retour.")
    },
};

/// The texts of a language.
pub(super) fn texts(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::French => &FRENCH,
    }
}
