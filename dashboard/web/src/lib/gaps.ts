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

/** Distances beyond this many usual ones are gaps: one sample that is missing is not. */
const GAP_DISTANCES = 2.5;
/** What is usual is seen from so many distances before and after. */
const AROUND = 8;
/** Stretches without anything that come back after so few others are no outages. */
const OFTEN = 12;
/** So many times in a row they come back after as many others, or one more. */
const IN_A_ROW = 3;

/**
 * Where two points are further apart than is usual round there, or the view goes on that long
 * after the last. `intervalMs` is the distance at which samples come now. What is usual is looked
 * for nearby, because the interval of a device may have been another one before.
 *
 * In stretches the distance says little: one that is empty is a gap if it is so much longer than
 * the interval that samples were due in it.
 */
export function gapsOf(arrivals: Arrivals, intervalMs: number, until?: number): Gap[] {
  const { times, stretch, reach } = arrivals;
  const holes = stretch > 0 ? holesIn(times, stretch) : [];
  const expected = Math.max(intervalMs, stretch);
  const longest = GAP_DISTANCES * intervalMs;
  const gaps: Gap[] = [];
  for (let at = 1; at < times.length; at += 1) {
    const [from, to] = [times[at - 1] ?? 0, times[at] ?? 0];
    const usual = usualAt(times, at, expected);
    // Stretches that are hardly longer than the interval are empty now and then.
    const due = intervalMs < 2 * stretch ? Math.max(usual, intervalMs) : usual;
    const isFar = to - from > GAP_DISTANCES * due;
    const hole = isFar ? -1 : holes.indexOf(at);
    const isSilent = hole >= 0 && to - from - stretch > longest && !isRegular(holes, hole);
    if (isFar || isSilent) gaps.push({ from, to });
  }
  const last = times.at(-1);
  if (until !== undefined && last !== undefined) {
    const usual = usualAt(times, times.length - 1, expected);
    const isDense = stretch > 0 && usual < 1.5 * stretch && !isRegular(holes, holes.length);
    const silence = isDense ? longest : Math.max(longest, GAP_DISTANCES * usual);
    if (until - reach > silence) gaps.push({ from: last, to: until });
  }
  return gaps;
}

/** The points before which there is at least one stretch without anything. */
function holesIn(times: readonly number[], stretch: number): number[] {
  return times.flatMap((time, at) =>
    at > 0 && time - (times[at - 1] ?? 0) > 1.5 * stretch ? [at] : [],
  );
}

/**
 * Whether holes come regularly round there: points that are a little further apart than the
 * stretches are long leave one empty every so often. Former intervals do so, and points of the
 * hub that sum up samples which are no longer kept.
 */
function isRegular(holes: readonly number[], hole: number): boolean {
  let [inARow, least, most] = [0, 0, 0];
  for (let near = hole - IN_A_ROW; near < hole + IN_A_ROW; near += 1) {
    const [from, to] = [holes[near], holes[near + 1]];
    if (from === undefined || to === undefined) continue;
    const length = to - from;
    const goesOn = inARow > 0 && length >= most - 1 && length <= least + 1;
    inARow = goesOn ? inARow + 1 : 1;
    least = goesOn ? Math.min(least, length) : length;
    most = goesOn ? Math.max(most, length) : length;
    if (inARow === IN_A_ROW && most <= OFTEN) return true;
  }
  return false;
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
