import { enMaintenance } from './en-maintenance';
import { RULES } from './en-alerts';
import { pluralIn } from './plural';

const plural = pluralIn('en');

/** What an alert is about. */
export interface AlertSubject {
  kind: string;
  target: string;
  detail: string | undefined;
  /** What was measured, with its unit. */
  value: string | undefined;
}

const SERVICE: Record<string, (name: string) => string> = {
  failed: (name) => `service ${name} has failed`,
  missing: (name) => `there is no service ${name}`,
  restart_loop: (name) => `service ${name} restarts again and again`,
};

/** What is wrong, where the name of what is watched and its value do not say it. */
const PROBLEMS: Record<string, (of: AlertSubject) => string> = {
  stale: () => 'connected, but sends no samples',
  reboot: () => 'restarted without having been shut down',
  load: ({ value = 'above the limit' }) => `load per core ${value}`,
  clock: ({ value }) => (value === undefined ? 'clock is off' : `clock off by ${value}`),
  'disk-trend': ({ target, value }) =>
    value === undefined ? `disk ${target} is full soon` : `disk ${target} is full in ${value}`,
  service: ({ target, detail = '' }) =>
    SERVICE[detail]?.(target) ?? `service ${target} is not running`,
  'samples-lost': () => 'samples are lost for good',
  database: () => 'the history cannot be written',
  ingest: () => 'samples are not stored in time',
  time: () => 'nobody has told it what time it is',
  settings: ({ detail = 'a device' }) => `${detail} has not taken over its settings`,
};

/** Why, by kind and word of the hub, or by the word alone. */
const REASONS: Record<string, string> = {
  'offline lost': 'went without a word: a crash, a power cut, or the network to the hub',
  'offline stopped': 'its agent was stopped; the machine itself may be running',
  'offline shutdown': 'it was shut down',
  'offline suspend': 'it went to sleep',
  'offline reboot': 'it is restarting',
  'offline replaced': 'another agent has its identity',
  'offline hub_restart': 'it did not come back after the hub was away',
  disk_full: 'the disk is full',
  not_writable: 'its data directory cannot be written',
  damaged: 'the database is damaged',
  'ingest stopped': 'the service that stores them is not running',
  behind: 'the hub does not keep up with what devices send',
};

/** The page of alerts. */
export const enAlertsPage = {
  title: 'Alerts',
  hub: 'Hub',

  headline: {
    well: 'All is well: no alert',
    firing: (count: number) => plural(count, { one: '1 alert', other: `${count} alerts` }),
    unattended: (count: number, total: number) => {
      if (total === 1) return ', and nobody has taken it on';
      if (count === total) return ', and nobody has taken them on';
      return plural(count, {
        one: ', 1 that nobody has taken on',
        other: `, ${count} that nobody has taken on`,
      });
    },
    attended: (total: number) =>
      plural(total, { one: ', taken care of', other: ', all taken care of' }),
  },
  asOf: (time: string) => `As it was at ${time}.`,
  unread: 'Not known yet: the hub has not said which alerts there are.',
  wellHint: 'What fires stands here, the worst first.',
  watches: 'See which rules are watched',

  problem: (of: AlertSubject) => {
    const say = PROBLEMS[of.kind];
    if (say) return say(of);
    const name = RULES[of.kind]?.(of.target) ?? [of.kind, of.target].join(' ').trim();
    return of.value === undefined ? name : `${name} ${of.value}`;
  },
  rule: (kind: string, target: string) => RULES[kind]?.(target) ?? [kind, target].join(' ').trim(),
  limit: (limit: string) => `limit ${limit}`,
  reason: (kind: string, detail: string) => REASONS[`${kind} ${detail}`] ?? REASONS[detail],
  days: (count: number, amount: string) =>
    plural(count, { one: `${amount} day`, other: `${amount} days` }),

  firing: 'Firing',
  since: (duration: string) => `for ${duration}`,
  state: {
    firing: 'Nobody has taken it on',
    takenOn: (name: string) => `Taken on by ${name}`,
    takenOnBySomebody: 'Taken on',
    snoozed: (time: string) => `Snoozed until ${time}`,
    mutedMaintenance: 'Nobody is told: maintenance',
    mutedUplink: (device: string) => `Nobody is told: it hangs behind ${device}`,
    muted: 'Nobody is told',
    noted: (note: string) => `“${note}”`,
  },
  underWay: { ack: 'Taking it on…', snooze: 'Snoozing…', giveBack: 'Giving it back…' },

  takeOn: 'Take on',
  takeOnNamed: (what: string) => `Take on: ${what}`,
  withNote: 'With a note…',
  withNoteNamed: (what: string) => `Take on with a note: ${what}`,
  giveBack: 'Give back',
  giveBackNamed: (what: string) => `Give back: ${what}`,
  snooze: 'Snooze 1 h',
  snoozeNamed: (what: string) => `Snooze for 1 hour: ${what}`,
  snoozeMore: 'Snooze for how long',
  snoozeFor: {
    '15min': '15 minutes',
    '1h': '1 hour',
    '4h': '4 hours',
    '1d': '1 day',
    tomorrow: 'Until tomorrow 08:00',
  },
  select: (what: string) => `Select: ${what}`,
  selectAll: 'Select all',
  selected: (count: number) => plural(count, { one: '1 selected', other: `${count} selected` }),
  takeOnMany: (count: number) =>
    plural(count, { one: 'Take on 1 alert', other: `Take on ${count} alerts` }),
  note: {
    title: (count: number) =>
      plural(count, { one: 'Take on with a note', other: `Take on ${count} alerts with a note` }),
    label: 'Note',
    hint: 'Others see it beside your name, e.g. “new disk is ordered”.',
    tooLong: (most: string) => `At most ${most} characters.`,
  },

  pending: {
    title: 'Wrong, but not for long yet',
    hint: 'Nobody is told before it has lasted as long as the rule says.',
    count: (count: number) => plural(count, { one: '1 rule', other: `${count} rules` }),
  },
  unknown: {
    title: 'Not known',
    hint: 'These devices do not say how they are. What fired before goes on firing when they are back.',
    rules: (count: number) =>
      plural(count, { one: '1 rule not known', other: `${count} rules not known` }),
    fired: (list: string) => `fired before: ${list}`,
    devices: (count: number) => plural(count, { one: '1 device', other: `${count} devices` }),
  },

  recent: {
    title: 'Recently',
    empty: 'No alert has fired as far as the log goes back.',
    all: 'All alerts in the log',
    failed: 'The log could not be read.',
  },

  maintenance: enMaintenance,
};
