import type { RuleEntry, RuleUnit, RuleValues } from '../../api/types';
import { inTyped, writeDuration, writeNumber, type Writing } from '../../lib/rules';
import type { Words } from '../words';

/** How the reader's language writes what is typed into a rule. */
export function writingOf({ t, f }: Words): Writing {
  const { second, minute, hour, day } = t.units;
  return { decimal: f.number(1.5).replace(/\d/g, ''), second, minute, hour, day };
}

/** A limit or a clear level with its unit: `90 %`. */
export function levelText(value: number, unit: RuleUnit | undefined, words: Words): string {
  const { rules } = words.t;
  const typed = inTyped(unit, value);
  const amount = writeNumber(typed, writingOf(words));
  if (unit === 'number') return rules.perCore(amount);
  if (unit === 'days') return rules.days(typed, amount);
  if (unit === 'seconds') return writeDuration(value, writingOf(words));
  return unit === undefined ? amount : `${amount}\u202f${rules.units[unit]}`;
}

/** When a rule fires: `above 90 % for 5 min`. */
export function whenText(
  { rule, unit, below }: Pick<RuleEntry, 'rule' | 'unit' | 'below'>,
  values: RuleValues,
  words: Words,
): string {
  const { rules } = words.t;
  const time =
    values.for_secs === 0
      ? rules.atOnce
      : rules.lasting(writeDuration(values.for_secs, writingOf(words)));
  if (typeof values.limit !== 'number') {
    const state = rules.states[rule];
    return state === undefined ? time : `${state} ${time}`;
  }
  const level = levelText(values.limit, unit, words);
  const beyond = (rules.beyond[rule] ?? (below ? rules.under : rules.above))(level);
  return values.for_secs === 0 ? beyond : `${beyond} ${time}`;
}

export function nameOf(rule: string, { t }: Words): string {
  return t.rules.names[rule] ?? rule;
}
