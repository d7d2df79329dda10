//! French.

use netmonitor_protocol::RuleKind as K;

use super::texts::{Of, Texts};

pub(super) static TEXTS: Texts = Texts {
    hub: "Hub",
    decimal: ',',
    byte: "o",
    days: |number, is_one| format!("{number} {}", if is_one { "jour" } else { "jours" }),
    less_than_a_day: "moins d’un jour",
    time: "%d/%m/%Y à %H:%M:%S %Z",
    date: "%d/%m/%Y",
    problem,
    fine,
    ended: |of| format!("{} : fin de l’alerte sur {}", of.name, thing(of)),
    why,
    why_ended: |detail| {
        Some(match detail {
            "removed" => "L’appareil a été retiré.",
            "disabled" => "La règle a été désactivée.",
            "gone" => "Cet élément n’est plus sur la machine.",
            "unwatched" => "Personne ne le surveille plus.",
            "planned" => "Son absence est voulue.",
            _ => return None,
        })
    },
    detail: |word| format!("Détail : {word}."),
    limit: |limit, is_below| {
        if is_below {
            format!("L’alerte est donnée en dessous de {limit}.")
        } else {
            format!("Le seuil est de {limit}.")
        }
    },
    was: |value, limit| format!("La valeur était de {value} ; le seuil est de {limit}."),
    is: |value, limit| format!("La valeur est maintenant de {value} ; le seuil est de {limit}."),
    full_on: |date| format!("À ce rythme, il sera plein le {date}."),
    since: |time| format!("Depuis le {time}."),
    since_long: |time, long| format!("Depuis le {time}, soit {long}."),
    lasted: |long, from, to| format!("Durée : {long}, du {from} au {to}."),
    behind: |names| format!("Derrière lui, et injoignables aussi : {names}."),
    and_behind: |count| match count {
        1 => ", et 1 appareil derrière lui".to_owned(),
        _ => format!(", et {count} appareils derrière lui"),
    },
    still: |title| format!("Toujours : {title}"),
    offline: |count, names| format!("{count} appareils sont hors ligne : {names}"),
    back: |count, names| format!("{count} appareils sont de nouveau en ligne : {names}"),
    alerts: |count, names| format!("{count} alertes : {names}"),
    over: |count, names| format!("{count} alertes terminées : {names}"),
    and_more: |names, more| format!("{names} et {more} de plus"),
    also: |names| format!("Et aussi : {names}."),
    test: "NetMonitor : un essai",
    test_text: "Ce message montre que le canal fonctionne. Tout va bien.",
};

fn thing(of: &Of<'_>) -> String {
    let target = of.target;
    match of.kind {
        K::Offline => "son absence".to_owned(),
        K::Stale => "ses mesures".to_owned(),
        K::Reboot => "son redémarrage".to_owned(),
        K::Cpu => "le processeur".to_owned(),
        K::Ram => "la mémoire".to_owned(),
        K::Swap => "le swap".to_owned(),
        K::Load => "la charge".to_owned(),
        K::Temperature => "la température".to_owned(),
        K::Network => "le réseau".to_owned(),
        K::Clock | K::Time => "son horloge".to_owned(),
        K::Disk | K::DiskTrend => format!("le disque {target}"),
        K::Inodes => format!("les inodes de {target}"),
        K::Service => format!("le service {target}"),
        K::SamplesLost => "des mesures perdues".to_owned(),
        K::Storage => "le disque de ses données".to_owned(),
        K::Database => "son historique".to_owned(),
        K::Ingest => "ce qu’il enregistre".to_owned(),
        K::Settings => "les réglages des appareils".to_owned(),
        K::Unknown => "une règle que cette version ne connaît pas".to_owned(),
    }
}

