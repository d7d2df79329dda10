import type { History } from '../src/api/types.ts';
import { INTERVAL_MS, metricNames, valueAt } from './world.ts';

/** Raw samples a hub would look at in a bucket: enough for a band between min and max. */
const LOOKS = 6;

/**
 * The stored history of a device, as the hub answers: samples as they were if they are no more than
 * `points`, else so many equal stretches, with nulls where nothing came.
 */
export function historyOf(id: string, from: number, to: number, points: number): History {
  // The stream brings the last seconds.
  const end = Math.min(to, Date.now() - INTERVAL_MS);
  const samples = everyOf(INTERVAL_MS, nextSample(from), end).filter((time) => isThere(id, time));
  const width = (to - from) / points;
  const isRaw = samples.length <= points;
  const times = isRaw ? samples : everyOf(width, from + width / 2, to).map(Math.round);
  const looks = (time: number) => (isRaw ? [time] : looksAt(time - width / 2, width, end));
  const series: History['series'] = {};
  for (const metric of metricNames(id)) {
    const band: History['series'][string] = { mean: [], min: [], max: [] };
    for (const time of times) {
      const values = looks(time)
        .map((look) => valueAt(id, metric, look))
        .filter((value) => value !== null);
      const some = values.length > 0;
      band.mean.push(some ? values.reduce((sum, value) => sum + value, 0) / values.length : null);
      band.min.push(some ? Math.min(...values) : null);
      band.max.push(some ? Math.max(...values) : null);
    }
    series[metric] = band;
  }
  return { from, to, times, series };
}

function everyOf(step: number, first: number, to: number): number[] {
  const count = Math.max(0, Math.ceil((to - first) / step));
  return Array.from({ length: count }, (_, at) => first + at * step);
}

/** The first sample from a moment on. */
function nextSample(from: number): number {
  return Math.ceil(from / INTERVAL_MS) * INTERVAL_MS;
}

function isThere(id: string, time: number): boolean {
  return valueAt(id, 'cpu', time) !== null;
}

/** Moments of samples in a stretch, not all of them. */
function looksAt(from: number, width: number, end: number): number[] {
  const samples = Math.max(1, Math.floor(width / INTERVAL_MS));
  const count = Math.min(LOOKS, samples);
  const times = Array.from(
    { length: count },
    (_, look) => nextSample(from) + Math.floor((look * samples) / count) * INTERVAL_MS,
  );
  return times.filter((time) => time < end && time < from + width);
}
