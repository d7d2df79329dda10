import { describe, expect, test } from 'vitest';
import { gapsOf, loneIn } from './gaps';

/** Moments `step` apart, from `from` on. */
function every(step: number, from: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => from + at * step);
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

  test('are found in stretches of many samples as well', () => {
    const hours = every(1200, 0, 50).filter((_, at) => at < 20 || at > 24);
    expect(gapsOf(hours, 1200)).toEqual([{ from: 19 * 1200, to: 25 * 1200 }]);
  });
});

describe('a lone value', () => {
  test('is one that no line leads to', () => {
    expect(loneIn([1, null, 2, 3, null, 4])).toEqual([0, 5]);
    expect(loneIn([null, 5, null, undefined, 6])).toEqual([1, 4]);
    expect(loneIn([])).toEqual([]);
  });
});
