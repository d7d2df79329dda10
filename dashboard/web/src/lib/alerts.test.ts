import { describe, expect, test } from 'vitest';
import type { Alert } from '../api/types';
import { en } from '../i18n/en';
import { fr } from '../i18n/fr';
import { figure, isOfHub, isUnattended, SNOOZES, snoozeSecs, sortAlerts } from './alerts';
import { createFormat } from './format';

const NOW = new Date(2026, 10, 30, 22, 15).getTime();

function alert(device: string, more: Partial<Alert> = {}): Alert {
  const since = new Date(NOW - 60_000).toISOString();
  return { device, rule: 'cpu', kind: 'cpu', state: 'firing', severity: 'warning', since, ...more };
}

const devices = (alerts: Alert[]) => alerts.map(({ device }) => device);

describe('the order of alerts', () => {
  test('the worst come first, then the newest, and last those that nobody is told of', () => {
    const old = new Date(NOW - 864e5).toISOString();
    const { wrong } = sortAlerts([
      alert('muted', { severity: 'critical', muted: 'uplink' }),
      alert('old', { firing_since: old }),
      alert('new'),
      alert('worst', { severity: 'critical', firing_since: old }),
    ]);
    expect(devices(wrong)).toEqual(['worst', 'new', 'old', 'muted']);
  });

  test('an alert keeps its place when somebody takes it on', () => {
    const since = new Date(NOW - 7_200_000).toISOString();
    const before = [alert('a', { firing_since: since }), alert('b', { firing_since: since })];
    const taken = { state: 'acknowledged' as const, since: new Date(NOW).toISOString() };
    const after = before.map((it) => (it.device === 'b' ? { ...it, ...taken } : it));
    expect(devices(sortAlerts(after).wrong)).toEqual(devices(sortAlerts(before).wrong));
  });

  test('what is not known is put together by device', () => {
    const unknown = { state: 'unknown' as const };
    const {
      wrong,
      pending,
      unknown: found,
    } = sortAlerts([
      alert('b', unknown),
      alert('a', unknown),
      alert('b', { ...unknown, rule: 'ram', kind: 'ram' }),
      alert('c', { state: 'pending' }),
    ]);
    expect(wrong).toEqual([]);
    expect(devices(pending)).toEqual(['c']);
    expect(found.map(({ device, alerts }) => [device, alerts.length])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
  });
});

test('an alert that maintenance or an uplink keeps quiet needs nobody', () => {
  expect(isUnattended(alert('a'))).toBe(true);
  expect(isUnattended(alert('a', { muted: 'maintenance' }))).toBe(false);
  expect(isUnattended(alert('a', { state: 'snoozed' }))).toBe(false);
});

test('a device that is called hub is not the hub', () => {
  expect(isOfHub(alert('hub', { kind: 'storage' }))).toBe(true);
  expect(isOfHub(alert('hub', { kind: 'cpu' }))).toBe(false);
});

describe('figures', () => {
  const plain = (text: string) => text.replace(/\s/g, ' ');
  const english = createFormat('en-GB', en.units, 'UTC');
  const french = createFormat('fr-FR', fr.units, 'UTC');
  test.each<[number, Alert['unit'], string, string]>([
    [90, 'percent', '90 %', '90 %'],
    [96.24, 'percent', '96.2 %', '96,2 %'],
    [95, 'celsius', '95 °C', '95 °C'],
    [1e8, 'bytes_per_second', '100 MB/s', '100 Mo/s'],
    [-5412.4, 'seconds', '1 h 30 min', '1 h 30 min'],
    [1, 'days', '1 day', '1 jour'],
    [1.5, 'days', '1.5 days', '1,5 jour'],
    [2.25, undefined, '2.25', '2,25'],
  ])('%d in %s is %s, in French %s', (value, unit, inEnglish, inFrench) => {
    const words = (t: typeof en) => ({ units: t.units, days: t.alerts.days });
    expect(plain(figure(value, unit, english, words(en)))).toBe(inEnglish);
    expect(plain(figure(value, unit, french, words(fr)))).toBe(inFrench);
  });
});

test('an alert is snoozed for a while, or until tomorrow at eight', () => {
  const secs = SNOOZES.map((choice) => snoozeSecs(choice, NOW));
  expect(secs).toEqual([900, 3600, 14_400, 86_400, 9.75 * 3600]);
});
