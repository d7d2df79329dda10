import { createFormat } from '../lib/format';
import { recall, remember } from '../lib/memory';
import { en, type Messages } from './en';
import { fr } from './fr';

export const LOCALES = ['en', 'fr'] as const;
export type Locale = (typeof LOCALES)[number];

const CATALOGUES: Record<Locale, Messages> = { en, fr };

/** The browser's first language that we speak, else English. */
export function preferred(languages: readonly string[]): Locale {
  for (const language of languages) {
    const found = LOCALES.find((locale) => language.toLowerCase().split('-')[0] === locale);
    if (found) return found;
  }
  return 'en';
}

/** How this reader writes numbers and dates: with their region, if the browser names one. */
export function tagOf(locale: Locale, languages: readonly string[]): string {
  const own = languages.find((language) => language.toLowerCase().startsWith(`${locale}-`));
  return own ?? (locale === 'en' ? 'en-GB' : 'fr-FR');
}

class Language {
  /** What the reader chose; `null` follows the browser. */
  chosen = $state<Locale | null>(null);
  locale = $derived(this.chosen ?? preferred(navigator.languages));
  /** The messages of the language. */
  t = $derived(CATALOGUES[this.locale]);
  /** Numbers and times in the language. */
  f = $derived(createFormat(tagOf(this.locale, navigator.languages), this.t.units));

  constructor() {
    const known = recall('locale');
    this.chosen = LOCALES.find((locale) => locale === known) ?? null;
  }

  choose(locale: Locale): void {
    this.chosen = locale;
    remember('locale', locale);
  }
}

export const i18n = new Language();

/** The name of each language, in itself. */
export const LANGUAGE_NAMES: Record<Locale, string> = { en: en.name, fr: fr.name };
