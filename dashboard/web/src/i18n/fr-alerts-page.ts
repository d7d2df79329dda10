import type { AlertSubject, enAlertsPage } from './en-alerts-page';
import { RULES } from './fr-alerts';
import { frMaintenance } from './fr-maintenance';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

const SERVICE: Record<string, (name: string) => string> = {
  failed: (name) => `le service ${name} a échoué`,
  missing: (name) => `le service ${name} n’existe pas`,
  restart_loop: (name) => `le service ${name} redémarre sans cesse`,
};

const PROBLEMS: Record<string, (of: AlertSubject) => string> = {
  stale: () => 'connecté, mais n’envoie aucune mesure',
  reboot: () => 'a redémarré sans avoir été arrêté',
  load: ({ value = 'au-dessus du seuil' }) => `charge par cœur ${value}`,
  clock: ({ value }) => (value === undefined ? 'horloge décalée' : `horloge décalée de ${value}`),
  'disk-trend': ({ target, value }) =>
    value === undefined ? `disque ${target} bientôt plein` : `disque ${target} plein dans ${value}`,
  service: ({ target, detail = '' }) =>
    SERVICE[detail]?.(target) ?? `le service ${target} ne tourne pas`,
  'samples-lost': () => 'des mesures sont perdues',
  database: () => 'impossible d’écrire l’historique',
  ingest: () => 'les mesures ne sont pas enregistrées à temps',
  time: () => 'l’heure n’est pas connue',
  settings: ({ detail = 'un appareil' }) => `${detail} n’a pas repris ses réglages`,
};

const REASONS: Record<string, string> = {
  'offline lost': 'parti sans prévenir : panne, coupure de courant ou réseau jusqu’au hub',
  'offline stopped': 'son agent a été arrêté ; la machine tourne peut-être encore',
  'offline shutdown': 'la machine a été arrêtée',
  'offline suspend': 'la machine est en veille',
  'offline reboot': 'la machine redémarre',
  'offline replaced': 'un autre agent a son identité',
  'offline hub_restart': 'pas revenu après une absence du hub',
  disk_full: 'le disque est plein',
  not_writable: 'impossible d’écrire dans son dossier de données',
  damaged: 'la base de données est endommagée',
  'ingest stopped': 'le service qui les enregistre ne tourne pas',
  behind: 'le hub ne suit pas ce que les appareils envoient',
};

export const frAlertsPage: typeof enAlertsPage = {
  title: 'Alertes',
  hub: 'Hub',

  headline: {
    well: 'Tout va bien : aucune alerte',
    firing: (count) => plural(count, { one: '1 alerte', other: `${count} alertes` }),
    unattended: (count, total) => {
      if (total === 1) return ', que personne n’a prise en charge';
      if (count === total) return ', que personne n’a prises en charge';
      return plural(count, {
        one: ', dont 1 que personne n’a prise en charge',
        other: `, dont ${count} que personne n’a prises en charge`,
      });
    },
    attended: (total) =>
      plural(total, { one: ', dont on s’occupe', other: ', dont on s’occupe déjà' }),
  },
  asOf: (time) => `État de ${time}.`,
  unread: 'Pas encore connu : le hub n’a pas dit quelles alertes il y a.',
  wellHint: 'Les alertes apparaissent ici, les plus graves d’abord.',
  watches: 'Voir les règles surveillées',

  problem: (of) => {
    const say = PROBLEMS[of.kind];
    if (say) return say(of);
    const name = RULES[of.kind]?.(of.target) ?? [of.kind, of.target].join(' ').trim();
    return of.value === undefined ? name : `${name} ${of.value}`;
  },
  rule: (kind, target) => RULES[kind]?.(target) ?? [kind, target].join(' ').trim(),
  limit: (limit) => `limite ${limit}`,
  reason: (kind, detail) => REASONS[`${kind} ${detail}`] ?? REASONS[detail],
  days: (count, amount) => plural(count, { one: `${amount} jour`, other: `${amount} jours` }),

  firing: 'En cours',
  since: (duration) => `depuis ${duration}`,
  state: {
    firing: 'Personne ne l’a prise en charge',
    takenOn: (name) => `Prise en charge par ${name}`,
    takenOnBySomebody: 'Prise en charge',
    snoozed: (time) => `En veille jusqu’à ${time}`,
    mutedMaintenance: 'Personne n’est averti : maintenance',
    mutedUplink: (device) => `Personne n’est averti : il dépend de ${device}`,
    muted: 'Personne n’est averti',
    noted: (note) => `« ${note} »`,
  },
  underWay: { ack: 'Prise en charge…', snooze: 'Mise en veille…', giveBack: 'Restitution…' },

  takeOn: 'Prendre en charge',
  takeOnNamed: (what) => `Prendre en charge : ${what}`,
  withNote: 'Avec note…',
  withNoteNamed: (what) => `Prendre en charge avec une note : ${what}`,
  giveBack: 'Rendre',
  giveBackNamed: (what) => `Rendre : ${what}`,
  snooze: 'Veille 1 h',
  snoozeNamed: (what) => `Mettre en veille 1 heure : ${what}`,
  snoozeMore: 'Mettre en veille pour combien de temps',
  snoozeFor: {
    '15min': '15 minutes',
    '1h': '1 heure',
    '4h': '4 heures',
    '1d': '1 jour',
    tomorrow: 'Jusqu’à demain 08:00',
  },
  select: (what) => `Sélectionner : ${what}`,
  selectAll: 'Tout sélectionner',
  selected: (count) =>
    plural(count, { one: `${count} sélectionnée`, other: `${count} sélectionnées` }),
  takeOnMany: (count) =>
    plural(count, {
      one: `Prendre en charge ${count} alerte`,
      other: `Prendre en charge ${count} alertes`,
    }),
  note: {
    title: (count) =>
      plural(count, {
        one: 'Prendre en charge avec une note',
        other: `Prendre en charge ${count} alertes avec une note`,
      }),
    label: 'Note',
    hint: 'Les autres la voient à côté de votre nom, par exemple « nouveau disque commandé ».',
    tooLong: (most) => `Au plus ${most} caractères.`,
  },

  pending: {
    title: 'Anormal, mais depuis peu',
    hint: 'Personne n’est averti tant que cela n’a pas duré autant que le veut la règle.',
    count: (count) => plural(count, { one: `${count} règle`, other: `${count} règles` }),
  },
  unknown: {
    title: 'Inconnu',
    hint: 'Ces appareils ne disent pas comment ils vont. Une alerte d’avant reprend à leur retour.',
    rules: (count) =>
      plural(count, { one: `${count} règle inconnue`, other: `${count} règles inconnues` }),
    fired: (list) => `en alerte avant : ${list}`,
    devices: (count) => plural(count, { one: `${count} appareil`, other: `${count} appareils` }),
  },

  recent: {
    title: 'Récemment',
    empty: 'Aucune alerte, aussi loin que remonte le journal.',
    all: 'Toutes les alertes du journal',
    failed: 'Impossible de lire le journal.',
  },

  maintenance: frMaintenance,
};
