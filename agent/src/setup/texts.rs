//! What is asked, in the language of whoever sits at the terminal.

/// The questions of one language.
pub(super) struct Texts {
    pub(super) yes: &'static str,
    pub(super) no: &'static str,
    /// With the addresses.
    pub(super) belongs: fn(&str) -> String,
    pub(super) server: &'static str,
    pub(super) no_server: &'static str,
    /// With the device's id.
    pub(super) joined: fn(&str) -> String,
    pub(super) user: &'static str,
    pub(super) password: &'static str,
    pub(super) interval: &'static str,
    pub(super) services: &'static str,
    /// With the name of the service.
    pub(super) gone: fn(&str) -> String,
    pub(super) notifications: &'static str,
    /// With the path.
    pub(super) written: fn(&str) -> String,
    pub(super) install: &'static str,
    pub(super) start: &'static str,
}

static ENGLISH: Texts = Texts {
    yes: "Yes",
    no: "No",
    belongs: |hub| format!("This machine belongs to {hub}. Keep it so?"),
    server: "Join code (from the dashboard), or the URL of an MQTT broker (mqtts://host:8883)",
    no_server: "this is neither a join code nor a URL such as mqtts://host:8883",
    joined: |device| format!("Joined as {device}."),
    user: "MQTT user at the broker (may be empty)",
    password: "Password",
    interval: "Time between two samples",
    services: "Services to watch (space chooses, enter is done)",
    gone: |name| format!("{name} (not on this machine any more)"),
    notifications: "Show notifications to whoever is logged in here?",
    written: |path| format!("Written to {path}."),
    install: "Start the agent now, and with this machine?",
    start: "Start it with `netmonitor-agent run`, or as a service with `sudo netmonitor-agent install`.",
};

static FRENCH: Texts = Texts {
    yes: "Oui",
    no: "Non",
    belongs: |hub| format!("Cette machine est rattachée à {hub}. Garder ce réglage ?"),
    server: "Code d’ajout (donné par le tableau de bord), ou URL d’un broker MQTT (mqtts://hôte:8883)",
    no_server: "ce n’est ni un code d’ajout ni une URL comme mqtts://hôte:8883",
    joined: |device| format!("Machine ajoutée sous le nom {device}."),
    user: "Utilisateur MQTT sur le broker (peut être vide)",
    password: "Mot de passe",
    interval: "Intervalle entre deux mesures",
    services: "Services à surveiller (espace pour choisir, entrée pour terminer)",
    gone: |name| format!("{name} (n’est plus sur cette machine)"),
    notifications: "Afficher les notifications à la personne connectée ici ?",
    written: |path| format!("Enregistré dans {path}."),
    install: "Démarrer l’agent maintenant, et avec cette machine ?",
    start: "Démarrez-le avec `netmonitor-agent run`, ou comme service avec `sudo netmonitor-agent install`.",
};

impl Texts {
    /// The texts for a locale.
    pub(super) fn of(locale: Option<&str>) -> &'static Self {
        match netmonitor_service::language::Language::of(locale) {
            netmonitor_service::language::Language::English => &ENGLISH,
            netmonitor_service::language::Language::French => &FRENCH,
        }
    }
}
