import { expect, test } from 'vitest';
import type { Device, DeviceSettings, Service } from '../api/types';
import {
  aboutChange,
  aboutFaults,
  aboutOf,
  agentChange,
  agentFaults,
  agentOf,
  groupsIn,
  progressOf,
  uplinksFor,
  watchedWith,
} from './device-settings';

const EN = { decimal: '.', second: 's', minute: 'min', hour: 'h', day: 'd' };

function device(over: Partial<Device> = {}): Device {
  return {
    id: 'nas',
    name: 'nas',
    groups: ['servers'],
    always_on: true,
    status: 'online',
    troubles: [],
    alerts: [],
    limits: { cpu_percent: 90, ram_percent: 90, disk_percent: 90 },
    ...over,
  };
}

const settings: DeviceSettings = { revision: 1, offline_timeout_secs: 10 };
const watched = (name: string): Service => ({ name, state: 'running', restarts: 0, watched: true });

test('groups are separated by commas, and each counts once', () => {
  expect(groupsIn(' office,  first   floor, office,,')).toEqual(['office', 'first floor']);
});

test('what is shown of a device changes nothing', () => {
  expect(aboutChange(device(), aboutOf(device()))).toEqual({});
  expect(agentChange(settings, agentOf(settings, EN), EN)).toEqual({});
});

test('a device is taken from behind another', () => {
  const it = device({ uplink: 'router' });
  expect(aboutChange(it, { ...aboutOf(it), uplink: '' })).toEqual({ uplink: null });
});

test('names and groups have bounds', () => {
  const faults = (over: object) => aboutFaults({ ...aboutOf(device()), ...over });
  expect(faults({})).toEqual({ name: false, groups: false });
  expect(faults({ name: '  ' }).name).toBe(true);
  expect(faults({ name: '🖥'.repeat(64) }).name).toBe(false);
  expect(faults({ name: 'x'.repeat(65) }).name).toBe(true);
  expect(faults({ groups: 'x'.repeat(33) }).groups).toBe(true);
});

test('a device cannot hang behind itself, not even over others', () => {
  const fleet = new Map(
    [
      device(),
      device({ id: 'switch', uplink: 'nas' }),
      device({ id: 'ws', uplink: 'switch' }),
      device({ id: 'router' }),
    ].map((it) => [it.id, it]),
  );
  expect(uplinksFor('nas', fleet).map(({ id }) => id)).toEqual(['router']);
});

test('uplinks in a circle are walked once', () => {
  const fleet = new Map(
    [device({ id: 'a', uplink: 'b' }), device({ id: 'b', uplink: 'a' })].map((it) => [it.id, it]),
  );
  expect(uplinksFor('nas', fleet)).toHaveLength(2);
});

test('what is emptied is left to the agent', () => {
  const it = { ...settings, interval_secs: 5, notifications: true, watched_services: ['ssh'] };
  const draft = {
    interval: '',
    offline: '',
    notifications: 'agent' as const,
    watched: null,
  };
  expect(agentChange(it, draft, EN)).toEqual({
    interval_secs: null,
    offline_timeout_secs: null,
    notifications: null,
    watched_services: null,
  });
});

test('intervals may have a unit, and have bounds', () => {
  const draft = agentOf(settings, EN);
  const change = (interval: string) => agentChange(settings, { ...draft, interval }, EN);
  expect(change('2.5')).toEqual({ interval_secs: 2.5 });
  expect(change('10 s')).toEqual({ interval_secs: 10 });
  expect(change('1 min')).toEqual({ interval_secs: 60 });
  for (const interval of ['0.5', '3601', 'often']) {
    expect(agentFaults({ ...draft, interval }, EN).interval, interval).toBe(true);
  }
  expect(agentFaults({ ...draft, offline: '25 h' }, EN).offline).toBe(true);
});

test('a device has taken over what it tells to do', () => {
  const it = { ...settings, interval_secs: 5, watched_services: ['ssh'] };
  const info = { interval_secs: 5 } as NonNullable<Device['info']>;
  expect(progressOf(settings, device(), [])).toBe('nothing');
  expect(progressOf(it, device({ status: 'offline' }), [])).toBe('waiting');
  expect(progressOf(it, device({ info }), [])).toBe('sent');
  expect(progressOf(it, device({ info }), [watched('ssh.service')])).toBe('applied');
  const both = [watched('ssh.service'), watched('nginx.service')];
  expect(progressOf(it, device({ info }), both)).toBe('sent');
  const slow = { ...info, interval_secs: 3 };
  expect(progressOf(it, device({ info: slow }), [watched('ssh')])).toBe('sent');
});

test('the first service that somebody watches joins those that the agent watches', () => {
  const services = [watched('nginx.service'), { ...watched('cron.service'), watched: false }];
  expect(watchedWith(null, services, 'cron.service', true)).toEqual([
    'nginx.service',
    'cron.service',
  ]);
  // It may have been set by its short name.
  expect(watchedWith(['ssh', 'nginx'], services, 'nginx.service', false)).toEqual(['ssh']);
});
