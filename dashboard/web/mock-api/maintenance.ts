/** Maintenance windows. */
import type { Maintenance, MaintenanceChange } from '../src/api/types.ts';
import { bodyOf, problem, send, type Call } from './http.ts';
import { STARTED, type Scenario } from './world.ts';

const HOUR = 3_600_000;
const at = (hours: number) => new Date(STARTED + hours * HOUR).toISOString();

const PLANNED: Maintenance[] = [
  {
    id: '5d1e0c7a90b3f216',
    name: 'Backup of all servers',
    devices: ['nas', 'web-02'],
    groups: ['servers'],
    weekly: { days: ['sunday'], from: '23:30', to: '03:00' },
  },
  {
    id: '88f2a4619c0d7be3',
    name: 'New processors',
    devices: ['ws-03', 'ws-06', 'ws-09', 'ws-12', 'ws-15', 'ws-18'],
    groups: [],
    from: at(-0.6),
    to: at(1.4),
  },
  {
    id: '0b97d6f3a1c852e4',
    name: 'Power cut in the whole building',
    devices: [],
    groups: [],
    from: at(-60),
    to: at(-54),
  },
];

const windows = new Map<Scenario, Maintenance[]>();
let revision = 7;

function windowsOf(scenario: Scenario): Maintenance[] {
  let found = windows.get(scenario);
  if (!found) {
    found = scenario === 'fleet' || scenario === 'faults' ? structuredClone(PLANNED) : [];
    windows.set(scenario, found);
  }
  return found;
}

function changed(window: Maintenance, change: MaintenanceChange): Maintenance {
  const { from, to, weekly, ...rest } = window;
  const { from: newFrom, to: newTo, weekly: newWeekly, ...newRest } = change;
  const time = newWeekly
    ? { weekly: newWeekly }
    : newFrom && newTo
      ? { from: newFrom, to: newTo }
      : { ...(from && { from }), ...(to && { to }), ...(weekly && { weekly }) };
  // Null is as good as absent.
  const given = Object.fromEntries(Object.entries(newRest).filter(([, value]) => value !== null));
  return { ...rest, ...(given as Partial<Maintenance>), ...time } as Maintenance;
}

const etag = () => `"alerting-${String(revision)}"`;

export async function answerMaintenance(call: Call): Promise<boolean> {
  const { request, response, what, scenario, path } = call;
  if (!path.startsWith('/maintenance')) return false;
  const items = windowsOf(scenario);
  if (what === 'GET /maintenance') {
    response.setHeader('ETag', etag());
    send(response, { items, next: null });
    return true;
  }
  if (what === 'POST /maintenance') {
    const id = Math.random().toString(16).slice(2, 18).padEnd(16, '0');
    const empty = { id, name: '', devices: [], groups: [] };
    const made = changed(empty, await bodyOf<MaintenanceChange>(request));
    items.push(made);
    revision += 1;
    response.setHeader('ETag', etag());
    send(response, made);
    return true;
  }
  const found = items.findIndex(({ id }) => path === `/maintenance/${id}`);
  const window = items[found];
  if (!window) problem(response, 404, 'There is no such maintenance window.');
  else if (what.startsWith('DELETE')) {
    items.splice(found, 1);
    revision += 1;
    send(response, undefined, 204);
  } else {
    const wanted = request.headers['if-match'];
    if (wanted !== undefined && wanted !== '*' && wanted !== etag()) {
      problem(response, 412, 'changed meanwhile');
      return true;
    }
    items[found] = changed(window, await bodyOf<MaintenanceChange>(request));
    revision += 1;
    response.setHeader('ETag', etag());
    send(response, items[found]);
  }
  return true;
}
