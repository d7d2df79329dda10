import type { Format } from './format';

const MINUTE_SECS = 60;
const DAY_SECS = 86_400;

/** Labels of a time axis whose ticks are `stepSecs` apart; `splits` are Unix seconds. */
export function timeLabels(splits: readonly number[], stepSecs: number, format: Format): string[] {
  return splits.map((secs) => {
    const time = secs * 1000;
    const date = new Date(time);
    if (stepSecs >= DAY_SECS) return format.day(time);
    // Midnight is where a date helps; the other ticks need none.
    if (date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0) {
      return format.day(time);
    }
    return stepSecs < MINUTE_SECS ? format.clockSeconds(time) : format.clock(time);
  });
}

/** Distances between ticks that are round in binary units: 1, 2, 4 … 512 of each. */
export const BINARY_STEPS: number[] = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** How the y axis finds its ends. */
export type Scale = 'percent' | 'fromZero' | 'around';

/** The ends of the y axis for values between `min` and `max`; `least` keeps noise from filling it. */
export function yRange(
  scale: Scale,
  min: number | null,
  max: number | null,
  least: number,
): [number, number] {
  if (scale === 'percent') return [0, 100];
  if (scale === 'fromZero') return [0, Math.max(least, (max ?? 0) * 1.1)];
  const low = Math.floor(((min ?? 0) - 2) / 10) * 10;
  const high = Math.ceil(((max ?? 0) + 2) / 10) * 10;
  return [low, Math.max(high, low + least)];
}
