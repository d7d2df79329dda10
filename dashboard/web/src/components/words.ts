import type { Device, Trouble } from '../api/types';
import type { Messages } from '../i18n/en';
import type { Format } from '../lib/format';
import { shortName } from '../lib/troubles';

/** The language that things are put into. */
export interface Words {
  t: Messages;
  f: Format;
}

/**
 * Seconds since a device went, or since its last sample if it is still connected, by the hub's
 * clock; `undefined` where nobody knows.
 */
export function goneFor(device: Device, now: number): number | undefined {
  const since =
    device.status === 'stale'
      ? (device.last_seen ?? device.since)
      : (device.since ?? device.last_seen);
  return since === undefined ? undefined : Math.max(0, (now - Date.parse(since)) / 1000);
}

/** One trouble in a sentence about a device: `disk /srv 96 %`. */
export function troubleText(trouble: Trouble, device: Device, { t, f }: Words): string {
  const value = trouble.value === undefined ? '' : f.percentWhole(trouble.value);
  switch (trouble.kind) {
    case 'offline':
      return t.trouble.offline;
    case 'stale':
      return t.trouble.stale;
    case 'cpu':
      return t.trouble.cpu(value);
    case 'ram':
      return t.trouble.ram(value);
    case 'disk':
      // The root needs no name.
      return t.trouble.disk(value, trouble.subject === '/' ? undefined : trouble.subject);
    case 'services': {
      const names = (device.services?.failed_names ?? []).map(shortName);
      if (names.length > 0) return t.trouble.services(names);
      return t.trouble.servicesCount(device.services?.failed ?? 1);
    }
  }
}

/** What follows the name of a device in the headline: ` offline for 4 min`, `: disk 96 %`. */
export function needText(
  device: Device,
  troubles: readonly Trouble[],
  now: number,
  words: Words,
): string {
  const { t, f } = words;
  const gone = goneFor(device, now);
  if (device.status === 'offline') {
    return gone === undefined ? t.headline.offline : t.headline.offlineFor(f.duration(gone));
  }
  if (device.status === 'stale' && gone !== undefined) {
    return t.headline.staleFor(f.duration(gone));
  }
  const list = troubles.map((trouble) => troubleText(trouble, device, words)).join(', ');
  return t.headline.troubles(list);
}
