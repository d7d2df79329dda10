import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { whileVisible } from './while-visible';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('work rests while the page is hidden, and begins anew when it is seen again', () => {
  const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  const show = (state: string) => {
    page.visibilityState = state;
    page.dispatchEvent(new Event('visibilitychange'));
  };
  const done: boolean[] = [];
  const stop = whileVisible((again) => done.push(again), 45_000, page);
  vi.advanceTimersByTime(90_000);
  expect(done).toEqual([true, false, false]);
  show('hidden');
  vi.advanceTimersByTime(600_000);
  expect(done).toHaveLength(3);
  show('visible');
  show('visible');
  expect(done).toEqual([true, false, false, true]);
  stop();
  show('hidden');
  show('visible');
  vi.advanceTimersByTime(90_000);
  expect(done).toHaveLength(4);
});
