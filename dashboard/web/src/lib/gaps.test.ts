import { describe, expect, test } from 'vitest';
import { gapsOf as gapsIn, loneIn, type Gap } from './gaps';

/** Moments `step` apart, from `from` on. */
function every(step: number, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => from + at * step);
}

/** In samples as they came. */
function gapsOf(times: number[], intervalMs: number, until?: number): Gap[] {
  const reach = times.at(-1) ?? 0;
  return gapsIn({ times, stretch: 0, reach }, intervalMs, { at: until ?? reach, live: true });
}

describe('gaps', () => {
  test('are where two points are further apart than usual', () => {
    expect(gapsOf([0, 3, 6, 30, 33], 3)).toEqual([{ from: 6, to: 30 }]);
  });

  test('are not where one sample is missing, but where two are', () => {
    expect(gapsOf([0, 3, 9, 12], 3)).toEqual([]);
    expect(gapsOf([0, 3, 12, 15], 3)).toEqual([{ from: 3, to: 12 }]);
  });

  test('go on to the end of the view when nothing comes any more', () => {
    expect(gapsOf([0, 3], 3, 60)).toEqual([{ from: 3, to: 60 }]);
    expect(gapsOf([0, 3], 3, 10)).toEqual([]);
    expect(gapsOf([], 3, 60)).toEqual([]);
  });

  test('of one point and another far away is one, however few there are', () => {
    expect(gapsOf([0, 600], 3)).toEqual([{ from: 0, to: 600 }]);
  });

  test('are measured by the interval that the device had then', () => {
    const slow = every(60, 0, 30);
    const quick = every(3, 1743, 200);
    expect(gapsOf([...slow, ...quick], 3)).toEqual([]);
    expect(gapsOf([...quick, ...every(60, 2400, 30)], 60)).toEqual([]);
    const holed = quick.filter((time) => time < 2000 || time > 2050);
    expect(gapsOf([...slow, ...holed], 60)).toEqual([{ from: 1998, to: 2052 }]);
  });

  test('are none when a device is told to report less often', () => {
    expect(gapsOf([...every(3, 0, 100), 357], 60)).toEqual([]);
  });
});

describe('gaps at the edges of a view', () => {
  const SLOW = 60_000;
  const QUICK = 3000;

  /** Of times with these distances, in a piece of the past. */
  function inThePast(distances: number[], intervalMs: number): number {
    const times = distances.reduce((all, it) => [...all, (all.at(-1) ?? 0) + it], [0]);
    const reach = times.at(-1) ?? 0;
    return gapsIn({ times, stretch: 0, reach }, intervalMs, { at: reach, live: false }).length;
  }

  const some = (distance: number, count: number) => Array<number>(count).fill(distance);

  test.each([1, 2, 3, 4, 8, 20])('are none after %d distances of a former interval', (count) => {
    const times = [...every(SLOW, 0, count), ...every(QUICK, count * SLOW, 200)];
    expect(gapsOf(times, QUICK)).toEqual([]);
    expect(inThePast([...some(SLOW, count), ...some(QUICK, 200)], QUICK)).toBe(0);
  });

  test.each([1, 2, 3, 4, 8, 20])('are none before %d distances of a later interval', (count) => {
    expect(inThePast([...some(QUICK, 200), ...some(SLOW, count)], QUICK)).toBe(0);
  });

  test.each([2, 3, 5, 20])('are none in %d distances of a former interval alone', (count) => {
    expect(inThePast(some(SLOW, count), QUICK)).toBe(0);
    expect(inThePast(some(10 * SLOW, count), QUICK)).toBe(0);
  });

  test('are those after few samples, or before few', () => {
    for (const count of [0, 1, 2, 5]) {
      const [few, gap, many] = [some(QUICK, count), some(600_000, 1), some(QUICK, 50)];
      expect(inThePast([...few, ...gap, ...many], QUICK)).toBe(1);
      expect(inThePast([...many, ...gap, ...few], QUICK)).toBe(1);
    }
  });

  test('are those that have just ended, however short', () => {
    expect(gapsOf([...every(QUICK, 0, 50), 50 * QUICK + 30_000], QUICK)).toHaveLength(1);
  });

  test('are none at the end of the past where the interval has just become longer', () => {
    const times = [...every(QUICK, 0, 200), ...every(SLOW, 200 * QUICK, 3)];
    const reach = times.at(-1) ?? 0;
    const end = { at: reach + 50_000, live: false };
    expect(gapsIn({ times, stretch: 0, reach }, QUICK, end)).toEqual([]);
  });

  test('go on to the end of a piece of the past', () => {
    const times = every(QUICK, 0, 50);
    const [reach, at] = [49 * QUICK, 80 * QUICK];
    const gaps = gapsIn({ times, stretch: 0, reach }, SLOW, { at, live: false });
    expect(gaps).toEqual([{ from: reach, to: at }]);
  });
});

