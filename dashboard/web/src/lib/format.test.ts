import { describe, expect, test } from 'vitest';
import { en } from '../i18n/en';
import { fr } from '../i18n/fr';
import { createFormat } from './format';

const english = createFormat('en-GB', en.units, 'UTC');
const french = createFormat('fr-FR', fr.units, 'UTC');
const NOON = Date.UTC(2026, 10, 22, 12, 3, 7);

/** Any space as a plain one: which space it is differs between versions of ICU. */
function plain(text: string): string {
  return text.replace(/\s/g, ' ');
}

describe('a whole number that was typed', () => {
  test.each([2000, 10_000_000])('%d is understood as it is shown', (number) => {
    for (const tag of ['en-GB', 'fr-FR', 'fr-CH', 'fr-BE', 'en-CH', 'en-ZA', 'en-IN']) {
      const format = createFormat(tag, en.units);
      expect(format.wholeOf(format.count(number))).toBe(number);
      expect(format.wholeOf(` ${String(number)} `)).toBe(number);
    }
  });

  test.each(['10 000', '10\u00a0000', '10\u202f000', '10000'])('has any space: %j', (text) => {
    expect(english.wholeOf(text)).toBe(10_000);
    expect(french.wholeOf(text)).toBe(10_000);
  });

  test.each(['', ' ', '1,5', '1.5', '-3', '1e3', '0x10', '10,00', '1 2', ',000', 'ten'])(
    'is not %j',
    (text) => {
      expect(english.wholeOf(text)).toBeNaN();
      expect(french.wholeOf(text)).toBeNaN();
    },
  );

  test.each(['1,500', '1.500', '10,000', '10,500,000'])('is not %j in French', (text) => {
    expect(french.wholeOf(text)).toBeNaN();
  });

  test.each(['10 50,000', '10,500 000', '10 50 000', '1 000,000', '1,0000'])(
    'has the same groups and marks everywhere, not %j',
    (text) => {
      expect(english.wholeOf(text)).toBeNaN();
      expect(french.wholeOf(text)).toBeNaN();
    },
  );

  test('has the groups of India there', () => {
    const indian = createFormat('en-IN', en.units);
    expect(indian.wholeOf('10,50,000')).toBe(1_050_000);
    expect(indian.wholeOf('1,050,000')).toBe(1_050_000);
  });
});

describe('sizes', () => {
  test.each([
    [0, '0 B', '0 o'],
    [999, '999 B', '999 o'],
    [1000, '0.98 KiB', '0,98 Kio'],
    [1024, '1.00 KiB', '1,00 Kio'],
    [1536 * 1024, '1.50 MiB', '1,50 Mio'],
    [8 * 1024 ** 3, '8.00 GiB', '8,00 Gio'],
    [1023 * 1024 ** 3, '1.00 TiB', '1,00 Tio'],
    [123.4 * 1024 ** 4, '123 TiB', '123 Tio'],
  ])('%d bytes have three significant figures and a binary unit', (bytes, inEnglish, inFrench) => {
    expect(plain(english.bytes(bytes))).toBe(inEnglish);
    expect(plain(french.bytes(bytes))).toBe(inFrench);
  });

  test('an estimate is in the units of disks, with two figures', () => {
    expect(english.about(337_400_000)).toBe('340\u202fMB');
    expect(english.about(1_247_000_000)).toBe('1.2\u202fGB');
    expect(english.about(998_000_000)).toBe('1\u202fGB');
    expect(english.about(20)).toBe('1\u202fMB');
    expect(french.about(1_247_000_000)).toBe('1,2\u202fGo');
  });

  test('every byte is there for those who ask', () => {
    expect(plain(english.bytesExact(8_589_934_592))).toBe('8,589,934,592 B');
    expect(plain(french.bytesExact(8_589_934_592))).toBe('8 589 934 592 o');
  });

  test('a rate says per second, on an axis without needless figures', () => {
    expect(plain(english.rate(2 * 1024 ** 2))).toBe('2.00 MiB/s');
    expect(plain(french.rateShort(2 * 1024 ** 2))).toBe('2 Mio/s');
  });
});

describe('percentages', () => {
  test.each([
    [0, '0.0 %'],
    [7.25, '7.3 %'],
    [96.04, '96.0 %'],
    [99.94, '99.9 %'],
    [99.96, '100 %'],
    [100, '100 %'],
  ])('%d has at most three figures', (value, text) => {
    expect(plain(english.percent(value))).toBe(text);
  });

  test('French has a comma', () => {
    expect(plain(french.percent(7.3))).toBe('7,3 %');
  });
});

describe('durations', () => {
  test.each([
    [0, '0 s', '0 s'],
    [59.9, '59 s', '59 s'],
    [60, '1 min', '1 min'],
    [3599, '59 min', '59 min'],
    [3600, '1 h', '1 h'],
    [7500, '2 h 5 min', '2 h 5 min'],
    [90_000, '1 d 1 h', '1 j 1 h'],
    [40.6 * 86_400, '40 d', '40 j'],
    [-5, '0 s', '0 s'],
  ])('%d seconds', (secs, inEnglish, inFrench) => {
    expect(plain(english.duration(secs))).toBe(inEnglish);
    expect(plain(french.duration(secs))).toBe(inFrench);
  });

  test('a moment ago is now', () => {
    expect(english.ago(3)).toBe('just now');
    expect(plain(english.ago(240))).toBe('4 min ago');
    expect(plain(french.ago(240))).toBe('il y a 4 min');
  });
});

describe('times', () => {
  test('are on a 24 hour clock in both languages', () => {
    expect(english.clock(NOON)).toBe('12:03');
    expect(french.clockSeconds(NOON)).toBe('12:03:07');
  });

  test('name the day only where it is another one', () => {
    expect(english.moment(NOON, NOON + 3_600_000)).toBe('12:03');
    expect(plain(english.moment(NOON, NOON + 86_400_000))).toBe('22 Nov, 12:03');
  });

  test('are exact in the tooltip, with the zone', () => {
    expect(english.exact(NOON)).toMatch(/2026.*12:03:07.*UTC/);
    expect(french.exact(NOON)).toMatch(/novembre 2026.*12:03:07.*UTC/);
  });
});
