import type { Device, Trouble } from '../api/types';

/** Everything that is wrong with a device. One that is offline says so even if the hub only gave the status. */
export function troublesOf(device: Device): Trouble[] {
  const offline = device.troubles.some((trouble) => trouble.kind === 'offline');
  if (device.status === 'offline' && !offline) return [{ kind: 'offline' }, ...device.troubles];
  return device.troubles;
}

/** How a device is, in one word: what its card shows by colour, icon and word. */
export type Condition = 'well' | 'trouble' | 'offline' | 'unknown';

export function conditionOf(device: Device): Condition {
  if (device.status === 'offline') return 'offline';
  if (troublesOf(device).length > 0) return 'trouble';
  return device.status === 'unknown' ? 'unknown' : 'well';
}

export function troubleIn(device: Device, kind: Trouble['kind']): Trouble | undefined {
  return device.troubles.find((trouble) => trouble.kind === kind);
}

/** Who needs someone comes first, then by name, so that cards move only when a state changes. */
export function inOrder(devices: Iterable<Device>, language: string): Device[] {
  const names = new Intl.Collator(language, { numeric: true, sensitivity: 'base' });
  const rank = (device: Device) => {
    const condition = conditionOf(device);
    return condition === 'well' ? 2 : condition === 'unknown' ? 1 : 0;
  };
  return [...devices].sort(
    (a, b) => rank(a) - rank(b) || names.compare(a.name, b.name) || (a.id < b.id ? -1 : 1),
  );
}

/** The fullest disk of the machine itself: the one that the card shows. */
export function fullestDisk(device: Device) {
  const disks = (device.metrics?.disks ?? []).filter((disk) => disk.remote !== true);
  return disks.reduce<(typeof disks)[number] | undefined>(
    (fullest, disk) =>
      fullest && (fullest.used_percent ?? 0) >= (disk.used_percent ?? 0) ? fullest : disk,
    undefined,
  );
}

/** `nginx.service` is `nginx` to everybody; other kinds of units keep their ending. */
export function shortName(service: string): string {
  return service.replace(/\.service$/, '');
}
