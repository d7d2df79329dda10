import { expect, test } from 'vitest';
import type { Device } from '../api/types';
import { conditionOf, fullestDisk, inOrder, shortName, troublesOf } from './troubles';

const LIMITS = { cpu_percent: 90, ram_percent: 90, disk_percent: 90 };

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

test('a device that is offline is in trouble even if the hub gave only its status', () => {
  const gone = device('a', { status: 'offline' });
  expect(troublesOf(gone)).toEqual([{ kind: 'offline' }]);
  expect(conditionOf(gone)).toBe('offline');
});

test('those who need someone come first, then by name as people count', () => {
  const order = inOrder(
    [
      device('ws-10'),
      device('ws-9'),
      device('nas', { troubles: [{ kind: 'cpu', value: 99 }] }),
      device('zoo', { status: 'offline' }),
      device('aged', { status: 'unknown' }),
    ],
    'en',
  ).map((each) => each.name);
  expect(order).toEqual(['nas', 'zoo', 'aged', 'ws-9', 'ws-10']);
});

test('the card shows the fullest disk of the machine itself', () => {
  const disk = (mount: string, used_percent: number) => ({
    mount,
    used_percent,
    total_bytes: 100,
    used_bytes: used_percent,
    available_bytes: 100 - used_percent,
  });
  const metrics = {
    time: '1970-01-01T00:00:00Z',
    uptime_secs: 1,
    cpu_percent: 1,
    per_core_percent: [],
    memory: { total_bytes: 1, used_bytes: 1, used_percent: 100 },
    disks: [
      disk('/', 40),
      disk('/srv', 96),
      disk('/home', 50),
      { ...disk('/nfs', 99), remote: true },
    ],
    network: [],
    temperatures: [],
  };
  expect(fullestDisk(device('a', { metrics }))?.mount).toBe('/srv');
  expect(fullestDisk(device('a'))).toBeUndefined();
});

test('services go by the name that people know', () => {
  expect(shortName('nginx.service')).toBe('nginx');
  expect(shortName('backup.timer')).toBe('backup.timer');
});
