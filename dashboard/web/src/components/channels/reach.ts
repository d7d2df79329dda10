import type { Channel, Device, WeeklyHours } from '../../api/types';
import { runsOf } from '../../lib/channels';
import type { Messages } from '../../i18n/en';

/** Names beyond these are only counted. */
const NAMES = 3;

function several(names: readonly string[], t: Messages): string {
  const shown = names.slice(0, NAMES).join(', ');
  return t.channels.row.devices(shown, Math.max(0, names.length - NAMES));
}

/** Where a channel leads, in words. */
export function reachOf(
  channel: Channel,
  devices: ReadonlyMap<string, Device>,
  t: Messages,
): string {
  const { row } = t.channels;
  switch (channel.kind) {
    case 'email':
      return row.via(several(channel.to ?? [], t), channel.host ?? '');
    case 'webhook':
      return channel.url_host ?? row.noAddress;
    case 'ntfy':
      return row.topic(channel.topic ?? '', channel.server ?? '');
    case 'agent':
      return several(
        (channel.devices ?? []).map((id) => devices.get(id)?.name ?? id),
        t,
      );
    case 'desktop':
      return row.hub;
    default:
      return t.common.none;
  }
}

/** `Mon–Fri 18:00–08:00`. */
export function hoursText({ days, from, to }: WeeklyHours, t: Messages): string {
  const { hours } = t.channels;
  const { short } = t.weekdays;
  const runs = runsOf(days ?? []).map(([first, last]) =>
    first === last ? short[first] : hours.run(short[first], short[last]),
  );
  const when = runs.length > 0 ? runs.join(', ') : hours.everyDay;
  return from === to ? hours.wholeDay(when) : hours.span(when, from, to);
}

/** What a channel is told, one thing a part. */
export function routeParts({ route }: Channel, t: Messages): string[] {
  const { row } = t.channels;
  const least = route.least === 'warning' || route.least === 'critical' ? route.least : 'info';
  const groups = route.groups ?? [];
  const hours = route.hours ?? [];
  return [
    row.least[least],
    groups.length > 0 ? row.groups(groups.join(', '), groups.length) : row.allDevices,
    hours.length > 0 ? hours.map((one) => hoursText(one, t)).join('; ') : row.anyTime,
    (route.resolved ?? true) ? row.ends : row.noEnds,
  ];
}
