import { routeOf } from '../lib/router';

/** The address of the page: the only place where the state of the view is kept. */
class Location {
  #url = $state.raw(new URL(window.location.href));
  path = $derived(this.#url.pathname);
  search = $derived(this.#url.searchParams);
  route = $derived(routeOf(this.path));
  full = $derived(this.#url.pathname + this.#url.search);

  constructor() {
    window.addEventListener('popstate', () => {
      this.#url = new URL(window.location.href);
    });
    document.addEventListener('click', (event) => {
      this.#follow(event);
    });
  }

  go(to: string, how: 'push' | 'replace' = 'push'): void {
    const before = this.#url.pathname;
    if (how === 'push') history.pushState(null, '', to);
    else history.replaceState(null, '', to);
    this.#url = new URL(window.location.href);
    if (this.#url.pathname !== before) window.scrollTo(0, 0);
  }

  /** Clicks on our own links stay in the page. */
  #follow(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = (event.target as Element).closest('a');
    if (!link || link.target || link.origin !== window.location.origin) return;
    // The fragment of this page, and what the hub serves itself.
    if (link.hash || link.pathname.startsWith('/api/')) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const location = new Location();
