import { describe, expect, test } from 'vitest';
import type { Device } from '../api/types';
import { needText } from '../components/words';
import { en } from '../i18n/en';
import { fr } from '../i18n/fr';
import { createFormat } from './format';
import { headlineOf } from './headline';

const NOW = Date.UTC(2026, 10, 22, 12);
const LIMITS = { cpu_percent: 90, ram_percent: 90, disk_percent: 90 };
const ENGLISH = { t: en, f: createFormat('en-GB', en.units, 'UTC') };
const FRENCH = { t: fr, f: createFormat('fr-FR', fr.units, 'UTC') };

function device(name: string, more: Partial<Device> = {}): Device {
  return {
    id: name,
    name,
    status: 'online',
    troubles: [],
    limits: LIMITS,
    groups: [],
    always_on: false,
    alerts: [],
    ...more,
  };
}

const WS14 = device('ws-14', {
  status: 'offline',
  since: new Date(NOW - 4 * 60_000).toISOString(),
});
const NAS = device('nas', {
  troubles: [{ kind: 'disk', subject: '/srv', value: 96.2, limit: 90 }],
});
const WEB = device('web', {
  troubles: [{ kind: 'services' }],
  services: { total: 9, running: 8, failed: 1, failed_names: ['nginx.service'] },
});

/** The whole line as it is read. */
function line(devices: Device[], words: typeof ENGLISH): string {
  const headline = headlineOf(devices, 'en');
  const { t } = words;
  if (headline.kind === 'empty') return t.fleet.emptyTitle;
  if (headline.kind === 'well') return t.headline.well(headline.total);
  if (headline.kind === 'unknown') return t.headline.unknown(headline.unknown, headline.total);
  const needs = headline.shown.map(
    (need) => need.device.name + needText(need.device, need.troubles, NOW, words),
  );
  const more = headline.needing.length - headline.shown.length;
  const list = [...needs, ...(more > 0 ? [t.headline.more(more)] : [])].join(', ');
  const said = `${t.headline.needYou(headline.needing.length, headline.total)} ${list}`;
  return said.replace(/\s/g, ' ');
}

function wells(count: number): Device[] {
  return Array.from({ length: count }, (_, at) => device(`pc-${String(at)}`));
}

describe('the first line', () => {
  test('says that all is well', () => {
    expect(line(wells(23), ENGLISH)).toBe('23 devices, all well');
    expect(line(wells(1), ENGLISH)).toBe('1 device, and it is well');
    expect(line(wells(23), FRENCH)).toBe('23 appareils, tout va bien');
  });

  test('says who needs someone, and why', () => {
    const fleet = [...wells(21), WS14, NAS];
    expect(line(fleet, ENGLISH)).toBe(
      '2 of 23 need you: nas: disk /srv 96 %, ws-14 offline for 4 min',
    );
    expect(line(fleet, FRENCH)).toBe(
      '2 appareils sur 23 demandent votre attention : nas : disque /srv 96 %, ws-14 hors ligne depuis 4 min',
    );
  });

  test('says since when a device that is connected has sent nothing', () => {
    const silent = device('nas', {
      status: 'stale',
      troubles: [{ kind: 'stale' }],
      since: new Date(NOW - 60_000).toISOString(),
      last_seen: new Date(NOW - 120_000).toISOString(),
    });
    expect(line([silent, ...wells(1)], ENGLISH)).toBe(
      '1 of 2 needs you: nas connected, but no samples for 2 min',
    );
    expect(line([silent, ...wells(1)], FRENCH)).toBe(
      '1 appareil sur 2 demande votre attention : nas connecté, mais aucune mesure depuis 2 min',
    );
  });

  test('has a singular', () => {
    expect(line([WEB, ...wells(2)], ENGLISH)).toBe('1 of 3 needs you: web: nginx failed');
    expect(line([WEB, ...wells(2)], FRENCH)).toBe(
      '1 appareil sur 3 demande votre attention : web : nginx en échec',
    );
  });

  test('names a few and counts the rest', () => {
    const many = Array.from({ length: 9 }, (_, at) =>
      device(`ws-${String(at)}`, { status: 'offline' }),
    );
    expect(line(many, ENGLISH)).toBe(
      '9 of 9 need you: ws-0 offline, ws-1 offline, ws-2 offline, ws-3 offline, and 5 more',
    );
    expect(line(many.slice(0, 5), ENGLISH)).not.toContain('more');
  });

  test('does not call well what has not been heard from', () => {
    expect(headlineOf([device('a', { status: 'unknown' }), device('b')], 'en')).toEqual({
      kind: 'unknown',
      total: 2,
      unknown: 1,
    });
  });

  test('is empty without devices', () => {
    expect(line([], FRENCH)).toBe('Aucun appareil pour l’instant');
  });
});
