import type { Alert, Severity } from '../api/types';
import type { Format, Units } from './format';

export const keyOf = ({ device, rule }: { device: string; rule: string }) => `${device}/${rule}`;

/** Rules about the hub itself: a device may be called `hub` as well. */
const OF_HUB = new Set(['storage', 'database', 'ingest', 'time', 'settings']);

export const isOfHub = ({ device, kind }: Alert) => device === 'hub' && OF_HUB.has(kind);

/** Whether something is wrong now, whoever has taken it on. */
export function isWrong({ state }: Alert): boolean {
  return state === 'firing' || state === 'acknowledged' || state === 'snoozed';
}

/** Whether nobody has taken it on, and somebody should. */
export function isUnattended({ state, muted }: Alert): boolean {
  return state === 'firing' && muted === undefined;
}

export const sinceOf = (alert: Alert) => Date.parse(alert.firing_since ?? alert.since);

const RANK: Record<Severity, number> = { critical: 0, warning: 1, unknown: 2, info: 3 };

/** The worst first, then the newest; those that nobody need look at come last. */
function byWeight(a: Alert, b: Alert): number {
  return (
    Number(a.muted !== undefined) - Number(b.muted !== undefined) ||
    RANK[a.severity] - RANK[b.severity] ||
    sinceOf(b) - sinceOf(a) ||
    (keyOf(a) < keyOf(b) ? -1 : 1)
  );
}

/** What the page shows, part by part. */
export interface Sorted {
  wrong: Alert[];
  pending: Alert[];
  /** What nobody can know now, by the device that is away. */
  unknown: { device: string; alerts: Alert[] }[];
}

export function sortAlerts(alerts: Iterable<Alert>): Sorted {
  const all = [...alerts].sort(byWeight);
  const unknown = new Map<string, Alert[]>();
  for (const alert of all.filter(({ state }) => state === 'unknown')) {
    unknown.set(alert.device, [...(unknown.get(alert.device) ?? []), alert]);
  }
  return {
    wrong: all.filter(isWrong),
    pending: all.filter(({ state }) => state === 'pending'),
    unknown: [...unknown]
      .map(([device, alerts]) => ({ device, alerts }))
      .sort((a, b) => (a.device < b.device ? -1 : 1)),
  };
}

/** Words that a value needs besides its number. */
export interface FigureWords {
  units: Units;
  days: (count: number, amount: string) => string;
}

const NNBSP = '\u202f';

/** A value or limit of an alert with its unit. */
export function figure(value: number, unit: Alert['unit'], f: Format, words: FigureWords): string {
  const isWhole = Number.isInteger(value);
  switch (unit) {
    case 'percent':
      return isWhole ? f.percentWhole(value) : f.percent(value);
    case 'celsius':
      return isWhole ? f.celsiusWhole(value) : f.celsius(value);
    case 'bytes_per_second': {
      // In steps of 1000, as the limits are set.
      const amount = f.number(value / 1e6) + NNBSP + (words.units.decimal[0] ?? '');
      return words.units.perSecond(amount);
    }
    case 'seconds':
      return f.duration(Math.abs(value));
    case 'days':
      return words.days(value, f.number(value));
    default:
      return f.number(value);
  }
}

const MINUTE_SECS = 60;
const HOUR_SECS = 3600;

/** For how long an alert can be snoozed at once. */
export const SNOOZES = ['15min', '1h', '4h', '1d', 'tomorrow'] as const;
export type SnoozeFor = (typeof SNOOZES)[number];

const MORNING_HOUR = 8;

/** Seconds from now until then, by the clock on the reader's wall. */
export function snoozeSecs(choice: SnoozeFor, now: number): number {
  switch (choice) {
    case '15min':
      return 15 * MINUTE_SECS;
    case '1h':
      return HOUR_SECS;
    case '4h':
      return 4 * HOUR_SECS;
    case '1d':
      return 24 * HOUR_SECS;
    case 'tomorrow': {
      const then = new Date(now);
      then.setDate(then.getDate() + 1);
      then.setHours(MORNING_HOUR, 0, 0, 0);
      return Math.ceil((then.getTime() - now) / 1000);
    }
  }
}