fn problem(of: &Of<'_>) -> String {
    let (name, target) = (of.name, of.target);
    let at = match of.value {
        Some(value) => format!("à {value}"),
        None => "au-dessus du seuil".to_owned(),
    };
    match of.kind {
        K::Offline => format!("{name} est hors ligne"),
        K::Stale => format!("{name} est connecté, mais n’envoie aucune mesure"),
        K::Reboot => format!("{name} a redémarré sans avoir été arrêté"),
        K::Cpu => format!("{name} : processeur {at}"),
        K::Ram => format!("{name} : mémoire {at}"),
        K::Swap => format!("{name} : swap {at}"),
        K::Load => format!("{name} : charge par cœur {at}"),
        K::Temperature => format!("{name} : température {at}"),
        K::Network => format!("{name} : réseau {at}"),
        K::Clock => match of.value {
            Some(value) => format!("{name} : horloge décalée de {value}"),
            None => format!("{name} : horloge décalée"),
        },
        K::Disk => format!("{name} : disque {target} {at}"),
        K::Inodes => format!("{name} : inodes de {target} {at}"),
        K::DiskTrend => match of.value {
            Some(value) => format!("{name} : disque {target} plein dans {value}"),
            None => format!("{name} : disque {target} bientôt plein"),
        },
        K::Service => match of.detail {
            Some("failed") => format!("{name} : le service {target} a échoué"),
            Some("missing") => format!("{name} : le service {target} n’existe pas"),
            Some("restart_loop") => format!("{name} : le service {target} redémarre sans cesse"),
            _ => format!("{name} : le service {target} ne tourne pas"),
        },
        K::SamplesLost => format!("{name} : des mesures sont perdues"),
        K::Storage => format!("{name} : disque de ses données {at}"),
        K::Database => format!("{name} : impossible d’écrire l’historique"),
        K::Ingest => format!("{name} : les mesures ne sont pas enregistrées à temps"),
        K::Time => format!("{name} : l’heure n’est pas connue"),
        K::Settings => {
            let device = of.detail.unwrap_or("un appareil");
            format!("{name} : {device} n’a pas repris ses réglages")
        }
        K::Unknown => format!("{name} : une alerte que cette version ne connaît pas"),
    }
}

fn fine(of: &Of<'_>) -> String {
    let (name, target) = (of.name, of.target);
    match of.kind {
        K::Offline => format!("{name} est de nouveau en ligne"),
        K::Stale => format!("{name} envoie de nouveau des mesures"),
        K::Reboot => format!("{name} tourne depuis son redémarrage"),
        K::Cpu => format!("{name} : processeur revenu à la normale"),
        K::Ram => format!("{name} : mémoire revenue à la normale"),
        K::Swap => format!("{name} : swap revenu à la normale"),
        K::Load => format!("{name} : charge revenue à la normale"),
        K::Temperature => format!("{name} : température revenue à la normale"),
        K::Network => format!("{name} : réseau revenu à la normale"),
        K::Clock => format!("{name} : horloge de nouveau à l’heure"),
        K::Disk => format!("{name} : de nouveau de la place sur le disque {target}"),
        K::Inodes => format!("{name} : de nouveau des inodes libres sur {target}"),
        K::DiskTrend => format!("{name} : le disque {target} ne se remplit plus"),
        K::Service => format!("{name} : le service {target} tourne de nouveau"),
        K::SamplesLost => format!("{name} : plus aucune mesure perdue"),
        K::Storage => format!("{name} : de nouveau de la place sur le disque de ses données"),
        K::Database => format!("{name} : l’historique est de nouveau écrit"),
        K::Ingest => format!("{name} : les mesures sont de nouveau enregistrées à temps"),
        K::Time => format!("{name} : l’heure est de nouveau connue"),
        K::Settings => format!("{name} : tous les appareils ont leurs réglages"),
        K::Unknown => format!("{name} : fin d’une alerte que cette version ne connaît pas"),
    }
}

fn why(kind: K, detail: &str) -> Option<&'static str> {
    Some(match (kind, detail) {
        // Said in the title.
        (K::Service, "stopped" | "failed" | "missing" | "restart_loop") => "",
        (K::Offline, "lost") => {
            "Parti sans prévenir : une panne, une coupure de courant ou le réseau jusqu’au hub."
        }
        (K::Offline, "stopped") => "Son agent a été arrêté ; la machine peut encore tourner.",
        (K::Offline, "shutdown") => "La machine a été arrêtée.",
        (K::Offline, "suspend") => "La machine est en veille.",
        (K::Offline, "reboot") => "La machine redémarre.",
        (K::Offline, "replaced") => {
            "Un autre agent a son identité : un disque copié, ou un agent démarré deux fois."
        }
        (K::Offline, "hub_restart") => "Pas revenu après une absence du hub.",
        (_, "disk_full") => "Le disque est plein.",
        (_, "not_writable") => "Impossible d’écrire dans son dossier de données.",
        (_, "damaged") => "La base de données est endommagée : `netmonitor verify` dit quoi faire.",
        (_, "stopped") => "Le service qui les enregistre ne tourne pas.",
        (_, "behind") => "Le hub ne suit pas ce que les appareils envoient.",
        _ => return None,
    })
}
