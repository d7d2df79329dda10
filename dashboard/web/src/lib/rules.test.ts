import { expect, test } from 'vitest';
import type { RuleEntry } from '../api/types';
import {
  clearByItself,
  draftOf,
  faultsOf,
  groupOf,
  grouped,
  isSet,
  readDuration,
  readNumber,
  rebased,
  valuesOf,
  wishOf,
  writeDuration,
  writeNumber,
} from './rules';

const EN = { decimal: '.', second: 's', minute: 'min', hour: 'h', day: 'd' };
const FR = { ...EN, decimal: ',', day: 'j' };

function entry(over: Partial<RuleEntry> = {}): RuleEntry {
  const values = {
    enabled: true,
    limit: 90,
    clear: 85,
    for_secs: 300,
    severity: 'warning' as const,
  };
  return {
    rule: 'cpu',
    unit: 'percent',
    below: false,
    of_hub: false,
    default: values,
    set: {},
    effective: { ...values, ...over.set },
    ...over,
  };
}

test('durations are read as people write them', () => {
  expect(readDuration('90 s')).toBe(90);
  expect(readDuration('5min')).toBe(300);
  expect(readDuration('5 m')).toBe(300);
  expect(readDuration('1 h 30')).toBe(5400);
  expect(readDuration('1h30')).toBe(5400);
  expect(readDuration('1 min 30 s')).toBe(90);
  expect(readDuration('1.5 h')).toBe(5400);
  expect(readDuration('1,5 heure')).toBe(5400);
  expect(readDuration('2 minutes')).toBe(120);
  expect(readDuration('1 jour')).toBe(86_400);
  expect(readDuration('0')).toBe(0);
  expect(readDuration(writeDuration(93_784, FR))).toBe(93_784);
});

test('what is no duration is not guessed at', () => {
  for (const text of ['', '5', 'soon', '5 x', '5 s 3 min', '-5 s', '1 h 2 h', '5 min later']) {
    expect(readDuration(text), text).toBeNaN();
  }
});

test('durations are written to the second', () => {
  expect(writeDuration(0, EN)).toBe('0\u202fs');
  expect(writeDuration(90, EN)).toBe('1\u202fmin 30\u202fs');
  expect(writeDuration(86_400, FR)).toBe('1\u202fj');
});

test('numbers have the decimal mark of their language', () => {
  expect(writeNumber(1.5, FR)).toBe('1,5');
  expect(readNumber('1,5', FR)).toBe(1.5);
  expect(readNumber(' 90 % ', EN)).toBe(90);
  expect(readNumber('−5', EN)).toBe(-5);
  // It may be a thousand, or one.
  expect(readNumber('1,000', EN)).toBeNaN();
  expect(readNumber('', EN)).toBeNaN();
});

test('what is shown sets nothing', () => {
  for (const set of [{}, { limit: 95, clear: 91 }, { enabled: false, for_secs: 7 }]) {
    const it = entry({ set });
    expect(wishOf(it, draftOf(it, EN), EN)).toEqual({});
  }
});

test('only what is different is set', () => {
  const it = entry();
  const draft = { ...draftOf(it, EN), limit: '95', time: '10 min' };
  expect(wishOf(it, draft, EN)).toEqual({ limit: 95, for_secs: 600 });
});

test('what is as it would be anyway is taken back', () => {
  const it = entry({ set: { limit: 95, clear: 91, enabled: false } });
  const draft = { ...draftOf(it, EN), limit: '90', clear: '', enabled: true };
  expect(wishOf(it, draft, EN)).toEqual({ limit: null, clear: null, enabled: null });
});

test('a device is asked about all that is typed, also what is as it would be anyway', () => {
  const it = entry({ set: { limit: 95 } });
  const draft = { ...draftOf(it, EN), limit: '90' };
  expect(wishOf(it, draft, EN)).toEqual({ limit: null });
  expect(valuesOf(it, draft, EN)).toEqual({ limit: 90, clear: 85, for_secs: 300 });
});

test('rates are typed in megabytes', () => {
  const it = entry({ rule: 'network', unit: 'bytes_per_second', set: { limit: 1e8 } });
  expect(draftOf(it, EN).limit).toBe('100');
  expect(wishOf(it, { ...draftOf(it, EN), limit: '12.3' }, EN)).toEqual({ limit: 12_300_000 });
});

test('the clear level follows the limit by itself', () => {
  const it = entry();
  const at = (limit: string) => clearByItself(it, { ...draftOf(it, EN), limit }, EN);
  expect(at('90')).toBe(85);
  expect(at('50')).toBe(45);
  expect(at('4')).toBe(2);
});

test('a limit is refused outside of what its unit allows', () => {
  const it = entry();
  const faults = (over: object) => faultsOf(it, { ...draftOf(it, EN), ...over }, EN);
  expect(faults({})).toEqual({});
  expect(faults({ limit: '101' }).limit).toEqual({ kind: 'between', least: 0, most: 100 });
  expect(faults({ limit: 'much' }).limit?.kind).toBe('between');
  expect(faults({ clear: '91' }).clear).toEqual({ kind: 'beyond' });
  expect(faults({ time: '25 h' }).time).toEqual({ kind: 'duration' });
  expect(faults({ time: '5' }).time).toEqual({ kind: 'duration' });
});

test('where little is bad the clear level is no less than the limit', () => {
  const it = entry({ rule: 'disk-trend', unit: 'days', below: true });
  const draft = { ...draftOf(it, EN), limit: '3', clear: '2' };
  expect(faultsOf(it, draft, EN).clear).toEqual({ kind: 'beyond' });
  expect(faultsOf(it, { ...draft, clear: '4' }, EN)).toEqual({});
});

test('a rule that compares nothing has no limit to be wrong', () => {
  const plain = entry({ rule: 'offline' });
  Reflect.deleteProperty(plain, 'unit');
  const values = { enabled: true, for_secs: 10, severity: 'critical' as const };
  const it = { ...plain, default: values, effective: values };
  expect(faultsOf(it, draftOf(it, EN), EN)).toEqual({});
  expect(wishOf(it, draftOf(it, EN), EN)).toEqual({});
});

test('rules are shown in groups, and a new one among those of the machine', () => {
  expect(groupOf(entry({ rule: 'of-tomorrow' }))).toBe('machine');
  expect(groupOf(entry({ rule: 'stale' }))).toBe('presence');
  const groups = grouped([
    entry({ rule: 'storage', of_hub: true }),
    entry({ rule: 'disk', per: 'disk' }),
  ]);
  expect(groups.map(([group]) => group)).toEqual(['disks', 'hub']);
});

test('a rule is set if any part of it is', () => {
  expect(isSet(entry())).toBe(false);
  expect(isSet(entry({ set: { enabled: false } }))).toBe(true);
});

test('what somebody types stays when something else is stored', () => {
  const before = { limit: '90', time: '5 min' };
  const now = { limit: '80', time: '1 min' };
  expect(rebased({ limit: '95', time: '5 min' }, before, now)).toEqual({
    limit: '95',
    time: '1 min',
  });
});
