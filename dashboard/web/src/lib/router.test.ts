import { describe, expect, test } from 'vitest';
import {
  deviceHref,
  deviceSettingsHref,
  routeOf,
  safeNext,
  SETTINGS_PARTS,
  settingsHref,
} from './router';

describe('addresses', () => {
  test('every address is a page', () => {
    expect(routeOf('/')).toEqual({ page: 'fleet' });
    expect(routeOf('/alerts')).toEqual({ page: 'alerts' });
    expect(routeOf('/log')).toEqual({ page: 'log' });
    expect(routeOf('/devices/nas')).toEqual({ page: 'device', id: 'nas' });
    expect(routeOf('/devices/nas/settings')).toEqual({ page: 'deviceSettings', id: 'nas' });
    expect(routeOf('/settings')).toEqual({ page: 'settings', part: 'history' });
    expect(routeOf('/settings/rules')).toEqual({ page: 'settings', part: 'rules' });
    expect(routeOf('/setup')).toEqual({ page: 'setup' });
    for (const path of ['/devices/a/b', '/settings/nothing', '/devices/a/settings/b']) {
      expect(routeOf(path)).toEqual({ page: 'unknown' });
    }
  });

  test('what leads to a page leads back to it', () => {
    const id = 'a b/c';
    expect(routeOf(deviceHref(id))).toEqual({ page: 'device', id });
    expect(routeOf(deviceSettingsHref(id))).toEqual({ page: 'deviceSettings', id });
    for (const part of SETTINGS_PARTS) {
      expect(routeOf(settingsHref(part))).toEqual({ page: 'settings', part });
    }
  });

  test('a broken address is an unknown page, not an error', () => {
    expect(routeOf('/devices/%E0%A4%A')).toEqual({ page: 'unknown' });
  });

  test('a login leads to our own pages only', () => {
    expect(safeNext('/devices/nas?range=7d')).toBe('/devices/nas?range=7d');
    for (const next of [null, '', 'https://evil.example', '//evil.example', '/\\evil', '/login']) {
      expect(safeNext(next)).toBe('/');
    }
  });
});
