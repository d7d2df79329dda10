import type { Device, HistorySettings } from '../api/types';
import { sampleOf } from './history';

/** The numbers that say what the history keeps, in the order in which they are shown. */
export const KEYS = [
  'sample_days',
  'five_minute_days',
  'two_hour_days',
  'max_megabytes',
  'event_days',
  'max_events',
] as const;

export type Key = (typeof KEYS)[number];

/** What is kept, and how large it may be; lines of the log of any age: infinitely many days. */
export type Kept = Record<Key, number>;

/** The least and the most that a number may be. */
export interface Bounds {
  least: number;
  most: number;
}

const LONGEST_DAYS = 36_500;
/** The hub removes the oldest days beyond this share of the largest size, to stay below it. */
const FULL = 0.95;
const fullBytes = (kept: Kept) => kept.max_megabytes * 1e6 * FULL;

/** The numbers out of the settings. */
export function keptOf(settings: HistorySettings): Kept {
  const { sample_days, five_minute_days, two_hour_days, max_megabytes, max_events } = settings;
  const event_days = settings.event_days ?? Infinity;
  return { sample_days, five_minute_days, two_hour_days, max_megabytes, event_days, max_events };
}

/** The numbers that the hub would refuse, with what it would take: coarser points stay longer. */
export function faultsOf(kept: Kept): Partial<Record<Key, Bounds>> {
  const known = (days: number) => (Number.isInteger(days) && days > 0 ? days : 1);
  const bounds: Record<Key, Bounds> = {
    sample_days: { least: 1, most: 3650 },
    five_minute_days: { least: known(kept.sample_days), most: LONGEST_DAYS },
    two_hour_days: { least: known(kept.five_minute_days), most: LONGEST_DAYS },
    max_megabytes: { least: 50, most: 10_000_000 },
    event_days: { least: 1, most: 3650 },
    max_events: { least: 1000, most: 1_000_000 },
  };
  const wrong = (key: Key) =>
    !Number.isInteger(kept[key]) || kept[key] < bounds[key].least || kept[key] > bounds[key].most;
  const wanted = KEYS.filter((key) => key !== 'event_days' || kept[key] !== Infinity);
  return Object.fromEntries(wanted.filter(wrong).map((key) => [key, bounds[key]]));
}

/**
 * Whether something that is kept today would go, in a history that takes so much room;
 * `undefined`: nobody knows.
 */
export function deletes(before: Kept, after: Kept, usedBytes: number | undefined): boolean {
  return KEYS.some((key) => {
    if (after[key] >= before[key]) return false;
    return key !== 'max_megabytes' || usedBytes === undefined || usedBytes > fullBytes(after);
  });
}

/** What a fleet measures. */
export interface Flow {
  devices: number;
  series: number;
  /** Numbers in a day, of all series. */
  numbersPerDay: number;
}

const DAY_SECS = 86_400;

/** What these devices measure, those that were ever heard from. */
export function flowOf(devices: Iterable<Device>): Flow {
  const flow = { devices: 0, series: 0, numbersPerDay: 0 };
  for (const { id, metrics, info } of devices) {
    if (!metrics || !info || info.interval_secs <= 0) continue;
    const change = { id, at: metrics.time, metrics, troubles: [] };
    const series = Object.keys(sampleOf(change).values).length;
    flow.devices += 1;
    flow.series += series;
    flow.numbersPerDay += (series * DAY_SECS) / info.interval_secs;
  }
  return flow;
}

/**
 * Bytes that a number takes on disk, compressed by the day: measured with numbers that walk at
 * random. Those of real machines take less, rather than more.
 */
const NUMBER_BYTES = 0.75;
/** The same for a point, which has mean, least and most. */
const POINTS = {
  five_minute_days: { perDay: 288, bytes: 3.5 },
  two_hour_days: { perDay: 12, bytes: 4.5 },
};

/** About how many bytes each part takes once it is full. */
export interface Cost {
  sample_days: number;
  five_minute_days: number;
  two_hour_days: number;
  total: number;
  /** How many days of samples fit under the largest size; `null` if all do. */
  fittingDays: number | null;
}

export function costOf(flow: Flow, kept: Kept): Cost {
  const points = (key: keyof typeof POINTS) =>
    flow.series * POINTS[key].perDay * POINTS[key].bytes * kept[key];
  const parts = {
    sample_days: flow.numbersPerDay * NUMBER_BYTES * kept.sample_days,
    five_minute_days: points('five_minute_days'),
    two_hour_days: points('two_hour_days'),
  };
  const total = parts.sample_days + parts.five_minute_days + parts.two_hour_days;
  const most = fullBytes(kept);
  const left = most - parts.five_minute_days - parts.two_hour_days;
  const fitting = Math.max(0, Math.floor(left / (flow.numbersPerDay * NUMBER_BYTES)));
  return { ...parts, total, fittingDays: total > most ? fitting : null };
}
