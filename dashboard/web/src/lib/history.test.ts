import { describe, expect, test } from 'vitest';
import type { DeviceMetrics } from '../api/types';
import { gapsOf } from './gaps';
import { append, columnsOf, drawn, NOTHING, sampleOf, type Columns } from './history';

function columns(times: number[], cpu: (number | null)[]): Columns {
  const series = { cpu: { mean: cpu, min: [...cpu], max: [...cpu] } };
  return { times, series, stretch: 0, reach: times.at(-1) ?? 0, open: 0 };
}

const MEMORY = { total_bytes: 100, used_bytes: 40, used_percent: 40 };

describe('a live sample', () => {
  test('goes on where the stored history ends', () => {
    const joined = append(columns([1000, 2000], [1, 2]), { time: 3000, values: { cpu: 3 } }, 0, 0);
    expect(joined.times).toEqual([1000, 2000, 3000]);
    expect(joined.series['cpu']?.mean).toEqual([1, 2, 3]);
  });

  test('that the history already has changes nothing', () => {
    const stored = columns([1000, 2000], [1, 2]);
    expect(append(stored, { time: 2000, values: { cpu: 9 } }, 0, 0)).toBe(stored);
  });

  test('pushes out what is older than the view', () => {
    const joined = append(
      columns([1000, 2000], [1, 2]),
      { time: 3000, values: { cpu: 3 } },
      0,
      1500,
    );
    expect(joined.times).toEqual([2000, 3000]);
    expect(joined.series['cpu']?.max).toEqual([2, 3]);
  });

  test('of a disk that is new begins with nothing before it', () => {
    const joined = append(columns([1000], [1]), { time: 2000, values: { 'disk:/usb': 5 } }, 0, 0);
    expect(joined.series['disk:/usb']?.mean).toEqual([null, 5]);
    expect(joined.series['cpu']?.mean).toEqual([1, null]);
  });

  test('in a long range is taken into the point that is growing', () => {
    const stored = columns([0], [10]);
    const first = append(stored, { time: 100_000, values: { cpu: 20 } }, 60_000, 0);
    const second = append(first, { time: 103_000, values: { cpu: 40 } }, 60_000, 0);
    expect(second.times).toEqual([0, 100_000]);
    expect(second.series['cpu']).toEqual({ mean: [10, 30], min: [10, 20], max: [10, 40] });
    const third = append(second, { time: 161_000, values: { cpu: 50 } }, 60_000, 0);
    expect(third.times).toEqual([0, 100_000, 161_000]);
  });

  test('never changes a point that came from the store', () => {
    const stored = columns([0], [10]);
    append(stored, { time: 3000, values: { cpu: 90 } }, 60_000, 0);
    expect(stored.series['cpu']?.mean).toEqual([10]);
  });

  test('starts a history where there is none', () => {
    const begun = append(NOTHING, { time: 5, values: { cpu: 1 } }, 0, 0);
    expect(begun.times).toEqual([5]);
  });
});

describe('the stored history', () => {
  const band = (mean: (number | null)[]) => ({ mean, min: mean, max: mean });

  test('is without the stretches in which nothing came', () => {
    const stored = {
      from: 0,
      to: 40,
      times: [5, 15, 25, 35],
      series: { cpu: band([1, null, null, 4]), temp: band([null, null, 30, 31]) },
    };
    expect(columnsOf(stored)).toEqual({
      times: [5, 25, 35],
      series: { cpu: band([1, null, 4]), temp: band([null, 30, 31]) },
      stretch: 10,
      reach: 40,
      open: 0,
    });
  });

  test('is in stretches only if its times are the middles of equal ones', () => {
    const stored = { from: 0, to: 40, times: [3, 15, 25, 35], series: { cpu: band([1, 2, 3, 4]) } };
    expect(columnsOf(stored)).toMatchObject({ stretch: 0, reach: 35 });
  });

  test('that has nothing at all has no time either', () => {
    expect(columnsOf({ from: 0, to: 9, times: [2, 7], series: {} }).times).toEqual([]);
  });

  test('shows a stretch that is empty by chance as a line, and a hole as a hole', () => {
    // Samples every 10 s in stretches of 9 s: now and then one is empty.
    const times = Array.from({ length: 40 }, (_, at) => at * 9000 + 4500);
    const taken = Array.from({ length: 36 }, (_, at) => at * 10_000).filter(
      (time) => time < 150_000 || time > 200_000,
    );
    const mean = times.map((middle) =>
      taken.some((time) => time >= middle - 4500 && time < middle + 4500) ? 1 : null,
    );
    expect(mean.filter((value) => value === null).length).toBeGreaterThan(8);
    const columns = columnsOf({ from: 0, to: 360_000, times, series: { cpu: band(mean) } });
    const gaps = gapsOf(columns, 10_000, { at: columns.reach, live: true });
    expect(gaps).toHaveLength(1);
    expect(drawn(columns, ['cpu'], gaps)[1]?.filter((value) => value === null)).toHaveLength(1);
  });
});

