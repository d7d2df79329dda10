import { expect, test } from 'vitest';
import { en } from './en';
import { fr } from './fr';
import { pluralIn } from './plural';

/** The names of all messages: `menu.theme`. */
function keys(value: object, path = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? keys(inner as object, `${path}${key}.`)
      : [path + key],
  );
}

test('French has every message, also those that the type leaves open', () => {
  expect(keys(fr)).toEqual(keys(en));
});

test('zero is singular in French and plural in English', () => {
  const forms = { one: 'one', other: 'other' };
  expect(pluralIn('fr')(0, forms)).toBe('one');
  expect(pluralIn('en')(0, forms)).toBe('other');
  // A form that a language has and the catalogue does not is the general one.
  expect(pluralIn('fr')(1_000_000, forms)).toBe('other');
});

test('French has a no-break space before its signs', () => {
  const texts = [
    ...Object.values(fr.setup).filter((text) => typeof text === 'string'),
    fr.add.paste,
    fr.headline.needYou(2, 3),
    fr.errors.server('x'),
    fr.login.forgotten,
  ];
  for (const text of texts) expect(text).not.toMatch(/[^\u00a0\u202f][;:?!»](\s|$)/);
});
