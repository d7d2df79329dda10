/**
 * Where samples are no longer kept, the hub has points that sum up so many ms each, and stand in
 * the middle of them.
 */
const STEPS_MS = [300_000, 7_200_000];
/** The hub cuts a range at whole milliseconds. */
const ROUNDING_MS = 1;

/**
 * Whether these times are stretches with such points in them, and none is missing in the distance
 * from the last to what comes next. That may be finer: finer data is never older than such points.
 */
export function areSums(times: readonly number[], distance: number, stretch: number): boolean {
  const half = stretch / 2 + ROUNDING_MS;
  return STEPS_MS.some((step) => {
    if (stretch === 0 || stretch >= step) return false;
    const next = (time: number) => (Math.ceil(time / step - 0.5) + 0.5) * step;
    const last = times.at(-1) ?? 0;
    const isMissing = next(last + half) < last + distance - half;
    return !isMissing && times.every((time) => next(time - half) <= time + half);
  });
}
