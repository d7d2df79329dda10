import type { Columns, Value } from './history';

/**
 * Those subjects of a kind (`container_cpu`) that need most in what is shown, in the order of
 * their names. Whole units count, so that those which do next to nothing do not take turns.
 */
export function busiestOf(columns: Columns, kind: string, max: number): string[] {
  const prefix = `${kind}:`;
  const means = Object.entries(columns.series)
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, { mean }]) => ({ subject: name.slice(prefix.length), mean: meanOf(mean) }));
  return means
    .sort((a, b) => b.mean - a.mean || (a.subject < b.subject ? -1 : 1))
    .slice(0, max)
    .map(({ subject }) => subject)
    .sort();
}

function meanOf(values: readonly Value[]): number {
  const there = values.filter((value) => value !== null);
  return Math.round(there.reduce((sum, value) => sum + value, 0) / Math.max(1, there.length));
}
