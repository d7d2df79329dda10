import type { History, MetricsChange } from '../api/types';
import type { Arrivals, Gap } from './gaps';

export type Value = number | null;

/** Mean, least and greatest value per point of time. */
export interface Band {
  mean: Value[];
  min: Value[];
  max: Value[];
}

/** Stored history with what the stream has added: one column per series. */
export interface Columns extends Arrivals {
  times: number[];
  series: Record<string, Band>;
  /** Samples in the last point, where it is still growing; 0 where it is closed. */
  open: number;
}

/** One report of a device, under the names that the history uses. */
export interface Sample {
  time: number;
  values: Record<string, number>;
}

export const NOTHING: Columns = { times: [], series: {}, stretch: 0, reach: 0, open: 0 };

/** The stored history without the stretches that have nothing: `gapsOf` finds where they were. */
export function columnsOf(history: History): Columns {
  const { times, series } = history;
  const bands = Object.values(series);
  const kept = times.map((_, at) => bands.some((band) => (band.mean[at] ?? null) !== null));
  const pick = <T>(column: readonly T[]) => column.filter((_, at) => kept[at]);
  const picked = Object.entries(series).map(([name, { mean, min, max }]): [string, Band] => [
    name,
    { mean: pick(mean), min: pick(min), max: pick(max) },
  ]);
  const stretch = stretchOf(history);
  const there = pick(times);
  return {
    times: there,
    series: Object.fromEntries(picked),
    stretch,
    reach: (there.at(-1) ?? 0) + stretch / 2,
    open: 0,
  };
}

/**
 * How long the equal stretches are into which the hub has cut the range, when there were more
 * samples than points: it gives the middle of each. 0 if samples are as they came.
 */
function stretchOf({ from, to, times }: History): number {
  const stretch = (to - from) / times.length;
  const isMiddle = (time: number, at: number) => Math.abs(time - from - stretch * (at + 0.5)) <= 1;
  return times.length > 1 && times.every(isMiddle) ? stretch : 0;
}

/**
 * A report under the names of the history, at its place there: the device's own clock may be
 * wrong. What is missing has no name.
 */
export function sampleOf({ at, metrics }: MetricsChange): Sample {
  const values: Record<string, number> = {};
  const add = (name: string, value: number | undefined) => {
    if (value !== undefined) values[name] = value;
  };
  // The hub writes a comma so, which separates names in a request.
  const addOf = (kind: string, subject: string, value: number | undefined) => {
    add(`${kind}:${subject.replaceAll(',', '_')}`, value);
  };
  add('cpu', metrics.cpu_percent);
  add('cpu_user', metrics.cpu_modes?.user_percent);
  add('cpu_system', metrics.cpu_modes?.system_percent);
  add('cpu_iowait', metrics.cpu_modes?.iowait_percent);
  add('cpu_steal', metrics.cpu_modes?.steal_percent);
  add('freq', metrics.cpu_frequency_mhz);
  add('ram', metrics.memory.used_percent);
  add('swap', metrics.swap?.used_percent);
  add('load1', metrics.load?.one);
  add('psi_cpu', metrics.pressure?.cpu_percent);
  add('psi_memory', metrics.pressure?.memory_percent);
  add('psi_io', metrics.pressure?.io_percent);
  add('processes', metrics.processes?.total);
  for (const disk of metrics.disks) {
    addOf('disk', disk.mount, disk.used_percent);
    if (disk.unresponsive !== true) addOf('inodes', disk.mount, disk.inodes?.used_percent);
  }
  for (const drive of metrics.drives ?? []) {
    addOf('read', drive.name, drive.read_bytes_per_sec);
    addOf('written', drive.name, drive.written_bytes_per_sec);
    addOf('busy', drive.name, drive.busy_percent);
  }
  for (const port of metrics.network) {
    addOf('rx', port.interface, port.received_bytes_per_sec);
    addOf('tx', port.interface, port.sent_bytes_per_sec);
    addOf('signal', port.interface, port.signal_dbm);
  }
  for (const { sensor, celsius } of metrics.temperatures) addOf('temp', sensor, celsius);
  for (const { sensor, rpm } of metrics.fans ?? []) addOf('fan', sensor, rpm);
  for (const { name, percent } of metrics.batteries ?? []) addOf('battery', name, percent);
  for (const { name, usage_percent } of metrics.gpus ?? []) addOf('gpu', name, usage_percent);
  for (const container of metrics.containers ?? []) {
    addOf('container_cpu', container.name, container.cpu_percent);
    addOf('container_memory_bytes', container.name, container.memory_bytes);
  }
  return { time: Date.parse(at), values };
}

