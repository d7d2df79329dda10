import { describe, expect, test } from 'vitest';
import type { Maintenance } from '../api/types';
import { changeOf, draftOf, endAfter, faultsOf, inOrder, newDraft, openingOf } from './maintenance';
import { momentOf, wallAt } from './zone';

const ZONE = 'Europe/Paris';
/** A Tuesday, 10:00 in Paris. */
const NOW = momentOf('2026-12-01T10:00', ZONE);
const HOUR = 3_600_000;

const named = (id: string, more: Partial<Maintenance>): Maintenance => ({
  id,
  name: id,
  devices: [],
  groups: [],
  ...more,
});
const once = (id: string, from: number, to: number) =>
  named(id, {
    from: new Date(NOW + from * HOUR).toISOString(),
    to: new Date(NOW + to * HOUR).toISOString(),
  });

describe('a window that is open each week', () => {
  const opens = (weekly: Maintenance['weekly'], wall: string) => {
    const opening = openingOf(named('a', weekly ? { weekly } : {}), momentOf(wall, ZONE), ZONE);
    return opening && [wallAt(opening.from, ZONE), wallAt(opening.to, ZONE), opening.isOpen];
  };

  test('is open over midnight of the day on which it begins', () => {
    const weekly = { days: ['sunday' as const], from: '23:30', to: '03:00' };
    const expected = ['2026-12-06T23:30', '2026-12-07T03:00'];
    expect(opens(weekly, '2026-12-01T10:00')).toEqual([...expected, false]);
    expect(opens(weekly, '2026-12-07T02:59')).toEqual([...expected, true]);
    expect(opens(weekly, '2026-12-07T03:00')?.[0]).toBe('2026-12-13T23:30');
  });

  test('is open on all days if none is named', () => {
    const weekly = { days: [], from: '12:00', to: '13:00' };
    expect(opens(weekly, '2026-12-01T10:00')?.[0]).toBe('2026-12-01T12:00');
    expect(opens(weekly, '2026-12-01T13:00')?.[0]).toBe('2026-12-02T12:00');
  });

  test('keeps to the clock on the wall when that is changed', () => {
    const weekly = { days: ['sunday' as const], from: '08:00', to: '09:00' };
    expect(opens(weekly, '2026-03-28T20:00')?.[0]).toBe('2026-03-29T08:00');
  });
});

test('open windows come first, then the next ones, then those that are over', () => {
  const windows = [
    once('over', -9, -8),
    once('later', 5, 6),
    once('open', -1, 1),
    once('next', 2, 3),
  ];
  const order = inOrder(windows, NOW, ZONE).map(({ window }) => window.id);
  expect(order).toEqual(['open', 'next', 'later', 'over']);
});

describe('what is typed', () => {
  const draft = { ...newDraft(NOW, ZONE), devices: ['nas'] };

  test('begins now and lasts two hours', () => {
    expect([draft.from, draft.to]).toEqual(['2026-12-01T10:00', '2026-12-01T12:00']);
    expect(faultsOf(draft, NOW, ZONE)).toEqual([]);
    expect(endAfter(draft.from, 4, ZONE)).toBe('2026-12-01T14:00');
    expect(endAfter('', 4, ZONE)).toBe('');
  });

  test('is asked of the hub as moments', () => {
    expect(changeOf({ ...draft, name: ' disks ' }, ZONE)).toEqual({
      name: 'disks',
      devices: ['nas'],
      groups: [],
      from: '2026-12-01T09:00:00.000Z',
      to: '2026-12-01T11:00:00.000Z',
    });
  });

  test('has faults where the hub would refuse it, or where it keeps nobody quiet', () => {
    const faults = (more: Partial<typeof draft>) => faultsOf({ ...draft, ...more }, NOW, ZONE);
    expect(faults({ from: '' })).toEqual(['from']);
    expect(faults({ to: draft.from })).toEqual(['to']);
    expect(faults({ from: '2026-11-01T10:00', to: '2026-11-01T12:00' })).toEqual(['past']);
    expect(faults({ devices: [] })).toEqual(['target']);
    expect(faults({ devices: [], target: 'all' })).toEqual([]);
    expect(faults({ kind: 'weekly', days: [] })).toEqual(['days']);
    expect(faults({ name: 'x'.repeat(65) })).toEqual(['name']);
  });

  test('a window that is not changed is asked for as it is', () => {
    const weekly = { days: ['monday' as const], from: '22:00', to: '02:00' };
    const windows = [named('a', { weekly, groups: ['servers'] }), once('b', 1, 2)];
    for (const window of windows) {
      const { id, ...rest } = window;
      expect(id).toBe(window.id);
      expect(changeOf(draftOf(window, NOW, ZONE), ZONE)).toEqual(rest);
    }
  });
});
