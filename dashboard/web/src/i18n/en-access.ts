import type { MqttRole, Role } from '../api/types';

/** Who may do what: one's own account, those of others, programs. */
export const enAccess = {
  own: {
    title: (name: string) => `Your account, ${name}`,
    old: 'Your password now',
    next: 'New password',
    hint: 'At least 10 characters. Other browsers in which you are logged in have to log in again.',
    wrong: 'That is not your password: nothing was changed.',
    save: 'Change my password',
    saved: 'Changed.',
    everywhere: 'Log out everywhere',
    everywhereMeans: 'Every browser in which you are logged in has to log in again, this one too.',
    stay: 'Stay logged in',
  },
  people: {
    title: 'People',
    intro:
      'A viewer sees everything, an operator takes care of alerts, an administrator changes things.',
    add: 'Add a person',
    addTitle: 'Add a person',
    addNow: 'Make the account',
    name: 'Name',
    role: 'Role',
    roleHints: {
      viewer: 'Sees everything, changes nothing.',
      operator: 'Takes alerts on, snoozes them and plans maintenance.',
      admin: 'Changes everything, people included.',
    } as Record<Role, string>,
    roleOf: (name: string) => `Role of ${name}`,
    you: 'This is you.',
    seen: (ago: string) => `Logged in ${ago}`,
    never: 'Has never logged in.',
    password: 'Set password',
    passwordOf: (name: string) => `Set the password of ${name}`,
    passwordMeans: 'They are logged out everywhere, and log in with the new one.',
    passwordNow: 'Set the password',
    remove: 'Remove',
    removeTitle: (name: string) => `Remove ${name}?`,
    removeMeans:
      'The account is gone at once, and so are its sessions. What it did stays in the log.',
    removeNow: (name: string) => `Remove ${name}`,
    keep: (name: string) => `Keep ${name}`,
  },
  lasts: 'Good for',
  lifetime: (days: number) =>
    days === 0 ? 'As long as nobody removes it' : days === 365 ? '1 year' : `${days} days`,
  until: (day: string) => `until ${day}`,
  expired: (day: string) => `no more, since ${day}`,
  tokens: {
    title: 'API tokens',
    intro: 'For programs that use the REST API, and for Prometheus.',
    empty: 'No token yet.',
    add: 'Make a token',
    name: 'What it is for',
    nameHint: 'For example: prometheus',
    once: 'This is the token. It is shown only now: copy it to where it is needed.',
    removeMeans: 'Whatever uses it is refused from now on.',
  },
  mqttRoles: { reader: 'Reads', operator: 'Reads, and takes care of alerts' } as Record<
    MqttRole,
    string
  >,
  publishes: (filters: string) => `publishes ${filters}`,
  subscribes: (filters: string) => `subscribes to ${filters}`,
  mqtt: {
    title: 'MQTT users',
    intro: 'For Home Assistant, Node-RED and whatever else speaks MQTT. Devices have their own.',
    empty: 'No MQTT user yet.',
    add: 'Make an MQTT user',
    name: 'Name of the user',
    nameHint: 'For example: homeassistant',
    once: 'This is its password. It is shown only now: copy it to where it is needed.',
    removeMeans: 'Its connections end at once, and it is refused from now on.',
  },
};