describe('a report', () => {
  const report: DeviceMetrics = {
    time: '1970-01-01T00:00:05Z',
    uptime_secs: 1,
    cpu_percent: 7,
    per_core_percent: [7],
    memory: MEMORY,
    disks: [{ mount: '/srv', ...MEMORY, available_bytes: 60 }],
    network: [{ interface: 'eth0', received_bytes: 1, sent_bytes: 1, received_bytes_per_sec: 3 }],
    temperatures: [{ sensor: 'cpu', celsius: 48 }],
  };

  test('has the names and the place of the history, wherever its own clock is', () => {
    const change = { id: 'nas', at: '1970-01-01T00:00:07.123Z', metrics: report, troubles: [] };
    expect(sampleOf(change)).toEqual({
      time: 7123,
      values: { cpu: 7, ram: 40, 'disk:/srv': 40, 'rx:eth0': 3, 'temp:cpu': 48 },
    });
  });
});

describe('a report of a machine that has more', () => {
  const sample = (more: Partial<DeviceMetrics>) => {
    const metrics: DeviceMetrics = {
      time: '1970-01-01T00:00:05Z',
      uptime_secs: 1,
      cpu_percent: 7,
      per_core_percent: [],
      memory: { total_bytes: 1, used_bytes: 1 },
      disks: [],
      network: [],
      temperatures: [],
      ...more,
    };
    const change = { id: 'nas', at: '1970-01-01T00:00:07Z', metrics, troubles: [] };
    const { cpu, ...values } = sampleOf(change).values;
    expect(cpu).toBe(7);
    return values;
  };

  test('has the names under which the hub stores it', () => {
    const drive = { name: 'sda', read_bytes: 1, written_bytes: 1, read_bytes_per_sec: 5 };
    const container = { name: 'web', image: 'nginx', state: 'running' as const, memory_bytes: 9 };
    expect(
      sample({
        drives: [{ ...drive, busy_percent: 3 }],
        fans: [{ sensor: 'fan1', rpm: 900 }],
        containers: [container],
        processes: { total: 12 },
      }),
    ).toEqual({
      'read:sda': 5,
      'busy:sda': 3,
      'fan:fan1': 900,
      'container_memory_bytes:web': 9,
      processes: 12,
    });
  });

  test('has no comma in its names, as in the history', () => {
    const temperatures = [{ sensor: 'a,b,c', celsius: 40 }];
    expect(sample({ temperatures })).toEqual({ 'temp:a_b_c': 40 });
  });

  test('has nothing of a disk that does not answer', () => {
    const share = { mount: '/nfs', total_bytes: 9, used_bytes: 1, available_bytes: 8 };
    const inodes = { total: 9, used: 1, used_percent: 11.1 };
    expect(sample({ disks: [{ ...share, inodes, unresponsive: true }] })).toEqual({});
  });
});

describe('what is drawn', () => {
  test('has an empty point in each gap, so that no line crosses it', () => {
    const data = columns([0, 3000, 30_000], [1, 2, 3]);
    expect(drawn(data, ['cpu'], gapsOf(data, 3000, { at: 30_000, live: true }))).toEqual([
      [0, 3, 16.5, 30],
      [1, 2, null, 3],
      [1, 2, null, 3],
      [1, 2, null, 3],
    ]);
  });

  test('has no point for a gap at the end', () => {
    const data = columns([0, 3000], [1, 2]);
    expect(drawn(data, ['cpu'], gapsOf(data, 3000, { at: 60_000, live: true }))[0]).toEqual([0, 3]);
  });

  test('a series that is not there draws nothing', () => {
    expect(drawn(columns([0], [1]), ['swap'], [])).toEqual([[0], [null], [null], [null]]);
  });
});
