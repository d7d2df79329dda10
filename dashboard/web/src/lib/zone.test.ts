import { expect, test } from 'vitest';
import { dateAfter, isSameClock, isZone, momentOf, wallAt, weekdayOf } from './zone';

const PARIS = 'Europe/Paris';

test('a moment is read off the clock of a zone, and back', () => {
  const noon = Date.UTC(2026, 5, 1, 12, 0);
  expect(wallAt(noon, PARIS)).toBe('2026-06-01T14:00');
  expect(momentOf('2026-06-01T14:00', PARIS)).toBe(noon);
  expect(momentOf('2026-12-01T14:00', PARIS)).toBe(Date.UTC(2026, 11, 1, 13, 0));
  expect(momentOf('2026-12-01T14:00', 'Asia/Kathmandu')).toBe(Date.UTC(2026, 11, 1, 8, 15));
  expect(wallAt(Date.UTC(2026, 11, 31, 23, 30), PARIS)).toBe('2027-01-01T00:30');
});

test('the hour that spring leaves out is the one after it', () => {
  expect(wallAt(momentOf('2026-03-29T02:30', PARIS), PARIS)).toBe('2026-03-29T03:30');
});

test('the hour that autumn has twice is one of them', () => {
  expect(wallAt(momentOf('2026-10-25T02:30', PARIS), PARIS)).toBe('2026-10-25T02:30');
});

test('what is no time is none', () => {
  expect(momentOf('', PARIS)).toBeNaN();
  expect(momentOf('2026-13-01T00:00', PARIS)).toBeNaN();
});

test('zones are the same when their clocks are', () => {
  const now = Date.UTC(2026, 11, 1);
  expect(isSameClock(PARIS, 'Europe/Brussels', now)).toBe(true);
  expect(isSameClock(PARIS, 'Europe/London', now)).toBe(false);
});

test('a zone that nobody knows is none', () => {
  expect(isZone(PARIS)).toBe(true);
  expect(isZone('Mars/Olympus')).toBe(false);
});

test('days follow each other over the ends of months', () => {
  expect(dateAfter('2026-11-30T22:00', 1)).toBe('2026-12-01');
  expect(dateAfter('2026-03-01T00:00', -1)).toBe('2026-02-28');
  expect(weekdayOf('2026-11-30T22:00')).toBe(0);
  expect(weekdayOf('2026-12-06T00:00')).toBe(6);
});
