import { expect, test } from 'vitest';
import { deviceHref, routeOf, safeNext } from './router';

test('every address is a page', () => {
  expect(routeOf('/')).toEqual({ page: 'fleet' });
  expect(routeOf('/devices/nas')).toEqual({ page: 'device', id: 'nas' });
  expect(routeOf('/settings')).toEqual({ page: 'settings' });
  expect(routeOf('/setup')).toEqual({ page: 'setup' });
  expect(routeOf('/devices/a/b')).toEqual({ page: 'unknown' });
});

test('the address of a device leads back to it', () => {
  expect(routeOf(deviceHref('ws_14'))).toEqual({ page: 'device', id: 'ws_14' });
});

test('a broken address is an unknown page, not an error', () => {
  expect(routeOf('/devices/%E0%A4%A')).toEqual({ page: 'unknown' });
});

test('a login leads to our own pages only', () => {
  expect(safeNext('/devices/nas?range=6h')).toBe('/devices/nas?range=6h');
  for (const evil of [
    null,
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/login',
  ]) {
    expect(safeNext(evil)).toBe('/');
  }
});