/**
 * Adds a live sample. Samples less than `stepMs` after the last point that the stream began are
 * taken into that point, so that a week does not grow by a point every three seconds; what is
 * older than `from` goes. A sample that is already there changes nothing.
 */
export function append(columns: Columns, sample: Sample, stepMs: number, from: number): Columns {
  const last = columns.times.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (sample.time <= last) return columns;
  const merge = columns.open > 0 && sample.time - last < stepMs;
  const first = columns.times.findIndex((time) => time >= from);
  const drop = first === -1 ? columns.times.length - (merge ? 1 : 0) : first;
  const kept = columns.times.length - drop;

  const series: Record<string, Band> = {};
  for (const name of new Set([...Object.keys(columns.series), ...Object.keys(sample.values)])) {
    const band = columns.series[name] ?? blank(columns.times.length);
    const value = sample.values[name] ?? null;
    series[name] = merge
      ? mergeLast(cut(band, drop), value, columns.open)
      : push(cut(band, drop), value);
  }
  const times = columns.times.slice(drop);
  if (!merge) times.push(sample.time);
  return {
    times,
    series,
    stretch: columns.stretch,
    reach: sample.time,
    open: merge && kept > 0 ? columns.open + 1 : 1,
  };
}

function blank(length: number): Band {
  const nulls = () => Array.from<Value>({ length }).fill(null);
  return { mean: nulls(), min: nulls(), max: nulls() };
}

function cut(band: Band, drop: number): Band {
  return { mean: band.mean.slice(drop), min: band.min.slice(drop), max: band.max.slice(drop) };
}

function push(band: Band, value: Value): Band {
  band.mean.push(value);
  band.min.push(value);
  band.max.push(value);
  return band;
}

/** Takes a value into the last point, which has `count` samples so far. */
function mergeLast(band: Band, value: Value, count: number): Band {
  if (value === null) return band;
  const at = band.mean.length - 1;
  const mean = band.mean[at] ?? null;
  const [min, max] = [band.min[at] ?? value, band.max[at] ?? value];
  band.mean[at] = mean === null ? value : mean + (value - mean) / (count + 1);
  band.min[at] = Math.min(min, value);
  band.max[at] = Math.max(max, value);
  return band;
}

/** What uPlot draws: times in seconds, then mean, min, max of each series. */
export type Drawn = [number[], ...Value[][]];

/** The columns of these series, with an empty point in each gap so that no line crosses it. */
export function drawn(columns: Columns, names: readonly string[], gaps: readonly Gap[]): Drawn {
  const bands = names.flatMap((name) => {
    const band = columns.series[name] ?? blank(columns.times.length);
    return [band.mean, band.min, band.max];
  });
  const ends = new Map(gaps.map((gap) => [gap.to, gap.from]));
  const times: number[] = [];
  const values: Value[][] = bands.map(() => []);
  columns.times.forEach((time, at) => {
    const before = ends.get(time);
    if (before !== undefined) {
      times.push((before + time) / 2000);
      for (const column of values) column.push(null);
    }
    times.push(time / 1000);
    values.forEach((column, index) => column.push(bands[index]?.[at] ?? null));
  });
  return [times, ...values];
}
