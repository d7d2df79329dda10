import { expect, test } from 'vitest';
import { en } from '../i18n/en';
import { timeLabels, yRange } from './axis';
import { createFormat } from './format';

const format = createFormat('en-GB', en.units);

/** Unix seconds of a local time: the axis is in local time. */
function at(hour: number, minute: number, second = 0, day = 22): number {
  return new Date(2026, 10, day, hour, minute, second).getTime() / 1000;
}

test('ticks have seconds only where they are close together', () => {
  expect(timeLabels([at(9, 5, 30)], 30, format)).toEqual(['09:05:30']);
  expect(timeLabels([at(9, 5)], 300, format)).toEqual(['09:05']);
});

test('midnight and whole days are dates', () => {
  expect(timeLabels([at(23, 0), at(0, 0, 0, 23)], 3600, format)).toEqual(['23:00', '23 Nov']);
  expect(timeLabels([at(0, 0)], 86_400, format)).toEqual(['22 Nov']);
});

test('percentages go from 0 to 100, rates from 0, temperatures around themselves', () => {
  expect(yRange('percent', 40, 41, 0)).toEqual([0, 100]);
  expect(yRange('fromZero', 5, 100, 1)[0]).toBe(0);
  expect(yRange('fromZero', 5, 100, 1)[1]).toBeCloseTo(110);
  expect(yRange('fromZero', null, null, 4096)).toEqual([0, 4096]);
  expect(yRange('around', 43, 51, 20)).toEqual([40, 60]);
  expect(yRange('around', -12, -9, 20)).toEqual([-20, 0]);
});
