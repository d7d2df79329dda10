import { expect, test } from 'vitest';
import type { Event } from '../api/types';
import { eventKey, mergeEvents } from './events';

function event(time: string, more: Partial<Event> = {}): Event {
  return { time, kind: 'logged_in', severity: 'info', parameters: {}, ...more };
}

test('what the stream said and the log has stored since is shown once', () => {
  const live = event('2026-11-22T10:00:00.123456789Z');
  const stored = event('2026-11-22T10:00:00.123Z', { id: 7 });
  expect(mergeEvents([live], [stored], 9)).toEqual([stored]);
});

test('the newest come first, and not too many', () => {
  const [old, young] = [event('2026-11-22T10:00:00Z'), event('2026-11-22T11:00:00Z')];
  expect(mergeEvents([old], [young], 9)).toEqual([young, old]);
  expect(mergeEvents([old], [young], 1)).toEqual([young]);
});

test('two at the same time are two', () => {
  const time = '2026-11-22T10:00:00Z';
  expect(
    mergeEvents([event(time, { device: 'a' })], [event(time, { device: 'b' })], 9),
  ).toHaveLength(2);
});

test('the order in which parameters are told makes no other event of it', () => {
  const event = {
    time: '2026-12-01T10:00:00Z',
    kind: 'alert_firing',
    severity: 'warning' as const,
    parameters: { rule: 'ram', value: '96' },
  };
  const turned = { ...event, parameters: { value: '96', rule: 'ram' } };
  expect(eventKey(turned)).toBe(eventKey(event));
  expect(eventKey({ ...event, parameters: { rule: 'cpu', value: '96' } })).not.toBe(
    eventKey(event),
  );
});
