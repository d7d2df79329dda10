import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('./app.css', import.meta.url), 'utf8');

/** The colours that a rule sets, by the names of the tokens. */
function tokensOf(selector: string): Map<string, string> {
  const start = css.indexOf(`${selector} {`);
  const block = css.slice(start, css.indexOf('}', start));
  return new Map(
    [...block.matchAll(/(--[\w-]+): (#[0-9a-f]{6});/g)].map(([, name = '', color = '']) => [
      name,
      color,
    ]),
  );
}

function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

const THEMES = {
  light: tokensOf(':root'),
  dark: tokensOf(":root[data-theme='dark']"),
  'dark by preference': tokensOf(":root:not([data-theme='light'])"),
};

describe.each(Object.entries(THEMES))('in the theme %s', (_name, tokens) => {
  const of = (name: string) => tokens.get(name) ?? '';

  test.each([
    ['--text', '--bg'],
    ['--text', '--surface'],
    ['--text', '--trouble-soft'],
    ['--text', '--attention-soft'],
    ['--muted', '--bg'],
    ['--muted', '--surface'],
    ['--muted', '--sunken'],
    ['--muted', '--trouble-soft'],
    ['--accent', '--surface'],
    ['--accent-text', '--accent'],
    ['--trouble', '--surface'],
    ['--trouble', '--bg'],
    ['--trouble', '--trouble-soft'],
    ['--attention', '--surface'],
    ['--attention', '--attention-soft'],
    ['--well', '--surface'],
    ['--unknown', '--surface'],
  ])('%s is legible on %s', (ink, paper) => {
    expect(contrast(of(ink), of(paper))).toBeGreaterThanOrEqual(4.5);
  });

  test.each([1, 2, 3, 4, 5, 6])('line %d of a chart stands out', (number) => {
    expect(contrast(of(`--series-${String(number)}`), of('--surface'))).toBeGreaterThanOrEqual(3);
  });
});

test('both ways to be dark are the same', () => {
  expect(THEMES['dark by preference']).toEqual(THEMES.dark);
});
