const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** The time ranges of the device page, shortest first. */
export const RANGES = {
  '15m': 15 * MINUTE,
  '1h': HOUR,
  '6h': 6 * HOUR,
  '24h': 24 * HOUR,
  '7d': 7 * 24 * HOUR,
} as const;

export type RangeName = keyof typeof RANGES;

export const DEFAULT_RANGE: RangeName = '1h';

/** What the charts show: a range that ends now and goes on, or a piece of the past. */
export type View =
  | { live: true; range: RangeName; ms: number }
  | { live: false; range: RangeName; from: number; to: number; ms: number };

/** Nobody can see anything in less. */
const SHORTEST_MS = 10_000;

function isRange(name: string | null): name is RangeName {
  return name !== null && Object.hasOwn(RANGES, name);
}

/** Reads the view from `?range=1h` or `?range=1h&from=…&to=…` (Unix ms). */
export function viewOf(search: URLSearchParams): View {
  const name = search.get('range');
  const range = isRange(name) ? name : DEFAULT_RANGE;
  const from = Number(search.get('from') ?? Number.NaN);
  const to = Number(search.get('to') ?? Number.NaN);
  if (Number.isFinite(from) && Number.isFinite(to) && to - from >= SHORTEST_MS) {
    return { live: false, range, from, to, ms: to - from };
  }
  return { live: true, range, ms: RANGES[range] };
}

/** The query that makes `viewOf` return this view. */
export function queryOf(view: View): string {
  const query = new URLSearchParams({ range: view.range });
  if (!view.live) {
    query.set('from', String(Math.round(view.from)));
    query.set('to', String(Math.round(view.to)));
  }
  return `?${query.toString()}`;
}

/** The first and the last moment of a view. */
export function bounds(view: View, now: number): { from: number; to: number } {
  return view.live ? { from: now - view.ms, to: now } : { from: view.from, to: view.to };
}

/** Whether a stretch that was filled shows in this span. */
export function overlaps(
  span: { from: number; to: number },
  stretch: { from: string; to: string },
): boolean {
  return Date.parse(stretch.from) <= span.to && Date.parse(stretch.to) >= span.from;
}

/** A piece of the past, or the same view where it would be too short. */
export function zoom(view: View, from: number, to: number): View {
  if (to - from < SHORTEST_MS) return view;
  return { live: false, range: view.range, from, to, ms: to - from };
}

/** Moves by a quarter; past now it goes on live. */
export function pan(view: View, direction: -1 | 1, now: number): View {
  if (view.live && direction === 1) return view;
  const { from, to } = bounds(view, now);
  const step = (direction * view.ms) / 4;
  if (to + step >= now) return { live: true, range: view.range, ms: RANGES[view.range] };
  return { live: false, range: view.range, from: from + step, to: to + step, ms: view.ms };
}
