/** What is set about each device. */
import type { Device, DeviceSettings, ServiceList } from '../src/api/types.ts';
import { bodyOf, problem, send, type Part } from './http.ts';
import { applyRules, offlineSecs, type Set } from './rules.ts';
import { devicesAt, servicesOf } from './world.ts';

interface Stored {
  revision: number;
  about: Partial<Pick<Device, 'name' | 'groups' | 'always_on' | 'uplink'>>;
  agent: Partial<Pick<DeviceSettings, 'interval_secs' | 'watched_services' | 'notifications'>>;
  rules: Set;
  changed: number;
}

/** So long an agent takes to do what it is told. */
const TAKES_MS = 2_000;

const stored = new Map<string, Stored>([
  [
    'nas',
    {
      revision: 4,
      about: { groups: ['servers'], always_on: true, uplink: 'router' },
      agent: {
        interval_secs: 3,
        watched_services: ['nginx.service', 'ssh.service'],
        notifications: false,
      },
      rules: { cpu: { limit: 95 }, offline: { for_secs: 120 }, disk: { limit: 97 } },
      changed: 0,
    },
  ],
]);

export function setOf(id: string): Stored {
  const known = stored.get(id);
  if (known) return known;
  const fresh: Stored = { revision: 0, about: {}, agent: {}, rules: {}, changed: 0 };
  stored.set(id, fresh);
  return fresh;
}

export const revisionOf = (id: string): number => setOf(id).revision;

const isApplied = (id: string, now: number) => now - setOf(id).changed > TAKES_MS;

function withSet(device: Device, now: number): Device {
  const { about, agent } = setOf(device.id);
  const interval = device.status === 'online' && isApplied(device.id, now) && agent.interval_secs;
  const info = device.info && interval ? { info: { ...device.info, interval_secs: interval } } : {};
  return { ...device, ...about, ...info };
}

function servicesWithSet(id: string, now: number): ServiceList {
  const list = servicesOf(id);
  const watched = setOf(id).agent.watched_services;
  if (watched === undefined || !isApplied(id, now)) return list;
  const missing = watched
    .filter((name) => !list.items.some((it) => it.name === name))
    .map((name) => ({ name, state: 'missing' as const, restarts: 0, watched: true }));
  const known = list.items.map((it) => ({ ...it, watched: watched.includes(it.name) }));
  return { ...list, items: [...known, ...missing] };
}

/** Takes over what is named; null takes back. */
function apply(to: object, change: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(change)) {
    if (value === null) Reflect.deleteProperty(to, key);
    else Reflect.set(to, key, value);
  }
}

export const answerDeviceSettings: Part = async (call) => {
  const { what, path, request, response, now, scenario } = call;
  if (what === 'GET /devices') {
    const items = devicesAt(scenario, now).map((device) => withSet(device, now));
    send(response, { items, next: null });
    return true;
  }
  const [, id, part] = /^\/devices\/([^/]+)(\/settings|\/services)?$/.exec(path) ?? [];
  const method = request.method ?? 'GET';
  const device = devicesAt(scenario, now).find((it) => it.id === id);
  if (id === undefined || !device || !['GET', 'PATCH'].includes(method)) return false;
  if (part === '/services') {
    send(response, servicesWithSet(id, now));
    return true;
  }
  const set = setOf(id);
  const tag = () => `"device-${String(set.revision)}"`;
  if (method === 'PATCH') {
    const change = await bodyOf<Record<string, unknown>>(request);
    if (request.headers['if-match'] !== tag()) {
      problem(response, 412, 'changed meanwhile');
      return true;
    }
    set.revision += 1;
    if (part === undefined) apply(set.about, change);
    else {
      const { offline_timeout_secs: secs, ...agent } = change;
      if (secs !== undefined) {
        applyRules(set.rules, { offline: { for_secs: secs as number | null } });
      }
      apply(set.agent, agent);
      set.changed = now;
    }
  }
  response.setHeader('ETag', tag());
  if (part === undefined) send(response, withSet(device, now));
  else {
    const { revision, agent } = set;
    send(response, { revision, offline_timeout_secs: offlineSecs(id), ...agent });
  }
  return true;
};
