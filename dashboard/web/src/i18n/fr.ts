import type { Messages } from './en';
import { frAlertEvents } from './fr-alerts';
import { frAlertsPage } from './fr-alerts-page';
import { frLog } from './fr-log';
import { frRules } from './fr-rules';
import { frDeviceSettings } from './fr-device-settings';
import { frAccess } from './fr-access';
import { frChannels } from './fr-channels';
import { frDevice } from './fr-device';
import { frWeekdays } from './fr-weekdays';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

/** Why a device is not online, or how it came back. */
const CAUSES: Record<string, string> = {
  stopped: 'agent arrêté',
  shutdown: 'machine éteinte',
  suspend: 'en veille',
  reboot: 'machine redémarrée',
  lost: 'connexion perdue',
  replaced: 'agent relancé',
  hub_restart: 'le hub était absent',
};

/** Sections of the hub's settings. */
const SECTIONS: Record<string, string> = {
  history: 'historique',
  alerting: 'alertes',
  channels: 'canaux',
};

function sectionName(section: string): string {
  return SECTIONS[section] ?? section;
}

function because(cause: string): string {
  const words = CAUSES[cause];
  return words ? ` (${words})` : '';
}

/** French, written as French. Before « : ; ? ! » stands a no-break space. */
export const fr: Messages = {
  units: {
    bytes: ['o', 'Kio', 'Mio', 'Gio', 'Tio', 'Pio'],
    decimal: ['Mo', 'Go', 'To'],
    perSecond: (amount) => `${amount}/s`,
    rpm: 'tr/min',
    second: 's',
    minute: 'min',
    hour: 'h',
    day: 'j',
    ago: (duration) => `il y a ${duration}`,
    justNow: 'à l’instant',
  },
  name: 'Français',

  common: {
    loading: 'Chargement',
    close: 'Fermer',
    copy: 'Copier',
    copied: 'Copié',
    tryAgain: 'Réessayer',
    version: (version) => `NetMonitor ${version}`,
    apiDocs: 'API',
    newerVersion: (version) => `Le hub est passé à la version ${version}.`,
    reload: 'Recharger la page',
    skip: 'Aller au contenu',
    none: 'aucun',
  },

  nav: {
    name: 'Pages',
    devices: 'Appareils',
    alerts: 'Alertes',
    log: 'Journal',
    unattended: (count: number) =>
      plural(count, {
        one: '1 dont personne ne s’occupe',
        other: `${count} dont personne ne s’occupe`,
      }),
  },

  menu: {
    account: 'Compte',
    language: 'Langue',
    settings: 'Réglages',
    theme: 'Thème',
    system: 'Système',
    light: 'Clair',
    dark: 'Sombre',
    logOut: 'Se déconnecter',
    roles: { admin: 'Administrateur', operator: 'Opérateur', viewer: 'Lecture seule' },
  },

  errors: {
    unreachable: 'Le hub ne répond pas. Vérifiez qu’il fonctionne et que vous êtes sur son réseau.',
    pageMissing:
      'Cette page n’a pas pu être chargée : le hub ne répond pas, ou il a changé de version.',
    forbidden: 'Votre compte n’en a pas le droit. Adressez-vous à un administrateur.',
    changedMeanwhile:
      'Quelqu’un d’autre a modifié les réglages entre-temps : rien n’a été enregistré. Relisez-les, puis modifiez ce que vous voulez.',
    server: (detail) => `Le hub n’a pas pu le faire : ${detail}`,
    badLogin: 'Nom ou mot de passe incorrect.',
    tooMany: (wait) => `Trop de tentatives. Réessayez dans ${wait}.`,
    tooManySoon: 'Trop de tentatives. Réessayez dans quelques minutes.',
  },

  login: {
    title: 'Connexion',
    name: 'Nom',
    password: 'Mot de passe',
    show: 'Afficher la saisie',
    submit: 'Se connecter',
    expired: 'Votre session a pris fin. Connectez-vous pour continuer.',
    nameSample: 'NOM',
    forgotten: 'Oublié ? Sur le hub, lancez :',
  },

  setup: {
    title: 'Configurer ce hub',
    intro: 'Créez le premier compte. Il pourra tout changer sur ce hub.',
    name: 'Nom',
    password: 'Mot de passe',
    passwordHint: 'Au moins 10 caractères. Quelques mots se retiennent mieux que des symboles.',
    passwordShort: (missing) =>
      plural(missing, { one: 'Encore 1 caractère', other: `Encore ${missing} caractères` }),
    submit: 'Créer le compte',
    needsLinkTitle: 'Ce hub n’est pas encore configuré',
    needsLink:
      'Ouvrez le lien de configuration que le hub a affiché à son démarrage. Pour le revoir, lancez :',
    badToken:
      'Ce lien de configuration n’est pas valable, ou ne l’est plus. Pour en obtenir un, lancez sur le hub :',
    done: 'Ce hub est déjà configuré.',
    toLogin: 'Se connecter',
  },

  status: {
    online: 'En ligne',
    offline: 'Hors ligne',
    stale: 'Sans mesures',
    unknown: 'Inconnu',
  },

  cause: CAUSES,

  headline: {
    asOf: (time) => `À ${time} :`,
    well: (total) =>
      plural(total, { one: '1 appareil, tout va bien', other: `${total} appareils, tout va bien` }),
    unknown: (unknown, total) =>
      `Rien d’anormal à ce qu’on voit ; ${unknown} sur ${total} sans nouvelles depuis le démarrage du hub`,
    needYou: (count, total) =>
      plural(count, {
        one: `${count} appareil sur ${total} demande votre attention :`,
        other: `${count} appareils sur ${total} demandent votre attention :`,
      }),
    offlineFor: (duration) => ` hors ligne depuis ${duration}`,
    offline: ' hors ligne',
    staleFor: (duration) => ` connecté, mais aucune mesure depuis ${duration}`,
    troubles: (list) => ` : ${list}`,
    more: (count) => plural(count, { one: 'et 1 autre', other: `et ${count} autres` }),
  },

  trouble: {
    offlineFor: (duration) => `Hors ligne depuis ${duration}`,
    offline: 'Hors ligne',
    offlineBrief: (duration) => `Hors ligne, ${duration}`,
    stale: 'Connecté, mais n’envoie aucune mesure',
    staleFor: (duration) => `Connecté, mais aucune mesure depuis ${duration}`,
    staleBrief: (duration) => `Muet, ${duration}`,
    unknown: 'Pas encore de nouvelles',
    cpu: (value) => `CPU ${value}`,
    ram: (value) => `RAM ${value}`,
    disk: (value, mount) => `disque ${mount ? `${mount} ` : ''}${value}`,
    services: (names) =>
      names.length === 1
        ? `${names[0] ?? ''} en échec`
        : names.length === 2
          ? `${names.join(' et ')} en échec`
          : `${names.length} services en échec`,
    servicesCount: (count) =>
      plural(count, { one: '1 service en échec', other: `${count} services en échec` }),
  },

  fleet: {
    title: 'Appareils',
    needYou: 'À voir',
    filter: 'Nom, groupe, système, adresse',
    noMatch: (text) =>
      `Aucun appareil n’a « ${text} » dans son nom, son groupe, son système ou ses adresses.`,
    emptyTitle: 'Aucun appareil pour l’instant',
    emptyText:
      'Collez une seule ligne sur une machine. Elle apparaît ici quelques secondes plus tard.',
    emptyNotAdmin: 'Un administrateur peut en ajouter un ici.',
    asOf: (time) => `Valeurs de ${time}`,
    up: (duration) => `actif depuis ${duration}`,
    cores: (count) => plural(count, { one: '1 cœur', other: `${count} cœurs` }),
    services: (count) => plural(count, { one: '1 service', other: `${count} services` }),
  },

  add: {
    button: 'Ajouter un appareil',
    title: 'Ajouter un appareil',
    make: 'Créer un code',
    intro:
      'Un code laisse entrer une seule machine et reste valable 15 minutes. Il contient l’adresse de ce hub et l’empreinte de son certificat.',
    install: 'Collez cette ligne sur une machine Linux avec systemd :',
    installs:
      'La machine reçoit l’agent de ce hub, le vérifie et l’installe comme service. Elle n’a pas besoin d’internet.',
    orJoin: 'Ou, sur une machine qui a déjà l’agent :',
    paste: 'Collez cette ligne sur une machine qui a l’agent :',
    valid: (duration) => `Valable encore ${duration}, une seule fois.`,
    expired: 'Ce code n’est plus valable.',
    another: 'Créer un autre code',
    waiting: 'En attente de la machine…',
    joined: (name) => `${name} a rejoint le parc.`,
    start: 'Ses valeurs arrivent dès que son agent fonctionne. Lancez-le sur la machine :',
    show: (name) => `Voir ${name}`,
  },

  metric: {
    cpu: 'CPU',
    ram: 'RAM',
    swap: 'Swap',
    disk: 'Disque',
    load: 'Charge',
    load1: '1 min',
    network: 'Réseau',
    temperature: 'Température',
    disks: 'Disques',
    memory: 'Mémoire',
    services: 'Services',
    cpuModes: 'CPU par usage',
    user: 'programmes',
    system: 'noyau',
    iowait: 'attente disque',
    steal: 'pris par l’hôte',
    pressure: 'Pression',
    throughput: 'Débit des disques',
    read: (drive) => `${drive} lu`,
    written: (drive) => `${drive} écrit`,
    busy: 'Occupation des disques',
    fans: 'Ventilateurs',
    battery: 'Batterie',
    gpu: 'GPU',
    containerCpu: 'Conteneurs, CPU',
    containerMemory: 'Conteneurs, mémoire',
    received: 'reçu',
    sent: 'envoyé',
    limit: (limit) => `Limite ${limit}`,
    core: (number, value) => `Cœur ${number} : ${value}`,
    perCore: 'Cœurs à l’instant',
    of: (used, total) => `${used} sur ${total}`,
    usedAndFree: (used, free) => `${used} utilisés, ${free} libres`,
  },

  why: {
    noValues: 'pas encore de valeurs',
    noDisk: 'aucun disque signalé',
    noSensor: 'Aucune sonde ne donne de température.',
    noLoad: 'Ce système n’a pas de charge moyenne.',
    noNetwork: 'Aucune interface réseau signalée.',
    noHistory: 'Rien n’a été enregistré pendant cette période.',
    notReported: 'non communiqué',
  },

  alerts: frAlertsPage,
  log: frLog,
  rules: frRules,
  deviceSettings: frDeviceSettings,
  weekdays: frWeekdays,
  access: frAccess,
  channels: frChannels,
  ...frDevice,

  settings: {
    title: 'Réglages',
    parts: { history: 'Historique', rules: 'Règles', channels: 'Messages', access: 'Accès' },
    history: 'Historique',
    historyIntro:
      'Combien de temps le hub garde ce que les appareils mesurent. Ce qui est plus ancien disparaît et laisse la place au nouveau.',
    onlyAdmin: 'Seul un administrateur peut modifier ces réglages.',
    fields: {
      sample_days: 'Chaque mesure, en jours',
      five_minute_days: 'Un point toutes les 5 minutes, en jours',
      two_hour_days: 'Un point toutes les 2 heures, en jours',
      max_megabytes: 'Taille maximale, en Mo',
      event_days: 'Lignes du journal, en jours',
      max_events: 'Nombre maximal de lignes du journal',
    },
    anyAge: 'Vide : quel que soit leur âge.',
    costs: (size) => `Occupe environ ${size}.`,
    costUnknown: 'La place occupée sera connue dès qu’un appareil enverra des valeurs.',
    sizeNow: (size) => `L’historique occupe ${size} à présent.`,
    total: (size, devices) =>
      plural(devices, {
        one: `Le tout occupera environ ${size} avec l’appareil présent, une fois cet âge atteint.`,
        other: `Le tout occupera environ ${size} avec les ${devices} appareils présents, une fois cet âge atteint.`,
      }),
    tooMuch: (size, days) =>
      days === 0
        ? `Le tout occuperait environ ${size}, ce qui est trop : presque aucune mesure ne pourrait être gardée.`
        : plural(days, {
            one: `Le tout occuperait environ ${size}, ce qui est trop : les mesures disparaîtront après environ 1 jour.`,
            other: `Le tout occuperait environ ${size}, ce qui est trop : les mesures disparaîtront après environ ${days} jours.`,
          }),
    between: (least, most) => `Donnez un nombre entier de ${least} à ${most}.`,
    deletes:
      'Ce qui est gardé aujourd’hui et dépasse ces limites sera supprimé, sans retour possible.',
    save: 'Enregistrer',
    saveAndDelete: 'Enregistrer et supprimer l’ancien',
    saved: 'Enregistré. Le hub s’y tient dès maintenant.',
    readAnew: 'Les relire',
    notRead: 'Les réglages n’ont pas pu être lus.',
  },

  hub: {
    unreachable: (since) => `Le hub est injoignable depuis ${since}.`,
    stale: (time) => `Ce que vous voyez date de ${time}. Nouvel essai automatique.`,
    staleNothing: 'Nouvel essai automatique.',
    degraded: (service) =>
      `${service} fonctionne avec des défauts. Son journal sur le hub dit pourquoi.`,
    degradedBy: {
      disk_full: (service) =>
        `Le disque du hub est plein : ${service} ne peut plus écrire. Le direct continue ; les agents gardent leurs mesures jusqu’à ce qu’il y ait de la place.`,
      not_writable: (service) =>
        `${service} ne peut pas écrire sur le disque du hub. Le direct continue ; les agents gardent leurs mesures. Son journal sur le hub en dit plus.`,
      damaged: (service) =>
        `La base de données de ${service} est endommagée. Le direct continue. Son journal sur le hub en dit plus.`,
      clock_not_set: () =>
        'Le hub ne sait pas encore l’heure : l’historique l’attend. Le direct continue ; les agents gardent leurs mesures.',
    },
    missing: {
      ingest:
        'L’historique n’est pas enregistré : ingest ne fonctionne pas. Le direct continue ; les agents gardent leurs mesures jusqu’à son retour.',
      broker:
        'Plus rien n’arrive : le broker ne fonctionne pas. L’historique reste lisible ; les agents gardent leurs mesures jusqu’à son retour.',
      alerting:
        'Personne ne conclut qui est là : alerting ne fonctionne pas. Les appareils sont affichés tels que le broker les connaît.',
      api: 'Le service api ne va pas bien. Ce que vous voyez peut être en retard.',
    },
    missingOther: (service) => `${service} ne fonctionne pas. Tout le reste continue.`,
  },

  events: {
    title: 'Événements récents',
    empty: 'Il ne s’est encore rien passé.',
    severity: { info: 'Info', warning: 'Avertissement', critical: 'Critique', unknown: 'Inconnu' },
    by: (actor) => `par ${actor}`,
    kinds: {
      ...frAlertEvents,
      device_joined: (p) => `${p('name')} a rejoint le parc`,
      device_online: (p) => `${p('device')} est en ligne${because(p('cause'))}`,
      device_offline: (p) => `${p('device')} est hors ligne${because(p('cause'))}`,
      device_stale: (p) => `${p('device')} est connecté, mais n’envoie aucune mesure`,
      device_cloned: (p) =>
        `Deux machines utilisent l’identité de ${p('device')} : ${p('addresses')}`,
      device_revoked: (p) => `${p('name')} retiré`,
      samples_lost: (p) =>
        `${p('samples')} mesures de ${p('device')} manquent pour toujours : elles n’ont pas pu être gardées`,
      service_started: (p) => `Service du hub ${p('service')} ${p('version')} démarré`,
      service_stopped: (p) => `Service du hub ${p('service')} arrêté`,
      logged_in: (p) => `Connexion de ${p('actor')} depuis ${p('address')}`,
      login_failed: (p) => `Échec de connexion pour ${p('name')} depuis ${p('address')}`,
      logged_out: (p) =>
        `Déconnexion de ${p('actor')}${p('everywhere') === 'yes' ? ' partout' : ''}`,
      user_added: (p) => `Compte ${p('name')} (${p('role')}) créé`,
      user_removed: (p) => `Compte ${p('name')} supprimé`,
      user_changed: (p) => `Rôle de ${p('name')} modifié : ${p('was')} → ${p('role')}`,
      password_changed: (p) => `Mot de passe de ${p('name')} changé`,
      token_added: (p) => `Jeton d’API ${p('name')} (${p('role')}) créé`,
      token_removed: (p) => `Jeton d’API ${p('name')} supprimé`,
      mqtt_user_added: (p) => `Utilisateur MQTT ${p('name')} (${p('role')}) créé`,
      mqtt_user_removed: (p) => `Utilisateur MQTT ${p('name')} supprimé`,
      join_code_added: (p) => `Code d’ajout créé (${p('uses')}×)`,
      settings_changed: (p) =>
        p('section') === 'device'
          ? 'Réglages de l’appareil modifiés'
          : `Réglages du hub modifiés (${sectionName(p('section'))})`,
      events_removed: (p) => `Lignes du journal supprimées : ${p('lines')}`,
    },
  },
};
