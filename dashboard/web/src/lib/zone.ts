/** Times as the clock on a wall says them, `2026-12-01T14:00`, in the time zone where it hangs. */

const WALL = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/;
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatIn(zone: string): Intl.DateTimeFormat {
  let format = FORMATS.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    FORMATS.set(zone, format);
  }
  return format;
}

/** The zone of this browser. */
export function ownZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Whether this browser knows the zone. */
export function isZone(zone: string): boolean {
  try {
    formatIn(zone);
    return true;
  } catch {
    return false;
  }
}

/** What the clock shows at a moment, to the minute. */
export function wallAt(time: number, zone: string): string {
  const parts = new Map(
    formatIn(zone)
      .formatToParts(time)
      .map((part) => [part.type, part.value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  return `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}T${part('hour')}:${part('minute')}`;
}

/** A reading of the clock as if it hung in Greenwich; NaN where it is none. */
const asUtc = (wall: string) => (WALL.test(wall) ? Date.parse(`${wall}:00Z`) : Number.NaN);

/** The moment at which the clock shows this. In the hour that is left out in spring: the one after. */
export function momentOf(wall: string, zone: string): number {
  const read = asUtc(wall);
  if (Number.isNaN(read)) return Number.NaN;
  const offset = (time: number) => asUtc(wallAt(time, zone)) - Math.floor(time / 60_000) * 60_000;
  const first = read - offset(read);
  const second = read - offset(first);
  return wallAt(second, zone) === wall ? second : Math.max(first, second);
}

/** Whether the clocks of both zones show the same at a moment. */
export function isSameClock(a: string, b: string, time: number): boolean {
  return wallAt(time, a) === wallAt(time, b);
}

/** So many days after that of a clock's reading: the date alone. */
export function dateAfter(wall: string, days: number): string {
  return new Date(asUtc(wall.slice(0, 16)) + days * 864e5).toISOString().slice(0, 10);
}

/** The day of the week of a clock's reading, Monday being 0. */
export function weekdayOf(wall: string): number {
  return (new Date(asUtc(wall)).getUTCDay() + 6) % 7;
}
