import { recall, remember } from '../lib/memory';

export const THEMES = ['system', 'light', 'dark'] as const;
export type ThemeName = (typeof THEMES)[number];

/** The theme that the reader chose, and whether dark is what shows. */
class Theme {
  chosen = $state<ThemeName>('system');
  #system = $state(false);
  dark = $derived(this.chosen === 'system' ? this.#system : this.chosen === 'dark');

  constructor() {
    const known = recall('theme');
    this.chosen = THEMES.find((name) => name === known) ?? 'system';
    const query = matchMedia('(prefers-color-scheme: dark)');
    this.#system = query.matches;
    query.addEventListener('change', () => {
      this.#system = query.matches;
    });
  }

  choose(name: ThemeName): void {
    remember('theme', name === 'system' ? null : name);
    if (name === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = name;
    this.chosen = name;
  }
}

export const theme = new Theme();
