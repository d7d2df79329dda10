import { expect, test } from 'vitest';
import type { Device, DeviceMetrics } from '../api/types';
import { en } from '../i18n/en';
import { fr } from '../i18n/fr';
import { createFormat } from '../lib/format';
import { stateFacts } from './facts';

const ENGLISH = { t: en, f: createFormat('en-GB', en.units, 'UTC') };
const FRENCH = { t: fr, f: createFormat('fr-FR', fr.units, 'UTC') };

function device(more: Partial<DeviceMetrics>, rest: Partial<Device> = {}): Device {
  const metrics = {
    time: '1970-01-01T00:00:00Z',
    uptime_secs: 1,
    cpu_percent: 1,
    per_core_percent: [],
    memory: { total_bytes: 1, used_bytes: 1 },
    disks: [],
    network: [],
    temperatures: [],
    ...more,
  };
  const limits = { cpu_percent: 90, ram_percent: 90, disk_percent: 90 };
  return {
    id: 'a',
    name: 'a',
    status: 'online',
    troubles: [],
    limits,
    groups: [],
    always_on: false,
    alerts: [],
    metrics,
    ...rest,
  };
}

function check(device: Device, expected: string[], words = ENGLISH) {
  const said = stateFacts(device, words).map(({ name, text = '', kind }) =>
    [name, text.replaceAll('\u202f', ' '), kind].filter(Boolean).join(' | '),
  );
  expect(said).toEqual(expected);
}

const INFO = {
  host_name: 'a',
  os: 'Debian',
  architecture: 'x86_64',
  cores: 4,
  memory_bytes: 1,
  disks: [],
  interfaces: [],
  interval_secs: 3,
};

test('what a machine does not have is absent', () => {
  check(device({ throttling: { undervoltage: false, throttled: false } }), []);
  check(device({}, { info: { ...INFO, restart_required: false } }), []);
});

test('a battery says how full it is and what it does', () => {
  const battery = { name: 'BAT0', percent: 81, state: 'discharging', watts: 7.42 } as const;
  check(device({ batteries: [battery] }), ['Battery | 81 %, on battery, 7.42 W']);
  const other = { name: 'BAT1', percent: 100, state: 'full' } as const;
  check(device({ batteries: [battery, other] }), [
    'Battery | BAT0 81 %, on battery, 7.42 W; BAT1 100 %, full',
  ]);
  // Nobody knows what it does now.
  check(device({ batteries: [battery] }, { status: 'offline' }), []);
});

test('an array that lacks drives is trouble, and says how many', () => {
  const array = { name: 'md0', level: 'raid1', drives: 2, missing: 0 };
  check(device({ arrays: [array] }), ['RAID | md0 complete']);
  const broken = { ...array, missing: 1, action: 'recover' };
  check(device({ arrays: [broken] }), ['RAID | md0: 1 of 2 drives missing (recover) | trouble']);
  check(
    device({ arrays: [broken] }),
    ['RAID | md0\u00a0: 1 disque sur 2 manque (recover) | trouble'],
    FRENCH,
  );
});

test('what has to be done some day asks for attention', () => {
  const updates = { pending: 12, security: 3 };
  check(device({}, { info: { ...INFO, restart_required: true, updates } }), [
    'Restart | needed | attention',
    'Updates | 12 pending, 3 for security | attention',
  ]);
  check(device({}, { info: { ...INFO, updates: { pending: 0 } } }), ['Updates | none']);
  const drive = { name: 'mmcblk0', read_bytes: 1, written_bytes: 1, wear_percent: 80 };
  check(device({ drives: [drive] }), ['Drive wear | mmcblk0 80 % | attention']);
});

test('a supply that is too weak is trouble', () => {
  check(device({ throttling: { undervoltage: true, throttled: true } }), [
    'Power | voltage too low, processor slowed down | trouble',
  ]);
  check(device({ throttling: { throttled: true } }), [
    'Throttling | processor slowed down | attention',
  ]);
});

test('who is logged in is said only where the agent tells', () => {
  check(device({ users: ['ada', 'grace'] }), ['Logged in | ada, grace']);
  check(device({ users: [] }), ['Logged in | nobody']);
});
