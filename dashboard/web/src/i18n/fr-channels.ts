import type { enChannels } from './en-channels';
import { pluralIn } from './plural';

const plural = pluralIn('fr');

export const frChannels: typeof enChannels = {
  title: 'Messages',
  intro: 'Un canal prévient des alertes quand personne ne regarde cette page.',
  list: 'Canaux',
  empty: 'Personne n’est encore prévenu.',
  emptyWhy:
    'Pour l’instant, les alertes ne se voient qu’ici. Avec un canal, elles vous parviennent : par e-mail, dans votre messagerie, sur votre téléphone ou sur un bureau. Choisissez-en un pour commencer :',
  emptyViewer: 'Un administrateur peut ajouter des canaux.',
  notRead: 'Les canaux n’ont pas pu être lus.',
  add: 'Ajouter un canal',
  addWhich: 'Quel type de canal ?',
  onlyAdmin: 'Seul un administrateur peut modifier ces réglages.',

  kinds: {
    email: 'E-mail',
    webhook: 'Webhook',
    ntfy: 'ntfy',
    desktop: 'Bureau du hub',
    agent: 'Bureaux d’autres machines',
    unknown: 'Type inconnu',
  },
  kindHints: {
    email: 'Par un serveur de messagerie, le vôtre ou celui de votre fournisseur',
    webhook: 'Slack, Discord, Teams, Gotify, Telegram ou toute adresse web',
    ntfy: 'Sur les téléphones, par ntfy.sh ou votre propre serveur',
    desktop: 'À qui a ouvert une session sur le hub lui-même',
    agent: 'À qui y a ouvert une session, par leurs agents',
  },
  unknownKind:
    'Cette page est plus ancienne que le hub et ne connaît pas ce type. Rechargez la page.',
  formats: {
    json: 'JSON avec tout ce qui est connu',
    slack: 'Slack',
    discord: 'Discord',
    teams: 'Microsoft Teams',
    gotify: 'Gotify',
    telegram: 'Telegram',
    template: 'Un texte à vous',
  },

  row: {
    on: (name) => `Envoyer les messages à ${name}`,
    isOn: 'Activé',
    isOff: 'Désactivé',
    goesTo: 'Destination',
    told: 'Reçoit',
    via: (to, host) => `${to}, par ${host}`,
    topic: (topic, server) => `sujet ${topic} sur ${server}`,
    noAddress: 'pas encore d’adresse',
    hub: 'le hub',
    devices: (names, more) =>
      more > 0
        ? plural(more, { one: `${names} et ${more} autre`, other: `${names} et ${more} autres` })
        : names,
    least: {
      info: 'tout',
      warning: 'avertissements et alertes critiques',
      critical: 'alertes critiques seulement',
    },
    groups: (groups, count) =>
      plural(count, { one: `groupe ${groups}`, other: `groupes ${groups}` }),
    allDevices: 'tous les appareils',
    anyTime: 'à toute heure',
    ends: 'aussi les fins d’alerte',
    noEnds: 'sans les fins d’alerte',
    change: 'Modifier',
    changeNamed: (name) => `Modifier ${name}`,
  },

  test: {
    send: 'Envoyer un test',
    sendNamed: (name) => `Envoyer un test à ${name}`,
    underWay: 'Le test est en cours. Cela peut prendre une demi-minute.',
    sent: 'Le test est parti. Réponse reçue :',
    failed: 'Le test n’est pas arrivé :',
    noAnswer: 'aucun texte',
    off: 'Ce canal est désactivé : un test y part quand même, pas les alertes.',
  },

  remove: {
    remove: 'Supprimer',
    removeNamed: (name) => `Supprimer ${name}`,
    title: (name) => `Supprimer ${name} ?`,
    means:
      'Plus rien n’y sera envoyé. Ses réglages disparaissent, avec son mot de passe, son adresse ou son jeton. Les alertes restent telles quelles, les autres canaux aussi.',
    last: 'C’est le dernier canal : ensuite, personne ne sera prévenu des alertes.',
    now: (name) => `Supprimer ${name}`,
    keep: (name) => `Garder ${name}`,
    done: (name) => `${name} est supprimé.`,
  },

  form: {
    newTitle: (kind) => `Nouveau canal : ${kind}`,
    changeTitle: (name) => `Modifier ${name}`,
    way: 'Comment y parvenir',
    route: 'Ce qui y est envoyé',
    make: 'Ajouter le canal',
    save: 'Enregistrer le canal',
    cancel: 'Annuler',
    made: (name) => `${name} est ajouté. Envoyez un test pour voir s’il arrive.`,
    saved: (name) => `${name} est enregistré.`,
    lacking: 'Il manque quelque chose. Voyez ce qui est signalé.',
    name: 'Nom',
    nameHint: 'Comme vous l’appelez, par exemple : E-mail aux admins',
    host: 'Serveur de messagerie',
    hostHint: 'Nom ou adresse, par exemple : mail.example.org',
    port: 'Port',
    portHint: '587 pour STARTTLS, 465 pour TLS',
    security: 'Protection de la connexion',
    securities: { start_tls: 'STARTTLS', tls: 'TLS dès le début', none: 'Aucune' },
    securityHint:
      'Aucune : seulement pour un serveur sur le hub même, sinon d’autres peuvent lire.',
    user: 'Utilisateur',
    userHint:
      'Laissez vide si le serveur ne demande pas de mot de passe. Par exemple : hub@example.org',
    from: 'De',
    fromHint: 'Qui écrit, par exemple : NetMonitor <hub@example.org>',
    to: 'À',
    toHint: 'Une adresse par ligne, 20 au plus. Par exemple : ada@example.org',
    format: 'Ce qui est attendu là-bas',
    urlHints: {
      json: 'Reçoit en JSON tout ce qui est connu. Par exemple : https://example.org/hooks/netmonitor',
      slack:
        'Donnée par les « webhooks entrants » de Slack. Par exemple : https://hooks.slack.com/services/T…/B…/…',
      discord:
        'Dans les réglages du salon Discord, « Intégrations ». Par exemple : https://discord.com/api/webhooks/…',
      teams: 'Dans les « Workflows » du canal Teams. Par exemple : https://….logic.azure.com/…',
      gotify:
        'Avec le jeton de l’application. Par exemple : https://push.example.org/message?token=…',
      telegram: 'Avec le jeton de votre bot : https://api.telegram.org/bot123456:ABC…/sendMessage',
      template: 'Reçoit le texte ci-dessous. Par exemple : https://example.org/hooks/netmonitor',
    },
    chat: 'Discussion',
    chatHint: 'Son numéro ou son nom, par exemple : -1001234567890 ou @nos_alertes',
    template: 'Texte',
    templateHint: 'Du JSON reste du JSON. Ce qui est entre accolades est remplacé :',
    places: {
      title: 'le message en une ligne',
      text: 'le message entier',
      severity: 'info, warning ou critical',
      kind: 'ce dont il s’agit : firing, reminder, resolved',
      device: 'l’appareil',
      rule: 'la règle',
      value: 'ce qui a été mesuré',
      limit: 'la limite de la règle',
      link: 'un lien vers le tableau de bord',
      id: 'le même si un message part deux fois',
    },
    server: 'Serveur',
    serverHint: 'Par exemple : https://ntfy.sh',
    topic: 'Sujet',
    topicHint:
      'Qui le connaît peut tout lire : rendez-le difficile à deviner. Par exemple : nos-alertes-7f3a',
    devices: 'Sur quels appareils',
    devicesHint: 'Quelqu’un doit y avoir ouvert une session pour le voir.',
    noDevices: 'Il n’y a pas encore d’appareil.',
    gone: (id) => `${id} (supprimé)`,
    desktop:
      'S’affiche sur l’écran de qui a ouvert une session sur le hub. Il n’y a rien à régler.',
    lacks: {
      template: 'Donnez le texte, par exemple : {title}',
      hours: 'Donnez les deux heures, par exemple : 22:00 et 07:00',
      name: 'Donnez-lui un nom, par exemple : E-mail aux admins',
      host: 'Indiquez le serveur, par exemple : mail.example.org',
      port: 'Donnez un nombre de 1 à 65535, par exemple : 587',
      from: 'Dites qui écrit, par exemple : hub@example.org',
      to: 'Donnez au moins une adresse, par exemple : ada@example.org',
      url: 'Donnez l’adresse que l’autre côté vous a fournie.',
      chat: 'Indiquez la discussion : Telegram doit savoir laquelle.',
      topic: 'Donnez le sujet, par exemple : nos-alertes-7f3a',
      devices: 'Choisissez au moins un appareil.',
    },
    least: 'À partir de quelle gravité',
    leasts: {
      info: 'Tout',
      warning: 'Avertissement et critique',
      critical: 'Critique seulement',
    },
    groups: 'Seulement les appareils de ces groupes',
    groupsHint: 'Aucun choisi : tous les appareils.',
    noGroups:
      'Tous les appareils. Pour choisir, rangez d’abord des appareils dans des groupes, dans leurs réglages.',
    hours: 'Seulement à ces heures',
    hoursHint:
      'Aucune donnée : à toute heure. Dans le fuseau horaire réglé pour tous les messages.',
    resolved: 'Prévenir aussi quand c’est fini',
    resolvedHint: 'Dit que tout va de nouveau bien, pour ce que ce canal avait annoncé.',
  },

  secret: {
    password: 'Mot de passe',
    passwordHint:
      'Celui de l’utilisateur. Pour Gmail et semblables : un mot de passe d’application.',
    url: 'Adresse',
    token: 'Jeton d’accès',
    tokenHint: 'Seulement si le sujet est protégé. Par exemple : tk_agqd…',
    isSet: (host) => (host === '' ? 'En place.' : `En place, mène à ${host}.`),
    never: 'Plus rien n’en sera affiché.',
    willGo: 'Disparaît à l’enregistrement.',
    replace: 'Remplacer',
    replaceNamed: (what) => `Remplacer : ${what}`,
    remove: 'Retirer',
    removeNamed: (what) => `Retirer : ${what}`,
    keep: 'Garder l’actuel',
  },

  hours: {
    add: 'Ajouter des heures',
    remove: 'Retirer ces heures',
    from: 'De',
    to: 'À',
    days: 'Jours',
    everyDay: 'tous les jours',
    nextDay: 'Finit le lendemain.',
    noDay: 'Aucun jour choisi : tous les jours.',
    span: (days, from, to) => `${days} ${from}–${to}`,
    wholeDay: (days) => `${days} toute la journée`,
    run: (first, last) => `${first}–${last}`,
  },

  heartbeat: {
    title: 'Signe de vie',
    intro:
      'Un hub en panne ne peut pas vous le dire. Il peut appeler de temps en temps l’adresse d’un service tel que Healthchecks, qui vous prévient quand plus personne n’appelle.',
    enabled: 'Appeler l’adresse',
    url: 'Adresse',
    urlHint: 'Donnée par le service qui attend l’appel. Par exemple : https://hc-ping.com/…',
    every: 'Toutes les combien de secondes',
    everyHint: (least, most) =>
      `De ${least} à ${most}, par exemple : 60. Le service devrait attendre plus longtemps, peut-être 3 fois.`,
    noAddress: 'Donnez d’abord une adresse.',
    name: 'signe de vie',
    save: 'Enregistrer le signe de vie',
    saved: 'Enregistré. Le hub s’y tient dès maintenant.',
  },

  alerting: {
    title: 'Pour tous les messages',
    language: 'Langue des messages',
    languageHint: 'Celle des e-mails et autres messages. Cette page a la sienne.',
    system: 'Celle du système du hub',
    timeZone: 'Fuseau horaire',
    timeZoneHint:
      'Celui de toutes les heures de cette page. Par exemple : Europe/Paris. Vide : celui du système du hub.',
    quiet: 'Heures calmes',
    quietHint:
      'Seul ce qui est critique est annoncé aussitôt. Le reste attend la fin de ces heures, et n’est pas annoncé s’il est terminé d’ici là.',
    repeat: 'Répéter toutes les tant d’heures',
    repeatHint:
      'Jusqu’à ce que quelqu’un ait pris l’alerte en charge. 0 : jamais. Par exemple : 24',
    grace: 'Délai de grâce au démarrage, en secondes',
    graceHint:
      'Après le démarrage d’une machine, ses services ne sont pas jugés pendant ce temps. Par exemple : 120',
    url: 'Adresse de ce tableau de bord',
    urlHint:
      'Pour les liens des messages. Par exemple : http://192.168.1.5:8080. Vide : pas de liens.',
    between: (least, most) => `Donnez un nombre entier de ${least} à ${most}.`,
    save: 'Enregistrer pour tous les messages',
    saved: 'Enregistré. Valable dès le prochain message.',
    notRead: 'Ce qui vaut pour tous les messages n’a pas pu être lu.',
  },
};
