import { expect, test } from 'vitest';
import { processState, sorted } from './processes';

const PROCESSES = [
  { pid: 7, name: 'Xorg', memory_bytes: 300, cpu_percent: 2 },
  { pid: 1, name: 'init', memory_bytes: 10 },
  { pid: 9, name: 'nginx', memory_bytes: 300, cpu_percent: 40 },
];

test('an agent has 15 s to answer before it counts as too old', () => {
  expect(processState(false, undefined, undefined, 100_000)).toBe('waiting');
  expect(processState(false, undefined, 100_000, 114_999)).toBe('waiting');
  expect(processState(false, undefined, 100_000, 115_000)).toBe('silent');
});

test('a list is shown for two minutes, however long someone looks', () => {
  expect(processState(false, 0, 0, 119_999)).toBe('shown');
  expect(processState(false, 0, 0, 120_000)).toBe('silent');
  expect(processState(true, 0, 0, 1)).toBe('offline');
});

test('what needs most comes first, and what nobody knows last', () => {
  const pids = (by: Parameters<typeof sorted>[1]) => sorted(PROCESSES, by).map(({ pid }) => pid);
  expect(pids('cpu')).toEqual([9, 7, 1]);
  expect(pids('memory')).toEqual([7, 9, 1]);
  expect(pids('name')).toEqual([1, 9, 7]);
  expect(pids('pid')).toEqual([1, 7, 9]);
});
