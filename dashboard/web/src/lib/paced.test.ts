import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { paced } from './paced';

describe('paced work', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('is done at once, and once more for all that was asked meanwhile', async () => {
    let done = 0;
    const work = paced(async () => {
      done += 1;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }, 1000);
    work.ask();
    expect(done).toBe(1);
    work.ask();
    work.ask();
    // It takes its time, and then rests.
    await vi.advanceTimersByTimeAsync(1499);
    expect(done).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toBe(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(done).toBe(2);
    work.ask();
    expect(done).toBe(3);
  });

  test('that fails is done again when it is asked for', async () => {
    let done = 0;
    const work = paced(() => {
      done += 1;
      return Promise.reject(new Error('no')).catch(() => undefined);
    }, 1000);
    work.ask();
    await vi.advanceTimersByTimeAsync(1000);
    work.ask();
    expect(done).toBe(2);
  });

  test('ends with whoever asked for it', async () => {
    let done = 0;
    const work = paced(() => {
      done += 1;
      return Promise.resolve();
    }, 1000);
    work.ask();
    work.ask();
    work.stop();
    await vi.advanceTimersByTimeAsync(5000);
    work.ask();
    expect(done).toBe(1);
  });
});
