/** A time in which nothing came. */
export interface Gap {
  from: number;
  to: number;
}

/** Distances beyond this many usual ones are gaps: one sample that is missing is not. */
const GAP_DISTANCES = 2.5;
/** What is usual is seen from so many distances before and after. */
const AROUND = 8;

/**
 * Where two points are further apart than is usual round there, or the view goes on that long
 * after the last. `expectedMs` is the distance at which points come now. What is usual is looked
 * for nearby, because the interval of a device may have been another one before.
 */
export function gapsOf(times: readonly number[], expectedMs: number, until?: number): Gap[] {
  const gaps: Gap[] = [];
  for (let at = 1; at < times.length; at += 1) {
    const [from, to] = [times[at - 1] ?? 0, times[at] ?? 0];
    if (to - from > GAP_DISTANCES * usualAt(times, at, expectedMs)) gaps.push({ from, to });
  }
  const last = times.at(-1);
  if (until !== undefined && last !== undefined) {
    const usual = Math.max(expectedMs, usualAt(times, times.length - 1, expectedMs));
    if (until - last > GAP_DISTANCES * usual) gaps.push({ from: last, to: until });
  }
  return gaps;
}

/** The middle one of the distances round a point. Those that are still to come are as expected. */
function usualAt(times: readonly number[], at: number, expectedMs: number): number {
  const distances: number[] = [];
  for (let near = Math.max(1, at - AROUND); near <= at + AROUND; near += 1) {
    const [from, to] = [times[near - 1], times[near]];
    distances.push(from === undefined || to === undefined ? expectedMs : to - from);
  }
  distances.sort((a, b) => a - b);
  return distances[Math.floor(distances.length / 2)] ?? expectedMs;
}

/** The values that no line leads to: what has nothing before it and nothing after. */
export function loneIn(column: ArrayLike<number | null | undefined>): number[] {
  const isThere = (at: number) => (column[at] ?? null) !== null;
  return Array.from({ length: column.length }, (_, at) => at).filter(
    (at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1),
  );
}
