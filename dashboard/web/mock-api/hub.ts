/** The invented hub itself: its services, its log and what is set. */
import type { Event, Hub, Settings } from '../src/api/types.ts';
import { STARTED, type Scenario } from './world.ts';

const MINUTE = 60_000;

export function eventsAt(scenario: Scenario, device: string | null): Event[] {
  const ago = (minutes: number) => new Date(STARTED - minutes * MINUTE).toISOString();
  const all: Event[] = [
    {
      id: 9,
      time: ago(0.6),
      kind: 'logged_in',
      severity: 'info',
      actor: 'marie',
      parameters: { address: '192.168.1.104' },
    },
    {
      id: 8,
      time: ago(0.9),
      kind: 'login_failed',
      severity: 'warning',
      parameters: { name: 'marie', address: '192.168.1.104' },
    },
    {
      id: 7,
      time: ago(26),
      kind: 'device_joined',
      severity: 'info',
      device: 'ws-19',
      parameters: { name: 'ws-19' },
    },
    {
      id: 6,
      time: ago(31),
      kind: 'join_code_added',
      severity: 'info',
      actor: 'marie',
      parameters: { uses: '1' },
    },
    {
      id: 5,
      time: ago(142),
      kind: 'token_added',
      severity: 'info',
      actor: 'marie',
      parameters: { name: 'node-red', role: 'viewer' },
    },
    {
      id: 45,
      time: ago(95),
      kind: 'settings_changed',
      severity: 'info',
      actor: 'marie',
      parameters: {
        section: 'alerting',
        'rules.disk.limit': '90 → 95',
        'rules.disk.for_secs': '300 → 600',
      },
    },
    {
      id: 4,
      time: ago(1500),
      kind: 'service_started',
      severity: 'info',
      parameters: { service: 'ingest', version: '0.1.0' },
    },
    {
      id: 3,
      time: ago(1501),
      kind: 'service_stopped',
      severity: 'warning',
      parameters: { service: 'ingest' },
    },
    {
      id: 1,
      time: ago(4300),
      kind: 'user_added',
      severity: 'info',
      parameters: { name: 'marie', role: 'admin' },
    },
  ];
  if (scenario === 'empty') return all.slice(-1);
  return all.filter((event) => device === null || event.device === device);
}

/** What is set, for all who look at this mock. */
export const settings: Settings = {
  history: {
    revision: 0,
    sample_days: 90,
    five_minute_days: 730,
    two_hour_days: 3650,
    max_megabytes: 2000,
    event_days: 7,
    max_events: 100_000,
  },
  history_size: { file_bytes: 218_103_808, used_bytes: 211_812_352 },
};

export function hubAt(scenario: Scenario, time: number): Hub {
  const since = new Date(STARTED - 864e5).toISOString();
  const service = (name: 'broker' | 'ingest' | 'alerting' | 'api') => ({
    name,
    state: scenario === 'faults' && name === 'ingest' ? ('stopped' as const) : ('running' as const),
    since,
    version: '0.1.0',
  });
  return {
    name: 'hub',
    version: '0.1.0',
    time: new Date(time).toISOString(),
    services: [service('broker'), service('ingest'), service('alerting'), service('api')],
    addresses: [
      { listener: 'http', address: '192.168.1.2:8080' },
      { listener: 'mqtts', address: '192.168.1.2:8883' },
    ],
  };
}
