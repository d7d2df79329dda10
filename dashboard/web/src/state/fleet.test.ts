import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Listener } from '../api/stream';
import { fleet } from './fleet.svelte';

const streams: Listener[] = [];

vi.mock('../api/stream', () => ({
  listen: (listener: Listener) => {
    streams.push(listener);
    return () => undefined;
  },
}));
vi.mock('../api/client', () => ({
  getAccount: () => Promise.resolve(null),
  getDevices: () => Promise.resolve([]),
  getHub: () => Promise.reject(new Error('not here')),
}));
vi.mock('../api/log', () => ({ getLog: () => Promise.resolve({ events: [], next: null }) }));
vi.mock('./clock.svelte', () => ({ clock: { now: 0, set: () => undefined } }));
vi.mock('./session.svelte', () => ({ session: {} }));

describe('a stream that is lost', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    streams.length = 0;
    fleet.start();
  });
  afterEach(() => {
    fleet.stop();
    vi.useRealTimers();
  });

  /** The stream opens, lasts so long, and ends: how many ms until the next one. */
  async function waitAfter(lastsMs: number | null): Promise<number> {
    const [count, stream] = [streams.length, streams.at(-1)];
    if (lastsMs !== null) {
      stream?.open();
      await vi.advanceTimersByTimeAsync(lastsMs);
    }
    stream?.lost(false);
    const lost = Date.now();
    while (streams.length === count && vi.getTimerCount() > 0) {
      await vi.advanceTimersByTimeAsync(100);
    }
    return Date.now() - lost;
  }

  test('is opened again at once if it had lasted', async () => {
    expect(await waitAfter(60_000)).toBe(500);
    expect(await waitAfter(30_000)).toBe(500);
  });

  test('is opened less and less often if it never lasts', async () => {
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) waits.push(await waitAfter(1000));
    expect(waits).toEqual([4000, 8000, 16_000, 32_000, 60_000, 60_000]);
    expect(await waitAfter(30_000)).toBe(500);
    expect(await waitAfter(1000)).toBe(4000);
  });

  test('is opened again soon after a hub that was away is back', async () => {
    expect(await waitAfter(60_000)).toBe(500);
    for (let round = 0; round < 5; round += 1) expect(await waitAfter(null)).toBe(4000);
  });
});
