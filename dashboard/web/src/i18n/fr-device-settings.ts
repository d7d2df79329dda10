import type { enDeviceSettings } from './en-device-settings';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

export const frDeviceSettings: typeof enDeviceSettings = {
  title: (name: string) => `Réglages de ${name}`,
  link: 'Réglages',
  notRead: 'Les réglages de cet appareil n’ont pas pu être lus.',
  save: 'Enregistrer',
  saved: 'Enregistré.',
  discard: 'Abandonner les changements',
  about: {
    title: 'L’appareil',
    name: 'Nom',
    nameFault: 'Donnez un nom de 1 à 64 caractères.',
    groups: 'Groupes',
    groupsHint: 'Séparés par des virgules, pour les canaux et les plages de maintenance.',
    groupsKnown: (names) => `Groupes existants : ${names}.`,
    groupsFault: 'Au plus 20 groupes, de 32 caractères chacun au plus.',
    uplink: 'Se trouve derrière',
    uplinkHint:
      'Un switch, un routeur ou une machine sans qui il est injoignable. S’il disparaît, un seul message les nomme tous.',
    noUplink: 'Aucun autre appareil',
    alwaysOn: 'Toujours allumé',
    alwaysOnHint: 'Il n’est jamais éteint exprès : même un arrêt prévu est une alerte.',
  },
  agent: {
    title: 'L’agent',
    intro: 'Ce que fait l’agent sur cette machine. L’effet est immédiat, sans redémarrage.',
    interval: 'Intervalle de mesure, en secondes',
    intervalHint: 'Vide : comme l’agent l’entend.',
    intervalNow: (interval) => `Actuellement : toutes les ${interval}.`,
    intervalFault: (least, most) => `Donnez un nombre de ${least} à ${most}.`,
    offline: 'Hors ligne après',
    offlineHint:
      'Après une telle durée sans connexion, l’appareil est hors ligne. La même que dans la règle Hors ligne plus bas. Vide : comme pour tous les appareils.',
    offlineFault: 'Donnez une durée d’un jour au plus, avec son unité : 10 s, 2 min.',
    notifications: 'Notifications à la personne devant la machine',
    notificationsHint: 'Pour les canaux qui affichent les alertes sur les bureaux des machines.',
    notify: { agent: 'Comme l’agent l’entend', yes: 'Permises', no: 'Interdites' },
    progress: {
      nothing: 'Rien n’est réglé : l’agent suit ses propres réglages.',
      sent: 'Envoyé. L’appareil n’a pas encore dit qu’il s’y tient.',
      waiting: 'L’appareil est hors ligne. Il appliquera ceci à son retour.',
      applied: 'Appliqué : l’appareil s’y tient.',
    },
  },
  services: {
    title: 'Services surveillés',
    intro: 'Si l’un d’eux ne tourne pas, la règle Services surveillés se déclenche.',
    upToAgent: (count) =>
      count === 0
        ? 'Rien n’est réglé, et l’agent n’en surveille aucun de lui-même.'
        : plural(count, {
            one: 'Rien n’est réglé : l’agent en surveille 1 de lui-même.',
            other: `Rien n’est réglé : l’agent en surveille ${count} de lui-même.`,
          }),
    none: 'Aucun service n’est surveillé. Cherchez-en un ci-dessous pour le surveiller.',
    remove: (name) => `Ne plus surveiller ${name}`,
    leave: 'Laisser faire l’agent',
    search: 'Surveiller un autre service',
    searchHint: 'Tapez une partie de son nom.',
    watch: 'Surveiller',
    watchOne: (name) => `Surveiller ${name}`,
    addByName: (name) => `Surveiller « ${name} », que l’appareil n’annonce pas`,
    more: (count) =>
      plural(count, {
        one: 'et 1 autre : précisez le nom',
        other: `et ${count} autres : précisez le nom`,
      }),
    notRead:
      'Ses services ne sont pas connus pour l’instant. Vous pouvez tout de même en ajouter un par son nom.',
    tooMany: 'Au plus 256 services peuvent être surveillés.',
  },
};
