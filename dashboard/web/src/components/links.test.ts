import { expect, test } from 'vitest';
import type { NetworkUse } from '../api/types';
import { en } from '../i18n/en';
import { createFormat } from '../lib/format';
import { linkParts } from './links';

const WORDS = { t: en, f: createFormat('en-GB', en.units, 'UTC') };

function check(use: Partial<NetworkUse>, expected: string) {
  const parts = linkParts({ interface: 'e', received_bytes: 1, sent_bytes: 1, ...use }, WORDS);
  expect(
    parts
      .map(({ text }) => text)
      .join(' · ')
      .replaceAll('\u202f', ' '),
  ).toBe(expected);
}

test('an interface says how its link is, and nothing that it does not know', () => {
  check({}, '');
  check({ link: true, link_mbit_per_sec: 100 }, '100 Mbit/s');
  check({ link: true, link_mbit_per_sec: 2500 }, '2.5 Gbit/s');
  check({ link: true, signal_dbm: -61 }, 'signal -61 dBm');
});

test('without a link there is neither speed nor signal', () => {
  check({ link: false, link_mbit_per_sec: 10, signal_dbm: -90 }, 'no link');
});

test('errors in both directions are counted together', () => {
  check({ receive_errors: 1 }, '1 error');
  check({ receive_errors: 1, send_errors: 2, dropped: 3 }, '3 errors · 3 dropped');
});
