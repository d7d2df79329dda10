/** Alerts, what is done about them, and maintenance windows, for all who look at this mock. */
import type { ServerResponse } from 'node:http';
import type { Alert, AlertChange, AlertingSettings, Event } from '../src/api/types.ts';
import { bodyOf, problem, send, type Call, type Part } from './http.ts';
import { answerMaintenance } from './maintenance.ts';
import { STARTED, type Scenario } from './world.ts';

const MINUTE = 60_000;
/** So long the hub thinks about what it was asked. */
const THINKS_MS = 400;

const ago = (minutes: number) => new Date(STARTED - minutes * MINUTE).toISOString();

function firing(device: string, rule: string, minutes: number, more: Partial<Alert>): Alert {
  const since = ago(minutes);
  const kind = rule.replace(/-.*/, '');
  const state = 'firing';
  return { device, rule, kind, state, since, firing_since: since, severity: 'warning', ...more };
}

/** What nobody knows of a device that is away. */
const UNKNOWN = ['cpu', 'ram', 'temperature', 'clock', 'disk-root', 'inodes-root', 'stale'];

const FLEET: Alert[] = [
  firing('ws-14', 'offline', 4.2, { severity: 'critical', detail: 'lost' }),
  firing('web-02', 'service-php8.2-fpm', 47, {
    severity: 'critical',
    target: 'php8.2-fpm',
    detail: 'failed',
  }),
  firing('nas', 'disk-srv', 262, {
    severity: 'critical',
    target: '/srv',
    value: 96.2,
    limit: 90,
    unit: 'percent',
  }),
  firing('nas', 'disk-trend-srv', 1530, {
    kind: 'disk-trend',
    target: '/srv',
    value: 1.8,
    limit: 3,
    unit: 'days',
    state: 'acknowledged',
    acknowledged_by: 'marie',
    note: 'Two new disks are ordered, they come on Thursday.',
  }),
  firing('hub', 'clock', 71, {
    value: -5412.4,
    limit: 60,
    unit: 'seconds',
    state: 'snoozed',
    snoozed_until: new Date(STARTED + 169 * MINUTE).toISOString(),
  }),
  firing('web-02', 'service-certbot', 47, { target: 'certbot', detail: 'restart_loop' }),
  firing('ws-03', 'cpu', 22, {
    value: 97.4,
    limit: 90,
    unit: 'percent',
    muted: 'maintenance',
  }),
  {
    device: 'ws-07',
    rule: 'ram',
    kind: 'ram',
    state: 'pending',
    since: ago(0.7),
    severity: 'warning',
    value: 93.1,
    limit: 90,
    unit: 'percent',
  },
  ...UNKNOWN.map((rule) => ({
    device: 'ws-14',
    rule,
    kind: rule.replace(/-.*/, ''),
    ...(rule.includes('-') ? { target: '/' } : {}),
    ...(rule === 'ram' ? { firing_since: ago(9) } : {}),
    state: 'unknown' as const,
    since: ago(4.2),
    severity: 'warning' as const,
  })),
];

/** A switch that has died, and a hub that stores nothing. */
const FAULTS: Alert[] = [
  firing('hub', 'ingest', 12, { severity: 'critical', detail: 'stopped' }),
  firing('router', 'offline', 3.5, { severity: 'critical', detail: 'lost' }),
  ...['ws-02', 'ws-04', 'ws-05', 'ws-07'].map((device) =>
    firing(device, 'offline', 3.4, {
      severity: 'critical',
      detail: 'lost',
      muted: 'uplink',
      behind: 'router',
    }),
  ),
  ...FLEET,
  ...['ws-01', 'ws-08', 'ws-10', 'ws-11', 'ws-13'].map<Alert>((device, at) => ({
    ...firing(device, 'network', 0.2 + at / 10, { value: 118e6 + at * 1e6, limit: 1e8 }),
    unit: 'bytes_per_second',
    state: 'pending',
  })),
];

const keyOf = ({ device, rule }: { device: string; rule: string }) => `${device}/${rule}`;
const named = (alerts: Alert[]) => new Map(alerts.map((alert) => [keyOf(alert), alert]));

const worlds = new Map<Scenario, Map<string, Alert>>([
  ['fleet', named(FLEET)],
  ['lost', named(FLEET)],
  ['faults', named(FAULTS)],
]);

/** Who hears of changes. */
const streams = new Map<ServerResponse, Scenario>();

