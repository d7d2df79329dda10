import type { Process } from '../api/types';

/** By what processes are put in order. */
export type ProcessColumn = 'name' | 'pid' | 'cpu' | 'memory';

/** What can be shown of a device's processes. */
export type ProcessState = 'shown' | 'waiting' | 'silent' | 'offline';

/** An agent that is new enough has answered by then. */
const ANSWERS_WITHIN_MS = 15_000;
/** What is older tells nothing about now; the hub forgets it as well. */
const NEW_FOR_MS = 120_000;

/** `at`: when the last list came; `asked`: since when someone looks. */
export function processState(
  isOffline: boolean,
  at: number | undefined,
  asked: number | undefined,
  now: number,
): ProcessState {
  if (isOffline) return 'offline';
  if (at !== undefined && now - at < NEW_FOR_MS) return 'shown';
  return asked === undefined || now - asked < ANSWERS_WITHIN_MS ? 'waiting' : 'silent';
}

/** What needs most comes first, names go from A to Z. */
export function sorted(processes: readonly Process[], by: ProcessColumn): Process[] {
  const rank: Record<ProcessColumn, (a: Process, b: Process) => number> = {
    name: (a, b) => compare(a.name.toLowerCase(), b.name.toLowerCase()),
    pid: (a, b) => a.pid - b.pid,
    cpu: (a, b) => (b.cpu_percent ?? -1) - (a.cpu_percent ?? -1),
    memory: (a, b) => b.memory_bytes - a.memory_bytes,
  };
  return [...processes].sort((a, b) => rank[by](a, b) || a.pid - b.pid);
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
