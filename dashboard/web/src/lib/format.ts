/** Words for units, from the catalogue of a language. */
export interface Units {
  /** From bytes upwards, in steps of 1024. */
  bytes: readonly string[];
  /** From megabytes upwards, in steps of 1000: as cards and disks are sold. */
  decimal: readonly string[];
  perSecond: (amount: string) => string;
  /** Revolutions per minute. */
  rpm: string;
  second: string;
  minute: string;
  hour: string;
  day: string;
  ago: (duration: string) => string;
  justNow: string;
}

/** Narrow no-break space: between a number and its unit. */
const NNBSP = '\u202f';

/** What stands where there is nothing to show. */
export const DASH = '–';

export type Format = ReturnType<typeof createFormat>;

/**
 * What a whole number looks like: figures, or groups of them with the mark of the language between
 * them, or a space, the same everywhere. The mark of another language may be a decimal one here.
 */
function wholeNumberIn(format: Intl.NumberFormat): RegExp {
  const parts = format.formatToParts(10_000_000);
  const mark = parts.find(({ type }) => type === 'group')?.value.replace(/[^,.'’]/g, '') ?? '';
  // India has groups of two before the last.
  const hasPairs = parts.filter(({ type }) => type === 'integer')[1]?.value.length === 2;
  const group = hasPairs ? '\\d{2,3}' : '\\d{3}';
  return new RegExp(`^(?:\\d+|\\d{1,3}([ ${mark}])(?:${group}\\1)*\\d{3})$`);
}

/** Numbers, sizes and times in one language. `tag` is a BCP 47 tag such as `fr-BE`. */
export function createFormat(tag: string, units: Units, timeZone?: string) {
  const zone = timeZone === undefined ? {} : { timeZone };
  const significant = new Intl.NumberFormat(tag, { maximumSignificantDigits: 3 });
  const rough = new Intl.NumberFormat(tag, { maximumSignificantDigits: 2 });
  const sized = new Intl.NumberFormat(tag, {
    minimumSignificantDigits: 3,
    maximumSignificantDigits: 3,
  });
  const hundredth = new Intl.NumberFormat(tag, {
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  });
  const whole = new Intl.NumberFormat(tag, { maximumFractionDigits: 0 });
  const wholeNumber = wholeNumberIn(whole);
  const tenth = new Intl.NumberFormat(tag, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const hours = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
  const clock = new Intl.DateTimeFormat(tag, { ...hours, ...zone });
  const clockSeconds = new Intl.DateTimeFormat(tag, { ...hours, second: '2-digit', ...zone });
  const day = new Intl.DateTimeFormat(tag, { day: 'numeric', month: 'short', ...zone });
  const dayClock = new Intl.DateTimeFormat(tag, {
    day: 'numeric',
    month: 'short',
    ...hours,
    ...zone,
  });
  const full = new Intl.DateTimeFormat(tag, {
    dateStyle: 'full',
    timeStyle: 'long',
    hourCycle: 'h23',
    ...zone,
  });

  function scaled(bytes: number): [number, string] {
    let value = bytes;
    let unit = 0;
    // 1000 and not 1024, so that there are never four figures before the unit.
    while (Math.abs(value) >= 999.5 && unit < units.bytes.length - 1) {
      value /= 1024;
      unit += 1;
    }
    return [value, units.bytes[unit] ?? ''];
  }

  function bytes(count: number): string {
    const [value, unit] = scaled(count);
    // 0.993 would be a figure wider than any other amount.
    const format = unit === units.bytes[0] ? whole : value < 1 ? hundredth : sized;
    return format.format(value) + NNBSP + unit;
  }

  /** For an axis, where `4 MiB` says as much as `4.00 MiB`. */
  function bytesShort(count: number): string {
    const [value, unit] = scaled(count);
    return significant.format(value) + NNBSP + unit;
  }

  /** Two figures, because it is an estimate. */
  function about(count: number): string {
    const last = units.decimal.length - 1;
    let [value, unit] = [Math.max(count / 1e6, 1), 0];
    while (value >= 995 && unit < last) {
      value /= 1000;
      unit += 1;
    }
    return rough.format(value) + NNBSP + (units.decimal[unit] ?? '');
  }

  /** The whole number in a text, in groups or not; NaN if it is none. */
  function wholeOf(text: string): number {
    const plain = text.trim().replace(/\s/g, ' ');
    return wholeNumber.test(plain) ? Number(plain.replace(/\D/g, '')) : Number.NaN;
  }

  function duration(secs: number): string {
    const part = (value: number, unit: string) => whole.format(value) + NNBSP + unit;
    const total = Math.max(0, Math.floor(secs));
    const [minutes, hoursPast, days] = [
      Math.floor(total / 60),
      Math.floor(total / 3600),
      Math.floor(total / 86400),
    ];
    if (minutes < 1) return part(total, units.second);
    if (hoursPast < 1) return part(minutes, units.minute);
    if (days < 1) {
      const rest = minutes - hoursPast * 60;
      return part(hoursPast, units.hour) + (rest ? ' ' + part(rest, units.minute) : '');
    }
    const rest = hoursPast - days * 24;
    return part(days, units.day) + (rest && days < 10 ? ' ' + part(rest, units.hour) : '');
  }

  return {
    /** Three significant figures, no unit. */
    number: (value: number) =>
      Math.abs(value) >= 100 ? whole.format(value) : significant.format(value),
    load: (value: number) => hundredth.format(value),
    count: (value: number) => whole.format(value),
    wholeOf,
    /** `7.3 %`, `96.0 %`, `100 %`: never more than three figures. */
    percent: (value: number) => (value >= 99.95 ? whole : tenth).format(value) + NNBSP + '%',
    /** `96 %`: in sentences. */
    percentWhole: (value: number) => whole.format(value) + NNBSP + '%',
    celsius: (value: number) => (value >= 99.95 ? whole : tenth).format(value) + NNBSP + '°C',
    celsiusWhole: (value: number) => whole.format(value) + NNBSP + '°C',
    rpm: (value: number) => whole.format(value) + NNBSP + units.rpm,
    watts: (value: number) => significant.format(value) + NNBSP + 'W',
    dbm: (value: number) => whole.format(value) + NNBSP + 'dBm',
    /** Speed of a link, in steps of 1000 as it is sold: `100 Mbit/s`, `2.5 Gbit/s`. */
    linkSpeed: (mbit: number) =>
      mbit < 1000
        ? whole.format(mbit) + NNBSP + 'Mbit/s'
        : significant.format(mbit / 1000) + NNBSP + 'Gbit/s',
    bytes,
    bytesShort,
    about,
    /** Every byte, for the tooltip. */
    bytesExact: (count: number) => whole.format(count) + NNBSP + (units.bytes[0] ?? ''),
    rate: (perSecond: number) => units.perSecond(bytes(perSecond)),
    rateShort: (perSecond: number) => units.perSecond(bytesShort(perSecond)),
    duration,
    /** `4 min ago`. */
    ago: (secs: number) => (secs < 5 ? units.justNow : units.ago(duration(secs))),
    clock: (time: number) => clock.format(time),
    clockSeconds: (time: number) => clockSeconds.format(time),
    /** The time, with the day where it is not today's. */
    moment: (time: number, now: number) =>
      (day.format(time) === day.format(now) ? clock : dayClock).format(time),
    day: (time: number) => day.format(time),
    dayClock: (time: number) => dayClock.format(time),
    /** Date, time and zone, for the tooltip. */
    exact: (time: number) => full.format(time),
  };
}
