import { pluralIn } from './plural';

const plural = pluralIn('en');

/** What a rule is called, by its name in the API. */
const NAMES: Record<string, string> = {
  offline: 'Offline',
  stale: 'No samples',
  reboot: 'Unexpected restart',
  cpu: 'Processor',
  ram: 'Memory',
  swap: 'Swap',
  disk: 'Disk',
  inodes: 'Inodes',
  'disk-trend': 'Disk fills up',
  load: 'Load',
  temperature: 'Temperature',
  network: 'Network',
  clock: 'Clock',
  service: 'Watched services',
  'samples-lost': 'Lost samples',
  storage: 'Disk with its data',
  database: 'History',
  ingest: 'Storing samples',
  time: 'Time not known',
  settings: 'Settings of devices',
};

/** What a rule watches, in a sentence. */
const MEANINGS: Record<string, string> = {
  offline: 'The device is gone without having said so.',
  stale: 'The device is connected, and sends no samples.',
  reboot: 'The machine has started anew without having been shut down.',
  cpu: 'How busy all cores are together.',
  ram: 'How much of the memory is used.',
  swap: 'How much of the swap is used. Full swap that nobody reads does no harm.',
  disk: 'How full a disk is. Each disk has an alert of its own.',
  inodes: 'How many of a disk’s inodes are used: without one left no file can be made.',
  'disk-trend': 'In how many days a disk will be full, by the trend of a week.',
  load: 'How many processes want to run, per core, as the mean of five minutes.',
  temperature: 'The hottest sensor of the machine.',
  network: 'What all interfaces receive and send together.',
  clock: 'How far the device’s clock is off.',
  service: 'A watched service does not run, or restarts 3 times in 10 minutes.',
  'samples-lost': 'Measurements are lost for good.',
  storage: 'How full the disk is that has the hub’s data.',
  database: 'The history cannot be written.',
  ingest: 'Samples are not stored in time, or by nobody.',
  time: 'The hub does not know what time it is.',
  settings: 'A device does not do what it was told.',
};

/** What is wrong, where nothing is compared and the name does not say it: `not running for 5 s`. */
const STATES: Record<string, string> = {
  service: 'not running',
  database: 'not writable',
  ingest: 'late',
  settings: 'not taken over',
};

/** Limits that are not simply above or below something. */
const BEYOND: Record<string, (limit: string) => string> = {
  clock: (limit) => `off by more than ${limit}`,
  'disk-trend': (limit) => `full in less than ${limit}`,
};

/** What rules are, and how they are set. */
export const enRules = {
  title: 'Rules',
  fleetIntro:
    'What the hub watches, on all devices and on itself. A device may have settings of its own, on its page.',
  deviceIntro: 'What the hub watches here. What is not set for this device is as for all devices.',
  names: NAMES,
  meanings: MEANINGS,
  states: STATES,
  beyond: BEYOND,
  groups: {
    machine: 'Machine',
    disks: 'Disks',
    services: 'Services',
    presence: 'Presence',
    hub: 'Hub',
  },
  units: {
    percent: '%',
    number: 'per core',
    celsius: '°C',
    bytes_per_second: 'MB/s',
    seconds: 's',
    days: 'days',
  },
  severity: { info: 'info', warning: 'warning', critical: 'critical', unknown: 'unknown' },
  above: (limit: string) => `above ${limit}`,
  under: (limit: string) => `below ${limit}`,
  days: (count: number, amount: string) => plural(count, { one: '1 day', other: `${amount} days` }),
  perCore: (amount: string) => `${amount} per core`,
  lasting: (time: string) => `for ${time}`,
  atOnce: 'at once',
  off: 'off',
  setHere: { fleet: 'changed', device: 'set here' },
  unsaved: 'not saved',
  watched: 'Watch this',
  watchedHint: 'Off: it neither fires nor is it shown as a trouble.',
  limit: (unit: string) => `Limit, in ${unit}`,
  limitPerCore: 'Limit, per core',
  limitAbove: 'Bad is what is above it.',
  limitBelow: 'Bad is what is below it.',
  time: 'For how long',
  timeHint: 'It must be bad all this time, without a break. For example 30 s, 5 min or 1 h.',
  clear: (unit: string) => `Over at, in ${unit}`,
  clearPerCore: 'Over at, per core',
  clearHint: (value: string) =>
    `Between the two nothing changes, so that a value that trembles says nothing. Empty: it follows the limit (${value}).`,
  severityLabel: 'Severity',
  severityHint: 'Channels may want only what is severe enough.',
  otherwise: {
    fleet: (value: string) => `Default: ${value}.`,
    device: (value: string) => `All devices: ${value}.`,
  },
  on: 'on',
  between: (least: string, most: string) => `Give a number from ${least} to ${most}.`,
  clearAbove: 'Give no more than the limit.',
  clearBelow: 'Give no less than the limit.',
  duration: 'Give a time of at most a day, with its unit: 30 s, 5 min, 1 h.',
  save: 'Save this rule',
  takeBack: { fleet: 'Back to the default', device: 'As for all devices' },
  discard: 'Discard changes',
  saved: 'Saved. It holds from now on.',
  notRead: 'The rules could not be read.',
  none: 'The hub tells of no rule. It may be older than this page: reload it.',
  preview: {
    title: 'What it would have done',
    ask: 'Would have fired…',
    device: 'Looked at',
    all: 'All devices',
    asking: 'Looking through the history. This may take some seconds.',
    times: (count: number, amount: string) =>
      plural(count, {
        one: 'Once in the last 7 days',
        other: count === 0 ? 'Not once in the last 7 days' : `${amount} times in the last 7 days`,
      }),
    timesSince: (count: number, amount: string, since: string) =>
      plural(count, {
        one: `Once since ${since}; nothing older is stored`,
        other:
          count === 0
            ? `Not once since ${since}; nothing older is stored`
            : `${amount} times since ${since}; nothing older is stored`,
      }),
    nothing: 'Nothing is stored of this in the last 7 days, so nobody can say.',
    noPast: 'How often it would have fired nobody can say: the history does not have this.',
    off: 'Switched off it never fires. What follows holds if it were on.',
    from: (since: string, lasting: string) => `${since}, for ${lasting}`,
    ongoing: (since: string) => `${since}, and still now`,
    newest: (count: string) => `The newest ${count}:`,
    outdated: 'You have changed something since: ask again.',
  },
};
