/** The parts of the settings. */
export const SETTINGS_PARTS = ['history', 'rules', 'channels', 'access'] as const;
export type SettingsPart = (typeof SETTINGS_PARTS)[number];

/** The pages of the UI. */
export type Route =
  | { page: 'fleet' }
  | { page: 'alerts' }
  | { page: 'log' }
  | { page: 'device'; id: string }
  | { page: 'deviceSettings'; id: string }
  | { page: 'settings'; part: SettingsPart }
  | { page: 'login' }
  | { page: 'setup' }
  | { page: 'unknown' };

const PAGES: Record<string, Route> = {
  '/': { page: 'fleet' },
  '/alerts': { page: 'alerts' },
  '/log': { page: 'log' },
  '/settings': { page: 'settings', part: 'history' },
  '/login': { page: 'login' },
  '/setup': { page: 'setup' },
};

export function routeOf(path: string): Route {
  const page = PAGES[path];
  if (page) return page;
  const part = SETTINGS_PARTS.find((known) => path === settingsHref(known));
  if (part) return { page: 'settings', part };
  const [, id, settings] = /^\/devices\/([^/]+?)\/?(\/settings)?$/.exec(path) ?? [];
  if (id === undefined) return { page: 'unknown' };
  try {
    return {
      page: settings === undefined ? 'device' : 'deviceSettings',
      id: decodeURIComponent(id),
    };
  } catch {
    return { page: 'unknown' };
  }
}

export function deviceHref(id: string): string {
  return `/devices/${encodeURIComponent(id)}`;
}

export function deviceSettingsHref(id: string): string {
  return `${deviceHref(id)}/settings`;
}

export function settingsHref(part: SettingsPart): string {
  return part === 'history' ? '/settings' : `/settings/${part}`;
}

/** Where to go after a login: a page of ours, never another site. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/';
}
