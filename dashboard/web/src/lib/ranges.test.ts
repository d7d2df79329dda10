import { expect, test } from 'vitest';
import { bounds, overlaps, pan, queryOf, viewOf, zoom } from './ranges';

const HOUR = 3_600_000;
const NOW = 1_800_000_000_000;

function view(query: string) {
  return viewOf(new URLSearchParams(query));
}

test('an address without a range shows the last hour', () => {
  expect(view('')).toEqual({ live: true, range: '1h', ms: HOUR });
  expect(view('range=nonsense')).toEqual(view(''));
  expect(view('range=toString')).toEqual(view(''));
});

test('an address shows the same view again', () => {
  for (const query of ['?range=7d', '?range=1h&from=1000&to=61000']) {
    expect(queryOf(view(query))).toBe(query);
  }
});

test('a range that ends before it begins is none', () => {
  expect(view('range=6h&from=5&to=1').live).toBe(true);
  expect(view('range=6h&from=now&to=1').live).toBe(true);
});

test('a stretch that was filled matters where it shows', () => {
  const filled = { from: '1970-01-01T00:10:00Z', to: '1970-01-01T00:20:00Z' };
  const MINUTE = 60_000;
  expect(overlaps({ from: 0, to: 9 * MINUTE }, filled)).toBe(false);
  expect(overlaps({ from: 0, to: 10 * MINUTE }, filled)).toBe(true);
  expect(overlaps({ from: 12 * MINUTE, to: 13 * MINUTE }, filled)).toBe(true);
  expect(overlaps({ from: 21 * MINUTE, to: 60 * MINUTE }, filled)).toBe(false);
});

test('a zoom keeps the range to go back to', () => {
  const zoomed = zoom(view('range=24h'), 0, 60_000);
  expect(zoomed).toEqual({ live: false, range: '24h', from: 0, to: 60_000, ms: 60_000 });
  expect(zoom(view('range=24h'), 0, 5)).toEqual(view('range=24h'));
});

test('arrow keys go back by a quarter, and forward until it is live again', () => {
  const back = pan(view('range=1h'), -1, NOW);
  expect(bounds(back, NOW)).toEqual({ from: NOW - 1.25 * HOUR, to: NOW - 0.25 * HOUR });
  expect(pan(back, 1, NOW)).toEqual(view('range=1h'));
  expect(pan(view('range=1h'), 1, NOW)).toEqual(view('range=1h'));
});
