import { describe, expect, test } from 'vitest';
import type { Event } from '../api/types';
import {
  changesOf,
  isEmpty,
  logHref,
  matches,
  queryOf,
  readFilter,
  tableHref,
  type LogFilter,
} from './log-filter';

const NOW = Date.parse('2026-12-01T12:00:00Z');

const ALL: LogFilter = {
  device: 'nas',
  topic: 'alerts',
  severity: 'warning',
  span: 'day',
  text: 'a & b',
};

function event(more: Partial<Event>): Event {
  return {
    time: '2026-12-01T11:00:00Z',
    kind: 'alert_firing',
    severity: 'warning',
    device: 'nas',
    parameters: { rule: 'ram' },
    ...more,
  };
}

describe('the filter of the log', () => {
  test('an address leads to what it was made from', () => {
    for (const filter of [{}, ALL, { kind: 'alert_firing' }]) {
      const { searchParams } = new URL(logHref(filter), 'http://hub');
      expect(readFilter(searchParams)).toEqual(filter);
    }
    expect(logHref({})).toBe('/log');
  });

  test('what an address says that makes no sense is left out', () => {
    const search = new URLSearchParams('about=weather&severity=very&last=century&device=&text=');
    expect(isEmpty(readFilter(search))).toBe(true);
  });

  test('the hub is asked for kinds, and for a moment', () => {
    const query = queryOf(ALL, NOW);
    expect(query.from).toBe('2026-11-30T12:00:00.000Z');
    expect(query.kind).toContain('alert_resolved');
    expect(queryOf({ kind: 'logged_in', topic: 'alerts' }, NOW)).toEqual({ kind: ['logged_in'] });
    expect(queryOf({}, NOW)).toEqual({});
  });

  test('the table has the same filters', () => {
    const { pathname, searchParams } = new URL(tableHref(ALL, NOW), 'http://hub');
    expect(pathname).toBe('/api/v1/events.csv');
    expect(searchParams.getAll('kind')).toHaveLength(5);
    expect(searchParams.get('text')).toBe('a & b');
    expect(tableHref({}, NOW)).toBe('/api/v1/events.csv');
  });

  test('a new line is shown if the hub would have told it', () => {
    expect(matches(event({}), {})).toBe(true);
    expect(matches(event({}), { device: 'nas', topic: 'alerts', severity: 'warning' })).toBe(true);
    expect(matches(event({}), { device: 'web' })).toBe(false);
    expect(matches(event({}), { topic: 'logins' })).toBe(false);
    expect(matches(event({}), { severity: 'critical' })).toBe(false);
    expect(matches(event({ severity: 'critical' }), { severity: 'warning' })).toBe(true);
    expect(matches(event({ actor: 'Marie' }), { text: 'mar' })).toBe(true);
    expect(matches(event({}), { text: 'mar' })).toBe(false);
  });

  test('a change of settings says what was and what is', () => {
    const parameters = { section: 'alerting', 'rules.cpu.limit': '90 → 80' };
    const changed = event({ kind: 'settings_changed', parameters });
    expect(changesOf(changed)).toEqual([{ name: 'rules.cpu.limit', change: '90 → 80' }]);
    expect(changesOf(event({}))).toEqual([]);
  });
});
