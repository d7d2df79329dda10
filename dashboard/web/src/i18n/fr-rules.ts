import type { enRules } from './en-rules';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

/** Comment s’appelle une règle, par son nom dans l’API. */
const NAMES: Record<string, string> = {
  offline: 'Hors ligne',
  stale: 'Aucune mesure',
  reboot: 'Redémarrage imprévu',
  cpu: 'Processeur',
  ram: 'Mémoire',
  swap: 'Swap',
  disk: 'Disque',
  inodes: 'Inodes',
  'disk-trend': 'Disque qui se remplit',
  load: 'Charge',
  temperature: 'Température',
  network: 'Réseau',
  clock: 'Horloge',
  service: 'Services surveillés',
  'samples-lost': 'Mesures perdues',
  storage: 'Disque de ses données',
  database: 'Historique',
  ingest: 'Enregistrement des mesures',
  time: 'Heure inconnue',
  settings: 'Réglages des appareils',
};

/** Ce que surveille une règle, en une phrase. */
const MEANINGS: Record<string, string> = {
  offline: 'L’appareil a disparu sans prévenir.',
  stale: 'L’appareil est connecté mais n’envoie aucune mesure.',
  reboot: 'La machine a redémarré sans avoir été arrêtée.',
  cpu: 'L’occupation de tous les cœurs ensemble.',
  ram: 'La part de mémoire utilisée.',
  swap: 'La part de swap utilisée. Un swap plein que personne ne lit ne gêne pas.',
  disk: 'Le remplissage d’un disque. Chaque disque a sa propre alerte.',
  inodes: 'Les inodes utilisés d’un disque : sans inode libre, aucun fichier ne peut être créé.',
  'disk-trend': 'Dans combien de jours un disque sera plein, selon la tendance d’une semaine.',
  load: 'Le nombre de processus prêts à tourner, par cœur, en moyenne sur cinq minutes.',
  temperature: 'Le capteur le plus chaud de la machine.',
  network: 'Ce que toutes les interfaces reçoivent et envoient ensemble.',
  clock: 'L’écart de l’horloge de l’appareil.',
  service: 'Un service surveillé ne tourne pas, ou redémarre 3 fois en 10 minutes.',
  'samples-lost': 'Des mesures sont perdues pour de bon.',
  storage: 'Le remplissage du disque qui porte les données du hub.',
  database: 'L’historique ne peut pas être écrit.',
  ingest: 'Les mesures sont enregistrées en retard, ou par personne.',
  time: 'Le hub ne sait pas quelle heure il est.',
  settings: 'Un appareil ne fait pas ce qui lui a été demandé.',
};

/** Ce qui ne va pas, là où rien n’est comparé et où le nom ne le dit pas. */
const STATES: Record<string, string> = {
  service: 'à l’arrêt',
  database: 'impossible à écrire',
  ingest: 'en retard',
  settings: 'pas appliqués',
};

/** Les limites qui ne sont pas simplement au-dessus ou en dessous. */
const BEYOND: Record<string, (limit: string) => string> = {
  clock: (limit) => `écart de plus de ${limit}`,
  'disk-trend': (limit) => `plein dans moins de ${limit}`,
};

