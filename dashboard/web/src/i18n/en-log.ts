import type { Span, Topic } from '../lib/log-filter';
import { pluralIn } from './plural';

const plural = pluralIn('en');

/** The page of the log. */
export const enLog = {
  title: 'Log',

  filters: 'What is shown',
  device: 'Device',
  everyDevice: 'Every device',
  topic: 'About',
  everything: 'Everything',
  topics: {
    alerts: 'Alerts',
    devices: 'Devices that come and go',
    messages: 'Messages to people',
    logins: 'Logins',
    changes: 'Changes',
    hub: 'The hub itself',
  } as Record<Topic, string>,
  severity: 'How bad',
  everySeverity: 'Whatever it is',
  warning: 'Warnings and worse',
  critical: 'Critical only',
  span: 'When',
  always: 'As far back as it goes',
  spans: { hour: 'Last hour', day: 'Last day', week: 'Last week' } as Record<Span, string>,
  text: 'Search the log',
  clear: 'Show everything',
  onlyKind: (kind: string) => `Only ${kind}.`,

  table: 'Save as CSV',
  older: 'Show older lines',
  noOlder: 'That is all there is.',
  pause: 'Pause',
  goOn: 'Go on',
  waiting: (count: number) =>
    plural(count, { one: 'Show 1 new line', other: `Show ${count} new lines` }),
  live: 'New lines appear on top as they come.',
  paused: 'New lines wait.',
  emptyTitle: 'Nothing has happened yet',
  emptyText: 'Logins, changes, devices that come and go, and alerts will stand here.',
  noMatch: 'Nothing in the log is like that.',
  notRead: 'The log could not be read.',
  changed: (count: number) => plural(count, { one: 'What changed', other: `${count} changes` }),

  clean: 'Clean up',
  cleanTitle: 'Clean up the log',
  cleanMeans:
    'Every line before this day is removed, for good. That somebody did this stands in the log. Save it as CSV first if you may need it.',
  before: 'Remove what is from before',
  cleanNow: (day: string) => `Remove everything before ${day}`,
  keep: 'Keep everything',
  cleaned: (count: string) => `${count} lines removed.`,
  kept: 'The hub cleans up by itself:',
  keptWhere: 'how long lines are kept',
};
