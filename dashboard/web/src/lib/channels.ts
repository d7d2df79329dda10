import { WEEKDAYS } from './weekdays';
import type { Channel, ChannelChange, Device, Weekday, WeeklyHours } from '../api/types';

/** The kinds that can be made, in the order in which they are offered. */
export const KINDS = ['email', 'webhook', 'ntfy', 'desktop', 'agent'] as const;
export type Kind = (typeof KINDS)[number];

export const FORMATS = [
  'json',
  'slack',
  'discord',
  'teams',
  'gotify',
  'telegram',
  'template',
] as const;
export type Format = (typeof FORMATS)[number];

export const SECURITIES = ['start_tls', 'tls', 'none'] as const;
export type Security = (typeof SECURITIES)[number];

export const LEAST = ['info', 'warning', 'critical'] as const;
export type Least = (typeof LEAST)[number];

/** What a template may name in braces. */
export const PLACES = [
  'title',
  'text',
  'severity',
  'kind',
  'device',
  'rule',
  'value',
  'limit',
  'link',
  'id',
] as const;

/** Where each protection usually listens. */
const PORTS: Record<Security, string> = { start_tls: '587', tls: '465', none: '25' };

/** What becomes of a secret that is never told. */
export interface SecretDraft {
  what: 'keep' | 'set' | 'remove';
  text: string;
}

/** Times of the week as a form has them. */
export interface HoursDraft {
  days: Weekday[];
  from: string;
  to: string;
}

/** A channel as a form has it. */
export interface Draft {
  kind: Kind;
  name: string;
  host: string;
  port: string;
  security: Security;
  user: string;
  from: string;
  to: string;
  format: Format;
  chat: string;
  template: string;
  server: string;
  topic: string;
  devices: string[];
  secret: SecretDraft;
  least: Least;
  groups: string[];
  hours: HoursDraft[];
  resolved: boolean;
}

/** A form for a new channel. */
export function newDraft(kind: Kind, name: string): Draft {
  return {
    kind,
    name,
    host: '',
    port: PORTS.start_tls,
    security: 'start_tls',
    user: '',
    from: '',
    to: '',
    format: 'json',
    chat: '',
    template: '{title}\n{text}\n{link}',
    server: 'https://ntfy.sh',
    topic: '',
    devices: [],
    secret: { what: 'set', text: '' },
    least: 'info',
    groups: [],
    hours: [],
    resolved: true,
  };
}

/** A form for a channel that there is; `undefined` if this page does not know its kind. */
export function draftOf(channel: Channel): Draft | undefined {
  const kind = KINDS.find((known) => known === channel.kind);
  if (!kind) return undefined;
  const blank = newDraft(kind, channel.name);
  return {
    ...blank,
    host: channel.host ?? '',
    port: String(channel.port ?? blank.port),
    security: channel.security ?? blank.security,
    user: channel.user ?? '',
    from: channel.from ?? '',
    to: (channel.to ?? []).join('\n'),
    format: channel.format ?? blank.format,
    chat: channel.chat ?? '',
    template: channel.template ?? blank.template,
    server: channel.server ?? blank.server,
    topic: channel.topic ?? '',
    devices: [...(channel.devices ?? [])],
    secret: { what: channel.has_secret ? 'keep' : 'set', text: '' },
    least: LEAST.find((known) => known === channel.route.least) ?? 'info',
    groups: [...(channel.route.groups ?? [])],
    hours: hoursDraftOf(channel.route.hours ?? []),
    resolved: channel.route.resolved ?? true,
  };
}

/** The port that goes with a protection, unless somebody has chosen one of their own. */
export function portFor(security: Security, port: string): string {
  const isUsual = port.trim() === '' || Object.values(PORTS).includes(port.trim());
  return isUsual ? PORTS[security] : port;
}

