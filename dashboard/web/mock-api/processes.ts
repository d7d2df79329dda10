/** The processes of the invented machines, while someone looks. */
import type { ProcessList } from '../src/api/types.ts';

const MIB = 1024 ** 2;

const PROCESSES: readonly [name: string, cpu: number, memory: number][] = [
  ['jellyfin', 18.2, 890],
  ['postgres', 3.1, 310],
  ['apache2', 2.4, 180],
  ['smbd', 1.7, 44],
  ['netmonitor-agen', 0.2, 7],
  ['systemd-journal', 0.2, 61],
  ['dockerd', 0.6, 132],
  ['containerd', 0.4, 58],
  ['redis-server', 0.3, 12],
  ['caddy', 0.9, 38],
  ['sshd', 0, 9],
  ['cron', 0, 3],
  ['md0_raid1', 1.1, 0],
];

/** The agent of this machine is too old to tell. */
const SILENT = 'router';
const FOR_MS = 60_000;

const watched = new Map<string, number>();

export function watch(id: string, now: number): void {
  if (id !== SILENT) watched.set(id, now + FOR_MS);
}

export function isWatched(id: string, now: number): boolean {
  return (watched.get(id) ?? 0) > now;
}

/** Somebody has just looked at each that tells. */
export function lastProcesses(id: string, now: number): ProcessList {
  return id === SILENT ? { items: [] } : processesAt(now);
}

export function processesAt(time: number): ProcessList {
  const items = PROCESSES.map(([name, cpu, memory], at) => ({
    pid: 400 + at * 137,
    name,
    cpu_percent: Math.round(cpu * (8 + ((time / 3000 + at * 7) % 5)) * 0.1 * 10) / 10,
    memory_bytes: Math.round(memory * MIB),
  }));
  return { items, at: new Date(time).toISOString(), total: 214 };
}
