import type { enLog } from './en-log';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

export const frLog: typeof enLog = {
  title: 'Journal',

  filters: 'Ce qui est affiché',
  device: 'Appareil',
  everyDevice: 'Tous les appareils',
  topic: 'Sujet',
  everything: 'Tout',
  topics: {
    alerts: 'Alertes',
    devices: 'Appareils qui vont et viennent',
    messages: 'Messages envoyés',
    logins: 'Connexions',
    changes: 'Modifications',
    hub: 'Le hub lui-même',
  },
  severity: 'Gravité',
  everySeverity: 'Toutes',
  warning: 'À partir des avertissements',
  critical: 'Critique seulement',
  span: 'Période',
  always: 'Depuis le début',
  spans: { hour: 'Dernière heure', day: 'Dernier jour', week: 'Dernière semaine' },
  text: 'Chercher dans le journal',
  clear: 'Tout afficher',
  onlyKind: (kind) => `Seulement ${kind}.`,

  table: 'Enregistrer en CSV',
  older: 'Afficher les lignes plus anciennes',
  noOlder: 'Il n’y en a pas d’autres.',
  pause: 'Suspendre',
  goOn: 'Reprendre',
  waiting: (count) =>
    plural(count, {
      one: 'Afficher 1 nouvelle ligne',
      other: `Afficher ${count} nouvelles lignes`,
    }),
  live: 'Les nouvelles lignes s’ajoutent en haut.',
  paused: 'Les nouvelles lignes attendent.',
  emptyTitle: 'Il ne s’est encore rien passé',
  emptyText:
    'Les connexions, les modifications, les appareils qui vont et viennent et les alertes apparaîtront ici.',
  noMatch: 'Rien de tel dans le journal.',
  notRead: 'Le journal n’a pas pu être lu.',
  changed: (count) => plural(count, { one: 'Ce qui a changé', other: `${count} modifications` }),

  clean: 'Nettoyer',
  cleanTitle: 'Nettoyer le journal',
  cleanMeans:
    'Toutes les lignes antérieures à ce jour sont supprimées définitivement. Le journal garde la trace de ce nettoyage. Enregistrez-le d’abord en CSV si vous risquez d’en avoir besoin.',
  before: 'Supprimer ce qui date d’avant le',
  cleanNow: (day) => `Supprimer tout ce qui précède le ${day}`,
  keep: 'Tout garder',
  cleaned: (count) => `${count} lignes supprimées.`,
  kept: 'Le hub nettoie aussi de lui-même :',
  keptWhere: 'durée de conservation des lignes',
};
