import { describe, expect, test } from 'vitest';
import { gapsOf as gapsIn, loneIn, type Gap } from './gaps';

/** Moments `step` apart, from `from` on. */
function every(step: number, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => from + at * step);
}

/** In samples as they came. */
function gapsOf(times: number[], intervalMs: number, until?: number): Gap[] {
  return gapsIn({ times, stretch: 0, reach: times.at(-1) ?? 0 }, intervalMs, until);
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

describe('gaps in stretches', () => {
  const MINUTE = 60_000;
  const DAY = 1440 * MINUTE;

  /** The stretches of a range that have a sample. */
  function taken(samples: number[], range: number, points = 500) {
    const stretch = range / points;
    const places = new Set(samples.map((time) => Math.floor(time / stretch)));
    const filled = [...places].filter((place) => place >= 0 && place < points);
    const times = filled.sort((a, b) => a - b).map((place) => (place + 0.5) * stretch);
    return { times, stretch, reach: (times.at(-1) ?? 0) + stretch / 2 };
  }

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
      const gaps = gapsIn(taken(samples, range), interval, range);
      expect(gaps).toHaveLength(1);
      expect(gaps[0]?.from).toBeLessThanOrEqual(middle);
      expect(gaps[0]?.to).toBeGreaterThanOrEqual(middle + outage);
    }
  });

  test('are two outages within an hour', () => {
    const samples = every(10_000, 0, 8640)
      .filter(away(600 * MINUTE, 606 * MINUTE))
      .filter(away(630 * MINUTE, 636 * MINUTE));
    expect(gapsIn(taken(samples, DAY), 10_000)).toHaveLength(2);
  });

  test('are not where a stretch is a little shorter than the interval', () => {
    for (const interval of [7_500, 8_000, 10_000, 12_000, 30_000]) {
      const samples = every(interval, 0, (60 * MINUTE) / interval);
      expect(gapsIn(taken(samples, 60 * MINUTE), interval, 60 * MINUTE)).toEqual([]);
    }
  });

  test('are not where one sample is missing', () => {
    const samples = every(10_000, 0, 360).filter((time) => time !== 1_800_000);
    expect(gapsIn(taken(samples, 60 * MINUTE), 10_000)).toEqual([]);
  });

  test('are not where the interval was longer before', () => {
    const samples = [...every(MINUTE, 0, 180), ...every(3000, 180 * MINUTE, 3600)];
    expect(gapsIn(taken(samples, DAY / 4), 3000)).toEqual([]);
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
      expect(gapsIn(taken(points, range), 3000, range)).toEqual([]);
    }
  });

  test('go on to the end of the view as soon as samples are due', () => {
    const range = 7 * DAY;
    const samples = every(10_000, 0, (range - 60 * MINUTE) / 10_000);
    const stored = taken(samples, range);
    expect(gapsIn(stored, 10_000, range)).toEqual([{ from: stored.times.at(-1), to: range }]);
    expect(gapsIn(stored, 10_000, stored.reach + 20_000)).toEqual([]);
  });
});

describe('a lone value', () => {
  test('is one that no line leads to', () => {
    expect(loneIn([1, null, 2, 3, null, 4])).toEqual([0, 5]);
    expect(loneIn([null, 5, null, undefined, 6])).toEqual([1, 4]);
    expect(loneIn([])).toEqual([]);
  });
});
