import type { Device } from '../api/types';
import type { Words } from './words';

/** One thing to know about a device. */
export interface Fact {
  name: string;
  /** Nothing where it is not known. */
  text: string | undefined;
  title?: string | undefined;
  /** What needs someone, soon or some day; the text says so as well. */
  kind?: 'trouble' | 'attention';
}

/** At this the maker no longer answers for a drive for long. */
const WORN_PERCENT = 80;

/** What is known of the machine beside what it is. What it does not have is absent. */
export function stateFacts(device: Device, words: Words): Fact[] {
  // What changes from moment to moment nobody knows of a device that is gone.
  const now = device.status === 'online' ? [battery, power, users] : [];
  const facts = [...now, restart, updates, arrays, wear];
  return facts.map((fact) => fact(device, words)).filter((fact) => fact !== undefined);
}

function battery({ metrics }: Device, { t, f }: Words): Fact | undefined {
  const batteries = metrics?.batteries ?? [];
  if (batteries.length === 0) return undefined;
  const text = batteries.map(({ name, percent, state, watts }) => {
    const parts = [
      f.percentWhole(percent),
      t.device.charge[state],
      watts === undefined || watts === 0 ? '' : f.watts(watts),
    ];
    const said = parts.filter(Boolean).join(', ');
    return batteries.length > 1 ? `${name} ${said}` : said;
  });
  const health = batteries.flatMap(({ health_percent }) =>
    health_percent === undefined ? [] : [t.device.batteryHealth(f.percentWhole(health_percent))],
  );
  return { name: t.device.battery, text: text.join('; '), title: health.join('\n') };
}

function power({ metrics }: Device, { t }: Words): Fact | undefined {
  const { undervoltage, throttled } = metrics?.throttling ?? {};
  const said = [
    undervoltage === true ? t.device.undervoltage : '',
    throttled === true ? t.device.throttled : '',
  ].filter(Boolean);
  if (said.length === 0) return undefined;
  return {
    name: undervoltage === true ? t.device.power : t.device.throttling,
    text: said.join(', '),
    kind: undervoltage === true ? 'trouble' : 'attention',
  };
}

function users({ metrics }: Device, { t }: Words): Fact | undefined {
  const names = metrics?.users;
  if (names === undefined) return undefined;
  return { name: t.device.users, text: names.join(', ') || t.device.nobody };
}

function restart({ info }: Device, { t }: Words): Fact | undefined {
  if (info?.restart_required !== true) return undefined;
  return { name: t.device.restart, text: t.device.restartRequired, kind: 'attention' };
}

function updates({ info }: Device, { t, f }: Words): Fact | undefined {
  const found = info?.updates;
  if (found === undefined) return undefined;
  const name = t.device.updates;
  if (found.pending === 0) return { name, text: t.device.noUpdates };
  const pending = t.device.pending(found.pending, f.count(found.pending));
  const security = found.security ?? 0;
  return security === 0
    ? { name, text: pending }
    : { name, text: `${pending}, ${t.device.security(f.count(security))}`, kind: 'attention' };
}

function arrays({ metrics }: Device, { t }: Words): Fact | undefined {
  const found = metrics?.arrays ?? [];
  if (found.length === 0) return undefined;
  const text = found.map(({ name, drives, missing, action }) => {
    const said =
      missing > 0 ? t.device.arrayMissing(name, missing, drives) : t.device.arrayWhole(name);
    return action === undefined ? said : `${said} (${action})`;
  });
  return {
    name: t.device.raid,
    text: text.join('; '),
    title: found.map(({ name, level }) => `${name}: ${level}`).join('\n'),
    ...(found.some(({ missing }) => missing > 0) ? { kind: 'trouble' as const } : {}),
  };
}

function wear({ metrics }: Device, { t, f }: Words): Fact | undefined {
  const worn = (metrics?.drives ?? []).flatMap(({ name, wear_percent }) =>
    wear_percent === undefined ? [] : [{ name, percent: wear_percent }],
  );
  if (worn.length === 0) return undefined;
  return {
    name: t.device.wear,
    text: worn.map(({ name, percent }) => `${name} ${f.percentWhole(percent)}`).join(', '),
    title: t.device.wearMeans,
    ...(worn.some(({ percent }) => percent >= WORN_PERCENT) ? { kind: 'attention' as const } : {}),
  };
}
