import { describe, expect, test } from 'vitest';
import type { Device } from '../api/types';
import { costOf, deletes, faultsOf, flowOf, type Kept } from './history-settings';

const KEPT: Kept = {
  sample_days: 90,
  five_minute_days: 730,
  two_hour_days: 3650,
  max_megabytes: 2000,
  event_days: 7,
  max_events: 100_000,
};

describe('numbers that the hub would refuse', () => {
  const faults = (change: Partial<Kept>) => faultsOf({ ...KEPT, ...change });

  test('are none of the defaults', () => {
    expect(faultsOf(KEPT)).toEqual({});
  });

  test('come with what it would take', () => {
    expect(faults({ sample_days: 0 })).toEqual({ sample_days: { least: 1, most: 3650 } });
    expect(faults({ event_days: Infinity })).toEqual({});
    expect(faults({ event_days: 0 })).toEqual({ event_days: { least: 1, most: 3650 } });
    expect(faults({ max_megabytes: 49 })).toEqual({
      max_megabytes: { least: 50, most: 10_000_000 },
    });
    expect(faults({ two_hour_days: 1.5 })).toHaveProperty('two_hour_days');
    expect(faults({ two_hour_days: Number.NaN })).toHaveProperty('two_hour_days');
  });

  test('are those that keep finer points for longer than coarser ones', () => {
    expect(faults({ sample_days: 731 })).toEqual({
      five_minute_days: { least: 731, most: 36_500 },
    });
    expect(faults({ five_minute_days: Number.NaN })).toEqual({
      five_minute_days: { least: 90, most: 36_500 },
    });
  });
});

describe('what keeps less', () => {
  const MB = 1e6;

  test('deletes', () => {
    expect(deletes(KEPT, { ...KEPT, sample_days: 100 }, 50 * MB)).toBe(false);
    expect(deletes(KEPT, { ...KEPT, sample_days: 89, two_hour_days: 9999 }, 50 * MB)).toBe(true);
  });

  test('in size deletes only if the history is larger', () => {
    const less = { ...KEPT, max_megabytes: 1500 };
    expect(deletes(KEPT, less, 50 * MB)).toBe(false);
    expect(deletes(KEPT, less, 1501 * MB)).toBe(true);
    // The hub removes days before the size is reached.
    expect(deletes(KEPT, less, 0.96 * 1500 * MB)).toBe(true);
    expect(deletes(KEPT, less, 0.94 * 1500 * MB)).toBe(false);
    expect(deletes(KEPT, less, undefined)).toBe(true);
    expect(deletes(less, KEPT, 2500 * MB)).toBe(false);
  });
});

describe('what the history takes', () => {
  const memory = { total_bytes: 100, used_bytes: 40, used_percent: 40 };
  const device = (interval_secs: number, disks: number): Device => ({
    id: 'nas',
    name: 'nas',
    status: 'online',
    troubles: [],
    limits: { cpu_percent: 90, ram_percent: 90, disk_percent: 90 },
    groups: [],
    always_on: false,
    alerts: [],
    info: {
      host_name: 'nas',
      os: 'x',
      architecture: 'x',
      cores: 1,
      memory_bytes: 1,
      disks: [],
      interfaces: [],
      interval_secs,
    },
    metrics: {
      time: '2026-11-22T10:00:00Z',
      uptime_secs: 1,
      cpu_percent: 7,
      per_core_percent: [7, 7, 7],
      memory,
      disks: Array.from({ length: disks }, (_, at) => ({
        mount: `/${String(at)}`,
        ...memory,
        available_bytes: 60,
      })),
      network: [],
      temperatures: [],
    },
  });

  test('follows from the numbers that each device sends', () => {
    const silent = device(3, 1);
    delete silent.metrics;
    const flow = flowOf([device(3, 8), device(10, 0), silent]);
    expect(flow).toEqual({ devices: 2, series: 12, numbersPerDay: 28_800 * 10 + 8640 * 2 });
  });

  test('grows with the days, and is none without devices', () => {
    const flow = flowOf(Array.from({ length: 10 }, () => device(3, 18)));
    const cost = costOf(flow, KEPT);
    // 10 devices with 20 numbers every 3 s: less than half a gigabyte in three months.
    expect(cost.sample_days / 1e6).toBeCloseTo(388.8, 1);
    expect(cost.total).toBe(cost.sample_days + cost.five_minute_days + cost.two_hour_days);
    expect(cost.fittingDays).toBeNull();
    expect(costOf(flow, { ...KEPT, sample_days: 180 }).sample_days).toBe(2 * cost.sample_days);
    expect(costOf(flowOf([]), KEPT).total).toBe(0);
  });

  test('is cut where the largest size is reached: samples go first', () => {
    const flow = flowOf(Array.from({ length: 10 }, () => device(3, 18)));
    const { five_minute_days, two_hour_days, sample_days } = costOf(flow, KEPT);
    const third = five_minute_days + two_hour_days + sample_days / 3;
    // The hub keeps a twentieth free.
    const fitting = (bytes: number) =>
      costOf(flow, { ...KEPT, max_megabytes: Math.ceil(bytes / 0.95e6) }).fittingDays;
    expect(fitting(third)).toBe(30);
    expect(fitting(0.99 * (third + (2 / 3) * sample_days))).toBeLessThan(90);
    expect(fitting(third + (2 / 3) * sample_days)).toBeNull();
    expect(costOf(flow, { ...KEPT, max_megabytes: 50 }).fittingDays).toBe(0);
  });
});
