import type { RuleChange, RuleEntry, RuleUnit, RuleValues, Severity } from '../api/types';

/** The groups that rules are shown in, in this order. */
export const RULE_GROUPS = ['machine', 'disks', 'services', 'presence', 'hub'] as const;
export type RuleGroup = (typeof RULE_GROUPS)[number];

const PRESENCE = ['offline', 'stale', 'reboot', 'samples-lost'];

export function groupOf({ rule, of_hub, per }: RuleEntry): RuleGroup {
  if (of_hub) return 'hub';
  if (per === 'disk') return 'disks';
  if (per === 'service') return 'services';
  return PRESENCE.includes(rule) ? 'presence' : 'machine';
}

/** The rules by their groups, without groups that have none. */
export function grouped(entries: readonly RuleEntry[]): [RuleGroup, RuleEntry[]][] {
  return RULE_GROUPS.map((group): [RuleGroup, RuleEntry[]] => [
    group,
    entries.filter((entry) => groupOf(entry) === group),
  ]).filter(([, list]) => list.length > 0);
}

/** The rules whose past is stored. */
const WITH_PAST = [
  ...['cpu', 'ram', 'swap', 'disk', 'inodes', 'load', 'temperature', 'network', 'offline'],
];
export const hasPast = (rule: string): boolean => WITH_PAST.includes(rule);

export const SEVERITIES = ['info', 'warning', 'critical'] as const;

/** What is typed in the form of a rule. */
export interface RuleDraft {
  enabled: boolean;
  limit: string;
  /** Empty: it follows the limit. */
  clear: string;
  time: string;
  severity: Severity;
}

/** The unit in which a limit is typed: so many of the API's are one of it. */
const SCALE: Partial<Record<RuleUnit, number>> = { bytes_per_second: 1e6 };
const scaleOf = (unit: RuleUnit | undefined) => (unit && SCALE[unit]) ?? 1;
export const inTyped = (unit: RuleUnit | undefined, value: number) => value / scaleOf(unit);

/** Between which values a limit can be, as it is typed. */
const BOUNDS: Record<RuleUnit, [least: number, most: number]> = {
  percent: [0, 100],
  number: [0, 1000],
  celsius: [-50, 200],
  bytes_per_second: [0, 1e6],
  seconds: [0, 86_400],
  days: [0, 365],
};

const LONGEST_SECS = 86_400;

/** How numbers and durations are written in a language. */
export interface Writing {
  /** `.` or `,`. */
  decimal: string;
  second: string;
  minute: string;
  hour: string;
  day: string;
}

export function writeNumber(value: number, { decimal }: Pick<Writing, 'decimal'>): string {
  return String(Math.round(value * 1000) / 1000).replace('.', decimal);
}

/** The number in a text, with the decimal mark of the language or a point; NaN if it is none. */
export function readNumber(text: string, { decimal }: Pick<Writing, 'decimal'>): number {
  const plain = text.trim().replace(/^[−–]/, '-').replace(/[\s%]/g, '').replace(decimal, '.');
  return /^-?\d+(\.\d+)?$/.test(plain) ? Number(plain) : Number.NaN;
}

/** To the second, unlike what is shown of ages: `1 min 30 s`. */
export function writeDuration(secs: number, words: Omit<Writing, 'decimal'>): string {
  const parts: [number, string][] = [
    [Math.floor(secs / 86_400), words.day],
    [Math.floor((secs % 86_400) / 3600), words.hour],
    [Math.floor((secs % 3600) / 60), words.minute],
    [secs % 60, words.second],
  ];
  const some = parts.filter(([count]) => count > 0);
  return (some.length > 0 ? some : parts.slice(-1))
    .map(([count, unit]) => `${String(count)}\u202f${unit}`)
    .join(' ');
}

const UNITS: [RegExp, number][] = [
  [/^s(ec(onds?|ondes?|s)?)?$/, 1],
  [/^m(in(s|utes?)?)?$/, 60],
  [/^h(rs?|ours?|eures?)?$/, 3600],
  [/^(d(ays?)?|j(ours?)?)$/, 86_400],
];

/**
 * Seconds, as people write them in English and French: `90 s`, `5 min`, `1h30`. NaN if the text
 * is none, also for a bare number, of which nobody knows the unit.
 */
export function readDuration(text: string): number {
  const plain = text.trim().toLowerCase().replaceAll(',', '.');
  if (plain === '0') return 0;
  let secs = 0;
  let last = 0;
  let rest = plain;
  while (rest !== '') {
    const [whole, number = '', word = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)\.?\s*/.exec(rest) ?? [];
    if (whole === undefined) return Number.NaN;
    // What follows hours or minutes without a unit is in the next smaller one.
    const unit =
      word === '' ? { 3600: 60, 60: 1 }[last] : UNITS.find(([pattern]) => pattern.test(word))?.[1];
    if (unit === undefined || (last !== 0 && unit >= last)) return Number.NaN;
    secs += Number(number) * unit;
    last = unit;
    rest = rest.slice(whole.length);
  }
  return last === 0 ? Number.NaN : Math.round(secs);
}

