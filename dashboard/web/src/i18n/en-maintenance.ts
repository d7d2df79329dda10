import { pluralIn } from './plural';

const plural = pluralIn('en');

/** Maintenance windows. */
export const enMaintenance = {
  title: 'Maintenance windows',
  intro:
    'While one is open, alerts are shown and nobody is told. What still fires at its end is told then.',
  empty: 'No window yet. Plan one before you work on machines, so that nobody is woken.',
  emptyViewer: 'No window is planned.',
  failed: 'The windows could not be read.',
  plan: 'Plan a window',
  planTitle: 'Plan a maintenance window',
  changeTitle: 'Change the maintenance window',
  change: 'Change',
  changeNamed: (name: string) => `Change the window: ${name}`,
  remove: 'Remove',
  removeNamed: (name: string) => `Remove the window: ${name}`,
  removeTitle: 'Remove this window?',
  removeMeans: (name: string, isOpen: boolean) =>
    isOpen
      ? `“${name}” goes. Alerts of its devices are told again at once, also those that fire now.`
      : `“${name}” goes. Nothing else changes.`,
  removeNow: 'Remove the window',
  keep: 'Keep the window',
  save: 'Save the window',
  saved: 'The window is saved.',
  removed: 'The window is removed.',
  unnamed: 'Maintenance',
  over: (count: number) =>
    plural(count, { one: '1 that is over', other: `${count} that are over` }),

  status: {
    open: (until: string) => `Open now, until ${until}`,
    next: (from: string) => `Next: ${from}`,
    over: 'Over',
  },
  once: (from: string, to: string) => `${from} to ${to}`,
  weekly: (days: string, from: string, to: string) => `${days}, ${from} to ${to}`,
  everyDay: 'Every day',
  all: 'All devices and the hub',
  group: (name: string) => `group ${name}`,
  more: (count: number) => `and ${count} more`,

  fields: {
    name: 'What for',
    nameHint: 'A note for others, e.g. “new disks in nas”.',
    kind: 'How often',
    once: 'Once',
    weekly: 'Every week',
    from: 'From',
    to: 'Until',
    lasts: 'Lasts',
    days: 'Begins on',
    nextDay: 'Ends on the next day.',
    target: 'For',
    all: 'All, and the hub',
    some: 'Chosen ones',
    groups: 'Groups',
    devices: 'Devices',
    filter: 'Filter by name',
    noMatch: 'No device has this name.',
    noDevice: 'There is no device yet.',
    chosen: (count: number) => plural(count, { one: '1 chosen', other: `${count} chosen` }),
  },
  zone: (zone: string, now: string) =>
    `Times of the hub’s time zone, ${zone}, where it is ${now} now.`,
  zoneUnknown: 'Each week by the hub’s own clock: no time zone is set for alerts.',
  faults: {
    from: 'Give a time.',
    to: 'Give a time after the beginning.',
    past: 'This is over already. Give a time to come.',
    days: 'Choose at least one day.',
    target: 'Choose at least one device or group.',
    name: 'At most 64 characters.',
  },
};