export const frRules: typeof enRules = {
  title: 'Règles',
  fleetIntro:
    'Ce que le hub surveille, sur tous les appareils et sur lui-même. Un appareil peut avoir ses propres réglages, sur sa page.',
  deviceIntro:
    'Ce que le hub surveille ici. Ce qui n’est pas réglé pour cet appareil vaut comme pour tous.',
  names: NAMES,
  meanings: MEANINGS,
  states: STATES,
  beyond: BEYOND,
  groups: {
    machine: 'Machine',
    disks: 'Disques',
    services: 'Services',
    presence: 'Présence',
    hub: 'Hub',
  },
  units: {
    percent: '%',
    number: 'par cœur',
    celsius: '°C',
    bytes_per_second: 'Mo/s',
    seconds: 's',
    days: 'jours',
  },
  severity: {
    info: 'info',
    warning: 'avertissement',
    critical: 'critique',
    unknown: 'inconnu',
  },
  above: (limit) => `au-dessus de ${limit}`,
  under: (limit) => `en dessous de ${limit}`,
  days: (count, amount) => plural(count, { one: `${amount} jour`, other: `${amount} jours` }),
  perCore: (amount) => `${amount} par cœur`,
  lasting: (time) => `pendant ${time}`,
  atOnce: 'aussitôt',
  off: 'désactivée',
  setHere: { fleet: 'modifiée', device: 'réglée ici' },
  unsaved: 'non enregistrée',
  watched: 'Surveiller',
  watchedHint: 'Désactivée, elle ne se déclenche pas et rien n’est signalé.',
  limit: (unit) => `Limite, en ${unit}`,
  limitPerCore: 'Limite, par cœur',
  limitAbove: 'Tout ce qui la dépasse est mauvais.',
  limitBelow: 'Tout ce qui est en dessous est mauvais.',
  time: 'Pendant combien de temps',
  timeHint: 'L’état doit durer tout ce temps, sans répit. Par exemple 30 s, 5 min ou 1 h.',
  clear: (unit) => `Seuil de fin, en ${unit}`,
  clearPerCore: 'Seuil de fin, par cœur',
  clearHint: (value) =>
    `Entre les deux, rien ne change : une valeur qui oscille ne dit rien. Vide : il suit la limite (${value}).`,
  severityLabel: 'Gravité',
  severityHint: 'Un canal peut ne vouloir que ce qui est assez grave.',
  otherwise: {
    fleet: (value) => `Par défaut : ${value}.`,
    device: (value) => `Tous les appareils : ${value}.`,
  },
  on: 'activée',
  between: (least, most) => `Donnez un nombre de ${least} à ${most}.`,
  clearAbove: 'Ne dépassez pas la limite.',
  clearBelow: 'Ne descendez pas sous la limite.',
  duration: 'Donnez une durée d’un jour au plus, avec son unité : 30 s, 5 min, 1 h.',
  save: 'Enregistrer cette règle',
  takeBack: { fleet: 'Revenir au défaut', device: 'Comme pour tous les appareils' },
  discard: 'Abandonner les changements',
  saved: 'Enregistré. La règle vaut dès maintenant.',
  notRead: 'Les règles n’ont pas pu être lues.',
  none: 'Le hub n’annonce aucune règle. Il est peut-être plus ancien que cette page : rechargez-la.',
  preview: {
    title: 'Ce qu’elle aurait fait',
    ask: 'Se serait déclenchée…',
    device: 'Examiné',
    all: 'Tous les appareils',
    asking: 'Lecture de l’historique. Cela peut prendre quelques secondes.',
    times: (count, amount) =>
      count === 0
        ? 'Aucune fois ces 7 derniers jours'
        : plural(count, {
            one: 'Une fois ces 7 derniers jours',
            other: `${amount} fois ces 7 derniers jours`,
          }),
    timesSince: (count, amount, since) =>
      count === 0
        ? `Aucune fois depuis le ${since} ; rien de plus ancien n’est gardé`
        : plural(count, {
            one: `Une fois depuis le ${since} ; rien de plus ancien n’est gardé`,
            other: `${amount} fois depuis le ${since} ; rien de plus ancien n’est gardé`,
          }),
    nothing: 'Rien n’en est gardé pour ces 7 derniers jours : impossible à dire.',
    noPast:
      'Impossible de dire combien de fois elle se serait déclenchée : l’historique n’en garde rien.',
    off: 'Désactivée, elle ne se déclenche jamais. Ce qui suit vaut si elle était activée.',
    from: (since, lasting) => `${since}, pendant ${lasting}`,
    ongoing: (since) => `${since}, et encore maintenant`,
    newest: (count) => `Les ${count} plus récentes :`,
    outdated: 'Vous avez changé quelque chose depuis : demandez à nouveau.',
  },
};