/** Addresses, one a line or with commas between them. */
export function addressesIn(text: string): string[] {
  return text
    .split(/[\n,;]+/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

/** What a secret is sent as: nothing if it stays, null if it goes. */
export function secretOf({ what, text }: SecretDraft): string | null | undefined {
  if (what === 'remove') return null;
  return what === 'set' && text.trim() !== '' ? text.trim() : undefined;
}

const orNull = (text: string) => text.trim() || null;

function fieldsOf(draft: Draft, isNew: boolean): ChannelChange {
  const secret = secretOf(draft.secret);
  const isKept = secret === undefined;
  switch (draft.kind) {
    case 'email':
      return {
        host: draft.host.trim(),
        port: Number(draft.port),
        security: draft.security,
        user: orNull(draft.user),
        from: draft.from.trim(),
        to: addressesIn(draft.to),
        ...(isKept ? {} : { password: secret }),
      };
    case 'webhook':
      return {
        format: draft.format,
        ...(draft.format === 'telegram'
          ? { chat: draft.chat.trim() }
          : isNew
            ? {}
            : { chat: null }),
        ...(draft.format === 'template'
          ? { template: draft.template }
          : isNew
            ? {}
            : { template: null }),
        ...(isKept ? {} : { url: secret }),
      };
    case 'ntfy':
      return {
        server: draft.server.trim(),
        topic: draft.topic.trim(),
        ...(isKept ? {} : { token: secret }),
      };
    case 'agent':
      return { devices: draft.devices };
    case 'desktop':
      return {};
  }
}

/** What the hub is asked to make, or to change. */
export function bodyOf(draft: Draft, isNew: boolean): ChannelChange {
  return {
    ...(isNew ? { kind: draft.kind } : {}),
    name: draft.name.trim(),
    ...fieldsOf(draft, isNew),
    route: {
      least: draft.least,
      groups: draft.groups,
      hours: hoursOf(draft.hours),
      resolved: draft.resolved,
    },
  };
}

/** Fields that lack what they need, before the hub is asked. */
export type Lack =
  | 'name'
  | 'host'
  | 'port'
  | 'from'
  | 'to'
  | 'url'
  | 'chat'
  | 'template'
  | 'topic'
  | 'devices'
  | 'hours';

export function lacksOf(draft: Draft): Set<Lack> {
  const port = Number(draft.port);
  const empty = (text: string) => text.trim() === '';
  const noUrl = draft.secret.what === 'set' && empty(draft.secret.text);
  const rules: [Lack, boolean][] = [
    ['name', empty(draft.name)],
    ['host', draft.kind === 'email' && empty(draft.host)],
    [
      'port',
      draft.kind === 'email' && !(/^\d+$/.test(draft.port.trim()) && port >= 1 && port <= 65_535),
    ],
    ['from', draft.kind === 'email' && empty(draft.from)],
    ['to', draft.kind === 'email' && addressesIn(draft.to).length === 0],
    ['url', draft.kind === 'webhook' && noUrl],
    ['chat', draft.kind === 'webhook' && draft.format === 'telegram' && empty(draft.chat)],
    ['template', draft.kind === 'webhook' && draft.format === 'template' && empty(draft.template)],
    ['topic', draft.kind === 'ntfy' && empty(draft.topic)],
    ['devices', draft.kind === 'agent' && draft.devices.length === 0],
    ['hours', draft.hours.some(({ from, to }) => from === '' || to === '')],
  ];
  return new Set(rules.filter(([, isLacking]) => isLacking).map(([lack]) => lack));
}

export function hoursDraftOf(hours: readonly WeeklyHours[]): HoursDraft[] {
  return hours.map(({ days, from, to }) => ({ days: [...(days ?? [])], from, to }));
}

/** In the order of the week; all days are the same as none. */
export function hoursOf(drafts: readonly HoursDraft[]): WeeklyHours[] {
  return drafts.map(({ days, from, to }) => ({
    days: days.length === WEEKDAYS.length ? [] : WEEKDAYS.filter((day) => days.includes(day)),
    from,
    to,
  }));
}

/** Days that follow each other, as first and last; empty for every day. */
export function runsOf(days: readonly Weekday[]): [first: Weekday, last: Weekday][] {
  if (days.length === 0 || days.length === WEEKDAYS.length) return [];
  const runs: [Weekday, Weekday][] = [];
  let before: Weekday | undefined;
  for (const day of WEEKDAYS) {
    const last = runs.at(-1);
    if (days.includes(day)) {
      if (last && last[1] === before) last[1] = day;
      else runs.push([day, day]);
    }
    before = day;
  }
  return runs;
}

/** Whether it ends on the day after it begins: `22:00` to `07:00`, or a whole day. */
export function isOvernight({ from, to }: { from: string; to: string }): boolean {
  return from !== '' && to !== '' && to <= from;
}

/** The groups of a fleet and those that are chosen, in the order of the alphabet. */
export function groupsIn(devices: Iterable<Device>, chosen: readonly string[]): string[] {
  const all = new Set(chosen);
  for (const device of devices) for (const group of device.groups) all.add(group);
  return [...all].sort((a, b) => a.localeCompare(b));
}
