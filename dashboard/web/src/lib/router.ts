/** The pages of the UI. */
export type Route =
  | { page: 'fleet' }
  | { page: 'device'; id: string }
  | { page: 'settings' }
  | { page: 'login' }
  | { page: 'setup' }
  | { page: 'unknown' };

export function routeOf(path: string): Route {
  if (path === '/') return { page: 'fleet' };
  if (path === '/settings') return { page: 'settings' };
  if (path === '/login') return { page: 'login' };
  if (path === '/setup') return { page: 'setup' };
  const id = /^\/devices\/([^/]+)\/?$/.exec(path)?.[1];
  if (id === undefined) return { page: 'unknown' };
  try {
    return { page: 'device', id: decodeURIComponent(id) };
  } catch {
    return { page: 'unknown' };
  }
}

export function deviceHref(id: string): string {
  return `/devices/${encodeURIComponent(id)}`;
}

/** Where to go after a login: a page of ours, never another site. */
export function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/';
}
