/** The rules of all devices, of the hub, and of each device. */
import type {
  Preview,
  RuleChange,
  RuleEntry,
  RulePage,
  RuleUnit,
  RuleValues,
} from '../src/api/types.ts';
import { clearFor } from '../src/lib/rules.ts';
import { revisionOf, setOf } from './device-settings.ts';
import { bodyOf, problem, send, type Part } from './http.ts';
import { devicesAt, valueAt } from './world.ts';

type Plan = [rule: string, on: boolean, secs: number, severity: RuleValues['severity']];
type More = { limit?: number; unit?: RuleUnit; per?: RuleEntry['per'] };

const ALL: [...Plan, More?][] = [
  ['offline', true, 10, 'critical'],
  ['stale', true, 60, 'warning'],
  ['reboot', true, 0, 'warning'],
  ['cpu', true, 300, 'warning', { limit: 90, unit: 'percent' }],
  ['ram', true, 120, 'warning', { limit: 90, unit: 'percent' }],
  ['swap', false, 300, 'warning', { limit: 80, unit: 'percent' }],
  ['disk', true, 60, 'critical', { limit: 90, unit: 'percent', per: 'disk' }],
  ['inodes', true, 60, 'critical', { limit: 90, unit: 'percent', per: 'disk' }],
  ['disk-trend', true, 0, 'warning', { limit: 3, unit: 'days', per: 'disk' }],
  ['load', false, 600, 'warning', { limit: 2, unit: 'number' }],
  ['temperature', true, 300, 'warning', { limit: 95, unit: 'celsius' }],
  ['network', false, 300, 'info', { limit: 1e8, unit: 'bytes_per_second' }],
  ['clock', true, 300, 'warning', { limit: 60, unit: 'seconds' }],
  ['service', true, 5, 'critical', { per: 'service' }],
  ['samples-lost', true, 0, 'warning'],
  ['storage', true, 60, 'critical', { limit: 90, unit: 'percent' }],
  ['database', true, 30, 'critical'],
  ['ingest', true, 60, 'critical'],
  ['time', true, 300, 'warning'],
  ['settings', true, 300, 'info'],
];
const OF_HUB = ['storage', 'database', 'ingest', 'time', 'settings'];
const WITH_PAST = 'cpu ram swap disk inodes load temperature network offline'.split(' ');

export type Set = Record<string, RuleEntry['set']>;
const fleetSet: Set = { ram: { limit: 95, for_secs: 600 }, swap: { enabled: true } };
let revision = 3;

function over(rule: string, before: RuleValues, set: RuleEntry['set'] = {}): RuleValues {
  const values = { ...before, ...set };
  if (set.limit !== undefined && set.clear === undefined) values.clear = clearFor(rule, set.limit);
  return values;
}

function entriesOf(device: string | null): RuleEntry[] {
  return ALL.map(([rule, enabled, for_secs, severity, { limit, unit, per } = {}]) => {
    const levels = limit === undefined ? {} : { limit, clear: clearFor(rule, limit) };
    const basic: RuleValues = { enabled, for_secs, severity, ...levels };
    const set = (device === null ? fleetSet : setOf(device).rules)[rule] ?? {};
    const otherwise = device === null ? basic : over(rule, basic, fleetSet[rule]);
    return {
      rule,
      ...(unit === undefined ? {} : { unit }),
      below: rule === 'disk-trend',
      of_hub: OF_HUB.includes(rule),
      ...(per === undefined ? {} : { per }),
      default: otherwise,
      set,
      effective: over(rule, otherwise, set),
    };
  }).filter((entry) => device === null || !entry.of_hub);
}

/** How long a device may be away. */
export function offlineSecs(device: string): number {
  return entriesOf(device)[0]?.effective.for_secs ?? 10;
}

export function applyRules(set: Set, change: Record<string, RuleChange | null>): void {
  for (const [rule, wish] of Object.entries(change)) {
    const now = Object.entries(wish === null ? {} : { ...set[rule], ...wish });
    const left = now.filter(([, value]) => value !== null);
    if (left.length === 0) Reflect.deleteProperty(set, rule);
    else set[rule] = Object.fromEntries(left);
  }
}

/** The past of a day is looked at as if it were a week: values of minutes, and so many samples. */
function preview(device: string | undefined, rule: string, set: RuleChange, now: number): Preview {
  const STEP = 300_000;
  const week = 7 * 864e5;
  const firings: Preview['firings'] = [];
  const ids = devicesAt('fleet', now).map(({ id }) => id);
  for (const id of device === undefined ? ids : [device]) {
    const entry = entriesOf(id).find((it) => it.rule === rule);
    const limit = set.limit ?? entry?.effective.limit ?? 90;
    const mount = rule === 'disk' ? (id === 'nas' ? '/srv' : '/') : undefined;
    const metric = mount === undefined ? rule : `disk:${mount}`;
    let since: number | null = null;
    for (let at = now - week; at <= now; at += STEP) {
      const value = valueAt(id, metric, at);
      const bad = rule === 'offline' ? value === null : (value ?? 0) > limit;
      if (bad) since ??= at;
      if (since === null || (bad && at + STEP <= now)) continue;
      const until = bad ? {} : { until: new Date(at).toISOString() };
      const name = mount === undefined ? rule : `disk-${mount.slice(1) || 'root'}`;
      firings.push({ device: id, rule: name, since: new Date(since).toISOString(), ...until });
      since = null;
    }
  }
  firings.sort((a, b) => (a.since < b.since ? -1 : 1));
  return {
    count: firings.length,
    from: new Date(now - week).toISOString(),
    to: new Date(now).toISOString(),
    firings: firings.slice(-100),
  };
}

export const answerRules: Part = async ({ what, path, request, response, now, scenario }) => {
  if (what === 'POST /rules/preview') {
    const asked = await bodyOf<{ device?: string; rule: string; settings: RuleChange }>(request);
    if (WITH_PAST.includes(asked.rule)) {
      send(response, preview(asked.device, asked.rule, asked.settings, now));
    } else problem(response, 400, `The past of the rule ${asked.rule} is not stored.`);
    return true;
  }
  const [, id] = /^\/devices\/([^/]+)\/rules$/.exec(path) ?? [];
  if (id === undefined && path !== '/rules') return false;
  if (id !== undefined && !devicesAt(scenario, now).some((it) => it.id === id)) {
    problem(response, 404, 'no such device');
    return true;
  }
  const device = id ?? null;
  const tag = () =>
    device === null ? `"alerting-${String(revision)}"` : `"device-${String(revisionOf(device))}"`;
  if (request.method === 'PATCH') {
    const { rules } = await bodyOf<{ rules: Record<string, RuleChange | null> }>(request);
    if (request.headers['if-match'] !== tag()) {
      problem(response, 412, 'changed meanwhile');
      return true;
    }
    applyRules(device === null ? fleetSet : setOf(device).rules, rules);
    if (device === null) revision += 1;
    else setOf(device).revision += 1;
  }
  const page: RulePage = {
    items: entriesOf(device),
    revision: device === null ? revision : revisionOf(device),
  };
  response.setHeader('ETag', tag());
  send(response, page);
  return true;
};