/** What is in force, as it would be typed. */
export function draftOf({ effective, set, unit }: RuleEntry, writing: Writing): RuleDraft {
  const write = (value: number | null | undefined) =>
    typeof value === 'number' ? writeNumber(inTyped(unit, value), writing) : '';
  return {
    enabled: effective.enabled,
    limit: write(effective.limit),
    clear: write(set.clear),
    time: writeDuration(effective.for_secs, writing),
    severity: effective.severity,
  };
}

/** Where it is good again by itself, for a limit in the unit of the API: as the hub has it. */
export function clearFor(rule: string, limit: number): number {
  if (rule === 'load' || rule === 'network') return limit * 0.9;
  if (rule === 'clock') return limit / 2;
  if (rule === 'disk-trend') return limit + 1;
  return Math.max(limit - 5, limit * 0.5);
}

/** Where it is good again if nothing is typed for it, in the unit of the API. */
export function clearByItself(entry: RuleEntry, draft: RuleDraft, writing: Writing): number {
  const limit = typedLimit(entry, draft, writing);
  const { default: otherwise, rule } = entry;
  return limit === otherwise.limit ? (otherwise.clear ?? limit) : clearFor(rule, limit);
}

function typedLimit({ unit }: RuleEntry, draft: RuleDraft, writing: Writing): number {
  return inApi(unit, readNumber(draft.limit, writing));
}

function inApi(unit: RuleUnit | undefined, typed: number): number {
  const value = typed * scaleOf(unit);
  // No fractions of a byte, which a product may have.
  return unit === 'bytes_per_second' ? Math.round(value) : value;
}

export type RuleFault =
  { kind: 'between'; least: number; most: number } | { kind: 'beyond' } | { kind: 'duration' };
export type RuleFaults = Partial<Record<'limit' | 'clear' | 'time', RuleFault>>;

/** What the hub would refuse. */
export function faultsOf(entry: RuleEntry, draft: RuleDraft, writing: Writing): RuleFaults {
  const faults: RuleFaults = {};
  if (entry.unit !== undefined) {
    const [least, most] = BOUNDS[entry.unit];
    const isOut = (value: number) => Number.isNaN(value) || value < least || value > most;
    const limit = readNumber(draft.limit, writing);
    if (isOut(limit)) faults.limit = { kind: 'between', least, most };
    if (draft.clear.trim() !== '') {
      const clear = readNumber(draft.clear, writing);
      if (isOut(clear)) faults.clear = { kind: 'between', least, most };
      else if (entry.below ? clear < limit : clear > limit) faults.clear = { kind: 'beyond' };
    }
  }
  const secs = readDuration(draft.time);
  if (Number.isNaN(secs) || secs > LONGEST_SECS) faults.time = { kind: 'duration' };
  return faults;
}

/** What is to be set, so that what is typed is in force; nothing where it is already. */
export function wishOf(entry: RuleEntry, draft: RuleDraft, writing: Writing): RuleChange {
  const { default: otherwise, set, unit } = entry;
  const wish: RuleChange = {};
  const wanted: Partial<RuleValues> = {
    enabled: draft.enabled,
    for_secs: readDuration(draft.time),
    severity: draft.severity,
  };
  if (unit !== undefined) {
    wanted.limit = typedLimit(entry, draft, writing);
    if (draft.clear.trim() !== '') wanted.clear = inApi(unit, readNumber(draft.clear, writing));
    else if (isThere(set.clear)) wish.clear = null;
  }
  for (const key of Object.keys(wanted) as (keyof RuleValues)[]) {
    // Of the clear level what holds otherwise follows another limit.
    const isOtherwise = key !== 'clear' && wanted[key] === otherwise[key];
    if (isOtherwise && isThere(set[key])) Object.assign(wish, { [key]: null });
    if (!isOtherwise && wanted[key] !== set[key]) Object.assign(wish, { [key]: wanted[key] });
  }
  return wish;
}

/**
 * All that is typed, also what holds anyway: what one device would do with it, whatever is set for
 * that one.
 */
export function valuesOf(entry: RuleEntry, draft: RuleDraft, writing: Writing): RuleChange {
  const for_secs = readDuration(draft.time);
  if (entry.unit === undefined) return { for_secs };
  const limit = typedLimit(entry, draft, writing);
  const clear =
    draft.clear.trim() === ''
      ? clearByItself(entry, draft, writing)
      : inApi(entry.unit, readNumber(draft.clear, writing));
  return { limit, clear, for_secs };
}

const isThere = (value: unknown) => value !== undefined && value !== null;

/** Whether anything is set here. */
export function isSet({ set }: RuleEntry): boolean {
  return Object.values(set).some(isThere);
}

/**
 * What is typed, over what is stored anew: a field that nobody has touched since shows what is
 * stored now.
 */
export function rebased<T extends object>(typed: T, before: T, now: T): T {
  const keys = Object.keys(now) as (keyof T)[];
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  return Object.fromEntries(
    keys.map((key) => [key, same(typed[key], before[key]) ? now[key] : typed[key]]),
  ) as T;
}