function tell(scenario: Scenario, alert: Alert): void {
  const change: AlertChange = { device: alert.device, rule: alert.rule, alert };
  const data = JSON.stringify({ type: 'alert', ...change });
  for (const [stream, of] of streams) {
    if (of === scenario && !stream.destroyed) stream.write(`event: alert\ndata: ${data}\n\n`);
  }
}

function after(alert: Alert, action: string, body: Record<string, unknown>, now: number): Alert {
  const { device, rule, kind, severity, target, value, limit, unit, detail } = alert;
  const { firing_since, muted, behind } = alert;
  const bare = { device, rule, kind, severity, target, value, limit, unit, detail };
  const all = { ...bare, firing_since, muted, behind, since: new Date(now).toISOString() };
  const kept = Object.fromEntries(
    Object.entries(all).filter(([, part]) => part !== undefined),
  ) as Omit<Alert, 'state'>;
  if (action === 'unack') return { ...kept, state: 'firing' };
  if (action === 'snooze') {
    const until = new Date(now + Number(body['for_secs']) * 1000).toISOString();
    return { ...kept, state: 'snoozed', snoozed_until: until };
  }
  const note = body['note'];
  const noted = typeof note === 'string' ? { note } : {};
  return { ...kept, state: 'acknowledged', acknowledged_by: 'marie', ...noted };
}

async function act({ request, response, path, scenario, now }: Call): Promise<boolean> {
  const asked = /^\/alerts\/([^/]+)\/([^/]+)\/(ack|unack|snooze)$/.exec(path);
  if (!asked) return false;
  const [device = '', rule = '', action = ''] = asked.slice(1).map(decodeURIComponent);
  const alert = worlds.get(scenario)?.get(keyOf({ device, rule }));
  if (!alert) {
    problem(response, 404, 'There is no such alert.');
    return true;
  }
  const body = await bodyOf<Record<string, unknown>>(request);
  const changed = after(alert, action, body, now);
  worlds.get(scenario)?.set(keyOf(alert), changed);
  send(response, undefined, 204);
  setTimeout(() => {
    tell(scenario, changed);
  }, THINKS_MS);
  return true;
}

function eventsOf(scenario: Scenario): Event[] {
  if (scenario === 'empty' || scenario === 'setup') return [];
  const line = (
    id: number,
    minutes: number,
    is: 'firing' | 'resolved',
    device: string,
    parameters: Record<string, string>,
  ): Event => ({
    id,
    time: ago(minutes),
    kind: `alert_${is}`,
    severity: is === 'resolved' ? 'info' : 'warning',
    device,
    parameters,
  });
  const all = [
    line(240, 4.2, 'firing', 'ws-14', { rule: 'offline' }),
    line(233, 22, 'firing', 'ws-03', { rule: 'cpu', value: '97.4', limit: '90' }),
    line(228, 31, 'resolved', 'nas', { rule: 'offline' }),
    line(226, 38, 'firing', 'nas', { rule: 'offline' }),
    line(221, 47, 'firing', 'web-02', { rule: 'service-php8.2-fpm' }),
    line(214, 262, 'firing', 'nas', { rule: 'disk-srv', value: '90.1', limit: '90' }),
    line(190, 1210, 'resolved', 'ws-11', { rule: 'temperature' }),
    line(187, 1248, 'firing', 'ws-11', { rule: 'temperature', value: '96.5', limit: '95' }),
  ];
  return scenario === 'well' ? all.slice(-2) : all;
}

const settings: AlertingSettings = {
  revision: 7,
  repeat_hours: 24,
  boot_grace_secs: 120,
  time_zone: 'Europe/Paris',
  quiet_hours: [],
};

export const answerAlerts: Part = async (call) => {
  const { what, query, request, response, scenario } = call;
  if (what === 'GET /alerts') {
    send(response, { items: [...(worlds.get(scenario)?.values() ?? [])], next: null });
    return true;
  }
  // The stream itself is answered elsewhere.
  if (what === 'GET /stream') {
    streams.set(response, scenario);
    request.on('close', () => streams.delete(response));
    return false;
  }
  const kinds = query.getAll('kind');
  if (what === 'GET /events' && kinds.length === 2 && kinds.includes('alert_resolved')) {
    send(response, { items: eventsOf(scenario), next: null });
    return true;
  }
  if (what === 'GET /settings/alerting') {
    response.setHeader('ETag', '"alerting-7"');
    send(response, settings);
    return true;
  }
  return (await answerMaintenance(call)) || act(call);
};
