import type { History } from '../src/api/types.ts';
import { INTERVAL_MS, metricNames, valueAt } from './world.ts';

/** Raw samples a hub would look at in a bucket: enough for a band between min and max. */
const LOOKS = 6;

/** The stored history of a device, in at most `points` columns. */
export function historyOf(id: string, from: number, to: number, points: number): History {
  const step = Math.max(INTERVAL_MS, Math.ceil((to - from) / points / INTERVAL_MS) * INTERVAL_MS);
  const looks = step === INTERVAL_MS ? 1 : LOOKS;
  const times: number[] = [];
  // The stream brings the last seconds.
  const end = Math.min(to, Date.now()) - step / 2;
  for (let time = Math.ceil(from / step) * step; time < end; time += step) {
    if (valueAt(id, 'cpu', time) !== null) times.push(time);
  }
  const series: History['series'] = {};
  for (const metric of metricNames(id)) {
    const band: History['series'][string] = { mean: [], min: [], max: [] };
    for (const time of times) {
      const values = Array.from({ length: looks }, (_, look) =>
        valueAt(id, metric, time + (look * step) / looks),
      ).filter((value) => value !== null);
      const some = values.length > 0;
      band.mean.push(some ? values.reduce((sum, value) => sum + value, 0) / values.length : null);
      band.min.push(some ? Math.min(...values) : null);
      band.max.push(some ? Math.max(...values) : null);
    }
    series[metric] = band;
  }
  return { from, to, times, series };
}