describe('gaps in stretches', () => {
  const MINUTE = 60_000;
  const DAY = 1440 * MINUTE;

  /** The stretches of a range that have a sample. */
  function taken(samples: number[], range: number, points = 500, from = 0) {
    const stretch = range / points;
    const places = new Set(samples.map((time) => Math.floor((time - from) / stretch)));
    const filled = [...places].filter((place) => place >= 0 && place < points);
    const times = filled.sort((a, b) => a - b).map((place) => from + (place + 0.5) * stretch);
    return { times, stretch, reach: (times.at(-1) ?? 0) + stretch / 2 };
  }

  type Stretches = ReturnType<typeof taken>;
  const liveGaps = (stretches: Stretches, interval: number, at?: number) =>
    gapsIn(stretches, interval, { at: at ?? stretches.reach, live: true });
  const pastGaps = (stretches: Stretches, interval: number, at?: number) =>
    gapsIn(stretches, interval, { at: at ?? stretches.reach, live: false });

  const away = (from: number, to: number) => (time: number) => time < from || time > to;

  test.each([
    ['a minute in an hour', DAY / 24, MINUTE],
    ['six minutes in a day', DAY, 6 * MINUTE],
    ['45 minutes in a week', 7 * DAY, 45 * MINUTE],
  ])('are outages of %s', (_, range, outage) => {
    const middle = range / 2;
    for (const interval of [3000, 10_000]) {
      const all = every(interval, 0, range / interval);
      const samples = all.filter(away(middle, middle + outage));
      const gaps = liveGaps(taken(samples, range), interval, range);
      expect(gaps).toHaveLength(1);
      expect(gaps[0]?.from).toBeLessThanOrEqual(middle);
      expect(gaps[0]?.to).toBeGreaterThanOrEqual(middle + outage);
    }
  });

  test('are two outages within an hour', () => {
    const samples = every(10_000, 0, 8640)
      .filter(away(600 * MINUTE, 606 * MINUTE))
      .filter(away(630 * MINUTE, 636 * MINUTE));
    expect(liveGaps(taken(samples, DAY), 10_000)).toHaveLength(2);
  });

  test('are not where a stretch is a little shorter than the interval', () => {
    for (const interval of [7_500, 8_000, 10_000, 12_000, 30_000]) {
      const samples = every(interval, 0, (60 * MINUTE) / interval);
      expect(liveGaps(taken(samples, 60 * MINUTE), interval, 60 * MINUTE)).toEqual([]);
    }
  });

  test('are not where one sample is missing', () => {
    const samples = every(10_000, 0, 360).filter((time) => time !== 1_800_000);
    expect(liveGaps(taken(samples, 60 * MINUTE), 10_000)).toEqual([]);
  });

  test('are not where the interval was longer before', () => {
    const samples = [...every(MINUTE, 0, 180), ...every(3000, 180 * MINUTE, 3600)];
    expect(liveGaps(taken(samples, DAY / 4), 3000)).toEqual([]);
  });

  test('are not between points that sum up samples which are no longer kept', () => {
    for (const [step, range] of [
      [5 * MINUTE, DAY / 24],
      [5 * MINUTE, DAY],
      [5 * MINUTE, 1.4 * DAY],
      [120 * MINUTE, DAY],
      [120 * MINUTE, 7 * DAY],
    ] as const) {
      const points = every(step, step / 2, range / step);
      expect(pastGaps(taken(points, range), 3000, range)).toEqual([]);
    }
  });

  test('are not where the last stretch has no such point by chance', () => {
    const points = every(5 * MINUTE, 2.5 * MINUTE, 2000);
    let empty = 0;
    for (let from = 0; from < 10 * MINUTE; from += 20_000) {
      const stored = taken(points, 1.5 * DAY, 500, from);
      empty += stored.reach < from + 1.5 * DAY - 1 ? 1 : 0;
      expect(pastGaps(stored, 3000, from + 1.5 * DAY)).toEqual([]);
    }
    expect(empty).toBeGreaterThan(0);
  });

  test.each([1, 2, 3, 4, 9])('are not after %d such points at the edge of a view', (count) => {
    for (const range of [DAY / 24, DAY, 1.4 * DAY]) {
      const points = every(5 * MINUTE, 2.5 * MINUTE, count);
      const samples = every(3000, count * 5 * MINUTE, range / 3000);
      expect(pastGaps(taken([...points, ...samples], range), 3000, range)).toEqual([]);
    }
    const coarse = every(120 * MINUTE, 60 * MINUTE, count);
    const fine = every(5 * MINUTE, (count * 120 + 2.5) * MINUTE, 2000);
    expect(pastGaps(taken([...coarse, ...fine], DAY), 3000, DAY)).toEqual([]);
  });

  test('are not in a view that has few such points', () => {
    const points = every(5 * MINUTE, 2.5 * MINUTE, 3);
    expect(pastGaps(taken(points, 15 * MINUTE), 3000, 15 * MINUTE)).toEqual([]);
  });

  test('are between such points where some are missing', () => {
    const points = every(5 * MINUTE, 2.5 * MINUTE, 288).filter(away(600 * MINUTE, 630 * MINUTE));
    for (const range of [DAY, 1.5 * DAY]) {
      expect(pastGaps(taken(points, range), 3000)).toHaveLength(1);
    }
  });

  test.each([
    [20, 4],
    [20, 6],
    [30, 5],
    [30, 6],
    [60, 10],
  ])('are outages every %d minutes, of %d each', (cycle, minutes) => {
    const [period, outage] = [cycle * MINUTE, minutes * MINUTE];
    const all = every(3000, 0, DAY / 3000);
    const samples = all.filter((time) => time % period < period - outage);
    const stretches = taken(samples, DAY);
    // An outage may be too short to empty a whole stretch.
    const empty = stretches.times.filter((time, at) => {
      const before = stretches.times[at - 1];
      return before !== undefined && time - before > 1.5 * stretches.stretch;
    });
    expect(empty.length).toBeGreaterThan(20);
    expect(pastGaps(stretches, 3000).map(({ to }) => to)).toEqual(empty);
  });

  test('go on to the end of the view as soon as samples are due', () => {
    const range = 7 * DAY;
    const samples = every(10_000, 0, (range - 60 * MINUTE) / 10_000);
    const stored = taken(samples, range);
    expect(liveGaps(stored, 10_000, range)).toEqual([{ from: stored.times.at(-1), to: range }]);
    expect(liveGaps(stored, 10_000, stored.reach + 20_000)).toEqual([]);
  });
});

describe('a lone value', () => {
  test('is one that no line leads to', () => {
    expect(loneIn([1, null, 2, 3, null, 4])).toEqual([0, 5]);
    expect(loneIn([null, 5, null, undefined, 6])).toEqual([1, 4]);
    expect(loneIn([])).toEqual([]);
  });
});
