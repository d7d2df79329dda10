import { describe, expect, test } from 'vitest';
import type { Channel } from '../api/types';
import {
  addressesIn,
  bodyOf,
  draftOf,
  hoursOf,
  isOvernight,
  lacksOf,
  newDraft,
  portFor,
  runsOf,
} from './channels';
import { WEEKDAYS } from './weekdays';

const MAIL: Channel = {
  id: 'mail',
  name: 'Mail',
  enabled: true,
  kind: 'email',
  host: 'mail.example.org',
  port: 587,
  security: 'start_tls',
  user: 'hub',
  from: 'hub@example.org',
  to: ['ada@example.org'],
  route: { least: 'warning', groups: ['servers'], hours: [], resolved: false },
  has_secret: true,
};

function mailDraft() {
  const draft = draftOf(MAIL);
  if (!draft) throw new Error('mail is known');
  return draft;
}

describe('a change of a channel', () => {
  test('leaves a secret alone that nobody has touched', () => {
    const body = bodyOf(mailDraft(), false);
    expect(body).not.toHaveProperty('password');
    expect(body).not.toHaveProperty('kind');
    expect(body.route).toEqual(MAIL.route);
  });

  test('removes a secret with null and replaces it with what was typed', () => {
    const removed = { ...mailDraft(), secret: { what: 'remove' as const, text: '' } };
    expect(bodyOf(removed, false).password).toBeNull();
    const replaced = { ...mailDraft(), secret: { what: 'set' as const, text: ' new ' } };
    expect(bodyOf(replaced, false).password).toBe('new');
  });

  test('takes back a user that was emptied', () => {
    expect(bodyOf({ ...mailDraft(), user: ' ' }, false).user).toBeNull();
  });

  test('has nothing that its kind has no use for', () => {
    const draft = { ...newDraft('ntfy', 'Phone'), topic: 'netmonitor' };
    expect(Object.keys(bodyOf(draft, true)).sort()).toEqual([
      'kind',
      'name',
      'route',
      'server',
      'topic',
    ]);
  });

  test('takes back the chat of a webhook that is for Telegram no more', () => {
    const draft = { ...newDraft('webhook', 'Chat'), chat: '-100' };
    expect(bodyOf(draft, false).chat).toBeNull();
    expect(bodyOf({ ...draft, format: 'telegram' }, false).chat).toBe('-100');
  });
});

test('a kind that this page does not know has no form', () => {
  expect(draftOf({ ...MAIL, kind: 'unknown' })).toBeUndefined();
});

test('addresses may stand on lines of their own or between commas', () => {
  expect(addressesIn('ada@x.org, bob@x.org\n\n eve@x.org;')).toEqual([
    'ada@x.org',
    'bob@x.org',
    'eve@x.org',
  ]);
});

test('what a form lacks is known before the hub is asked', () => {
  expect([...lacksOf(newDraft('email', ''))]).toEqual(['name', 'host', 'from', 'to']);
  expect([...lacksOf({ ...mailDraft(), port: '0' })]).toEqual(['port']);
  expect([...lacksOf(newDraft('webhook', 'Chat'))]).toEqual(['url']);
  expect([...lacksOf(newDraft('agent', 'Desks'))]).toEqual(['devices']);
  expect([...lacksOf(newDraft('desktop', 'Here'))]).toEqual([]);
});

test('the port follows the protection unless it is one of their own', () => {
  expect(portFor('tls', '587')).toBe('465');
  expect(portFor('none', '2525')).toBe('2525');
});

test('days that follow each other are one run', () => {
  expect(runsOf(['monday', 'tuesday', 'wednesday', 'saturday'])).toEqual([
    ['monday', 'wednesday'],
    ['saturday', 'saturday'],
  ]);
  expect(runsOf([])).toEqual([]);
});

test('all days are sent as none, and the others in the order of the week', () => {
  const times = { from: '22:00', to: '07:00' };
  expect(hoursOf([{ days: ['sunday', 'friday'], ...times }])[0]?.days).toEqual([
    'friday',
    'sunday',
  ]);
  expect(hoursOf([{ days: [...WEEKDAYS], ...times }])[0]?.days).toEqual([]);
});

test('hours that end before they begin end on the next day', () => {
  expect(isOvernight({ from: '22:00', to: '07:00' })).toBe(true);
  expect(isOvernight({ from: '08:00', to: '18:00' })).toBe(false);
});
