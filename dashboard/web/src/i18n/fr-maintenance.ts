import type { enMaintenance } from './en-maintenance';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

export const frMaintenance: typeof enMaintenance = {
  title: 'Plages de maintenance',
  intro:
    'Pendant une plage, les alertes s’affichent et personne n’est averti. Ce qui dure encore à la fin est annoncé à ce moment.',
  empty:
    'Aucune plage. Prévoyez-en une avant d’intervenir sur des machines, pour ne réveiller personne.',
  emptyViewer: 'Aucune plage n’est prévue.',
  failed: 'Impossible de lire les plages.',
  plan: 'Prévoir une plage',
  planTitle: 'Prévoir une plage de maintenance',
  changeTitle: 'Modifier la plage de maintenance',
  change: 'Modifier',
  changeNamed: (name) => `Modifier la plage : ${name}`,
  remove: 'Supprimer',
  removeNamed: (name) => `Supprimer la plage : ${name}`,
  removeTitle: 'Supprimer cette plage ?',
  removeMeans: (name, isOpen) =>
    isOpen
      ? `« ${name} » disparaît. Les alertes de ses appareils sont de nouveau annoncées aussitôt, y compris celles en cours.`
      : `« ${name} » disparaît. Rien d’autre ne change.`,
  removeNow: 'Supprimer la plage',
  keep: 'Garder la plage',
  save: 'Enregistrer la plage',
  saved: 'La plage est enregistrée.',
  removed: 'La plage est supprimée.',
  unnamed: 'Maintenance',
  over: (count) => plural(count, { one: `${count} terminée`, other: `${count} terminées` }),

  status: {
    open: (until) => `En cours, jusqu’à ${until}`,
    next: (from) => `Prochaine : ${from}`,
    over: 'Terminée',
  },
  once: (from, to) => `${from} à ${to}`,
  weekly: (days, from, to) => `${days}, de ${from} à ${to}`,
  everyDay: 'Tous les jours',
  all: 'Tous les appareils et le hub',
  group: (name) => `groupe ${name}`,
  more: (count) => plural(count, { one: `et ${count} autre`, other: `et ${count} autres` }),

  fields: {
    name: 'Motif',
    nameHint: 'Une note pour les autres, par exemple « nouveaux disques dans nas ».',
    kind: 'Fréquence',
    once: 'Une fois',
    weekly: 'Chaque semaine',
    from: 'Début',
    to: 'Fin',
    lasts: 'Durée',
    days: 'Commence le',
    nextDay: 'Se termine le lendemain.',
    target: 'Pour',
    all: 'Tous, et le hub',
    some: 'Une sélection',
    groups: 'Groupes',
    devices: 'Appareils',
    filter: 'Filtrer par nom',
    noMatch: 'Aucun appareil ne porte ce nom.',
    noDevice: 'Il n’y a pas encore d’appareil.',
    chosen: (count) => plural(count, { one: `${count} choisi`, other: `${count} choisis` }),
  },
  zone: (zone, now) => `Heures du fuseau horaire du hub, ${zone}, où il est actuellement ${now}.`,
  zoneUnknown:
    'Chaque semaine selon l’horloge du hub : aucun fuseau horaire n’est réglé pour les alertes.',
  faults: {
    from: 'Indiquez une heure.',
    to: 'Indiquez une heure après le début.',
    past: 'C’est déjà passé. Indiquez une heure à venir.',
    days: 'Choisissez au moins un jour.',
    target: 'Choisissez au moins un appareil ou un groupe.',
    name: 'Au plus 64 caractères.',
  },
};
