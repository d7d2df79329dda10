import { expect, test } from 'vitest';
import type { Device } from '../api/types';
import { isFound } from './fleet-view';

test('a device is found by its names, groups, system and addresses', () => {
  const device = {
    id: 'nas',
    name: 'Storage',
    groups: ['cellar'],
    info: { os: 'Debian 13', interfaces: [{ addresses: ['192.168.1.7/24'] }] },
  } as unknown as Device;
  for (const text of ['', 'NAS', 'stor', 'cell', ' debian ', '1.7']) {
    expect(isFound(device, text)).toBe(true);
  }
  expect(isFound(device, 'windows')).toBe(false);
});
