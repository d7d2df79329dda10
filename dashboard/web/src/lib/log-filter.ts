import type { Event, Severity } from '../api/types';

/** Kinds of events that belong together for who reads the log. */
export const TOPICS = {
  alerts: [
    'alert_firing',
    'alert_resolved',
    'alert_acknowledged',
    'alert_unacknowledged',
    'alert_snoozed',
  ],
  devices: [
    'device_joined',
    'device_online',
    'device_offline',
    'device_stale',
    'device_cloned',
    'device_revoked',
    'samples_lost',
  ],
  messages: ['message_sent', 'message_failed', 'channel_failing'],
  logins: ['logged_in', 'login_failed', 'logged_out'],
  changes: [
    'settings_changed',
    'user_added',
    'user_removed',
    'password_changed',
    'token_added',
    'token_removed',
    'mqtt_user_added',
    'mqtt_user_removed',
    'join_code_added',
    'events_removed',
  ],
  hub: ['service_started', 'service_stopped'],
} as const;
export type Topic = keyof typeof TOPICS;
export const TOPIC_NAMES = Object.keys(TOPICS) as Topic[];

export const SPANS = ['hour', 'day', 'week'] as const;
export type Span = (typeof SPANS)[number];
const SPAN_MS: Record<Span, number> = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

const SEVERITIES = ['warning', 'critical'] as const;
export type LeastSeverity = (typeof SEVERITIES)[number];

/** What of the log is shown. What is absent leaves nothing out. */
export interface LogFilter {
  device?: string;
  topic?: Topic;
  /** A single kind, where a link asks for it. */
  kind?: string;
  severity?: LeastSeverity;
  span?: Span;
  text?: string;
}

/** What the API is asked for. */
export interface LogQuery {
  device?: string;
  kind?: string[];
  severity?: Severity;
  from?: string;
  text?: string;
}

function known<Name extends string>(names: readonly Name[], name: string | null): Name | undefined {
  return names.find((it) => it === name);
}

/** As the address has it: `?device=nas&about=alerts&severity=warning&last=day&text=…`. */
export function readFilter(search: URLSearchParams): LogFilter {
  const filter: LogFilter = {};
  const device = search.get('device');
  const topic = known(TOPIC_NAMES, search.get('about'));
  const kind = search.get('kind');
  const severity = known(SEVERITIES, search.get('severity'));
  const span = known(SPANS, search.get('last'));
  const text = search.get('text');
  if (device) filter.device = device;
  if (topic) filter.topic = topic;
  if (kind) filter.kind = kind;
  if (severity) filter.severity = severity;
  if (span) filter.span = span;
  if (text) filter.text = text;
  return filter;
}

/** The address that shows this. */
export function logHref({ device, topic, kind, severity, span, text }: LogFilter): string {
  const search = new URLSearchParams();
  const put = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') search.set(name, value);
  };
  put('device', device);
  put('about', topic);
  put('kind', kind);
  put('severity', severity);
  put('last', span);
  put('text', text);
  const query = search.toString();
  return query === '' ? '/log' : `/log?${query}`;
}

export function isEmpty(filter: LogFilter): boolean {
  return Object.keys(filter).length === 0;
}

function kindsOf({ topic, kind }: LogFilter): readonly string[] {
  if (kind !== undefined) return [kind];
  return topic === undefined ? [] : TOPICS[topic];
}

/** `now` in milliseconds since 1970. */
export function queryOf(filter: LogFilter, now: number): LogQuery {
  const { device, severity, span, text } = filter;
  const kinds = kindsOf(filter);
  return {
    ...(device !== undefined && { device }),
    ...(kinds.length > 0 && { kind: [...kinds] }),
    ...(severity !== undefined && { severity }),
    ...(span !== undefined && { from: new Date(now - SPAN_MS[span]).toISOString() }),
    ...(text !== undefined && { text }),
  };
}

/** The same as a table, for a spreadsheet. */
export function tableHref(filter: LogFilter, now: number): string {
  const { kind = [], ...rest } = queryOf(filter, now);
  const search = new URLSearchParams(Object.entries(rest) as [string, string][]);
  for (const one of kind) search.append('kind', one);
  const query = search.toString();
  return query === '' ? '/api/v1/events.csv' : `/api/v1/events.csv?${query}`;
}

const RANK: Record<Severity, number> = { info: 0, warning: 1, critical: 2, unknown: 2 };

/** Whether a line that has just come belongs to what is shown. */
export function matches(event: Event, filter: LogFilter): boolean {
  const { device, severity, text } = filter;
  const kinds = kindsOf(filter);
  if (device !== undefined && event.device !== device) return false;
  if (kinds.length > 0 && !kinds.includes(event.kind)) return false;
  if (severity !== undefined && RANK[event.severity] < RANK[severity]) return false;
  if (text === undefined) return true;
  const words = [event.actor ?? '', ...Object.values(event.parameters)];
  return words.some((word) => word.toLowerCase().includes(text.toLowerCase()));
}

/** What a line about settings says of them: each name with what was and what is. */
export function changesOf(event: Event): { name: string; change: string }[] {
  if (event.kind !== 'settings_changed') return [];
  return Object.entries(event.parameters)
    .filter(([name]) => name !== 'section')
    .map(([name, change]) => ({ name, change }));
}
