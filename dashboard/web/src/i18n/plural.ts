type Forms = { one: string; other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** Chooses the form of a language for a number: `plural(2, { one: 'day', other: 'days' })`. */
export function pluralIn(language: string): (count: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  return (count, forms) => forms[rules.select(count)] ?? forms.other;
}
