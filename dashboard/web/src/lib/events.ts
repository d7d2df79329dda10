import type { Event } from '../api/types';

/**
 * Names an event. Those of the stream have no number yet: they come before they are stored, and
 * come again, with one, from the log.
 */
export function eventKey(event: Event): string {
  const { kind, device = '', actor = '', parameters } = event;
  const names = Object.keys(parameters).sort();
  const told = names.map((name) => [name, parameters[name]]);
  return [Date.parse(event.time), kind, device, actor, JSON.stringify(told)].join(' ');
}

/** Both lists as one, each event once, newest first, at most `most`. */
export function mergeEvents(a: readonly Event[], b: readonly Event[], most: number): Event[] {
  const known = new Map([...a, ...b].map((event) => [eventKey(event), event]));
  return [...known.values()]
    .sort((x, y) => Date.parse(y.time) - Date.parse(x.time) || (y.id ?? 0) - (x.id ?? 0))
    .slice(0, most);
}
