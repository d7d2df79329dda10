import { areSums } from './sums';

/** A time in which nothing came. */
export interface Gap {
  from: number;
  to: number;
}

/** When something came, in one point after another. */
export interface Arrivals {
  /** Unix ms, ascending. */
  times: readonly number[];
  /** The hub took so many ms together into each point; 0: points are samples as they came. */
  stretch: number;
  /** Up to when the last point tells. */
  reach: number;
}

/** Where a view ends. */
export interface End {
  /** Unix ms. */
  at: number;
  /** Whether it goes on from there, with samples at the present interval. */
  live: boolean;
}

/** Distances beyond this many usual ones are gaps: one sample that is missing is not. */
const GAP_DISTANCES = 2.5;
/** What is usual is seen from so many distances on either side. */
const AROUND = 8;
/** One distance alone, at the edge of a view, is taken for a former interval up to this. */
const LONE_MS = 90_000;
/** With so many single empty stretches among so many points, an interval was a little longer. */
const OFTEN = { empty: 3, among: 12 };

/**
 * Where two points are further apart than is usual round there, or the view goes on that long
 * after the last. `intervalMs` is the distance at which samples come now. What is usual is looked
 * for nearby, because the interval of a device may have been another one before.
 *
 * In stretches the distance says little: empty ones are a gap if they are so much longer than the
 * interval that samples were due in them.
 */
export function gapsOf(arrivals: Arrivals, intervalMs: number, end: End): Gap[] {
  const { times, stretch, reach } = arrivals;
  const distances = times.slice(1).map((time, at) => time - (times[at] ?? time));
  const coming = Array<number>(end.live ? AROUND : 0).fill(Math.max(intervalMs, stretch));

  const isGap = (at: number, distance: number, before: number[], after: number[]) => {
    const usual = usualOf([before.slice(-AROUND), after.slice(0, AROUND)]) ?? intervalMs;
    const isFar =
      usual < 1.5 * stretch
        ? distance - stretch > GAP_DISTANCES * intervalMs
        : distance > GAP_DISTANCES * usual;
    if (!isFar) return false;
    const sides = [before.slice(-OFTEN.among), after.slice(0, OFTEN.among)];
    const isOften = sides.some((side) => emptyIn(side, stretch) >= OFTEN.empty);
    if (isOften && emptyIn([distance], stretch) > 0) return false;
    return !areSums(times.slice(Math.max(0, at + 1 - AROUND), at + 1), distance, stretch);
  };

  const gaps: Gap[] = [];
  distances.forEach((distance, at) => {
    // A distance is one of those on its either side, but not the only one.
    const known = distances.length > 1 ? 1 : 0;
    const before = distances.slice(Math.max(0, at + 1 - OFTEN.among), at + known);
    const after = [...distances.slice(at + 1 - known, at + OFTEN.among), ...coming];
    const [from, to] = [times[at] ?? 0, times[at + 1] ?? 0];
    if (isGap(at, distance, before, after)) gaps.push({ from, to });
  });
  const last = times.at(-1);
  const silence = end.at - reach + stretch;
  const onwards = end.live ? coming : distances.slice(-1);
  if (last !== undefined && isGap(times.length - 1, silence, distances, onwards)) {
    gaps.push({ from: last, to: end.at });
  }
  return gaps;
}

/** The middle one of the distances (of two, the smaller) on that side where it is longer. */
function usualOf(sides: readonly number[][]): number | undefined {
  const middles = sides.map((side) => [...side].sort((a, b) => a - b)[(side.length - 1) >> 1] ?? 0);
  const isKnown = (side: number[]) => side.length > 1 || (side[0] ?? Infinity) <= LONE_MS;
  const known = middles.filter((_, at) => isKnown(sides[at] ?? []));
  return known.length > 0 ? Math.max(...known) : undefined;
}

/** How many of the distances have one empty stretch. */
function emptyIn(distances: readonly number[], stretch: number): number {
  return distances.filter((it) => it > 1.5 * stretch && it < 2.5 * stretch).length;
}

/** The values that no line leads to: what has nothing before it and nothing after. */
export function loneIn(column: ArrayLike<number | null | undefined>): number[] {
  const isThere = (at: number) => (column[at] ?? null) !== null;
  return Array.from({ length: column.length }, (_, at) => at).filter(
    (at) => isThere(at) && !isThere(at - 1) && !isThere(at + 1),
  );
}
