/** Where the page is: the address bar as state. Links are plain `<a href>`; one listener turns them into moves. */

const read = () => ({ path: location.pathname, search: location.search, query: new URLSearchParams(location.search) });

const state = $state<{ path: string; search: string; query: URLSearchParams }>(read());

export const router = {
  get path(): string {
    return state.path;
  },
  get query(): URLSearchParams {
    return state.query;
  },
  /** What stands behind the path, as it was written. */
  get search(): string {
    return state.search;
  },
  param(name: string): string {
    return state.query.get(name) ?? '';
  },
};

function sync(): void {
  const next = read();
  state.path = next.path;
  state.search = next.search;
  state.query = next.query;
}

export function go(to: string, options: { replace?: boolean } = {}): void {
  if (to === location.pathname + location.search) return;
  history[options.replace ? 'replaceState' : 'pushState'](null, '', to);
  sync();
}

/** The same path with other query values; empty ones are left out. */
export function setQuery(values: Record<string, string | null | undefined>, replace = true): void {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(values)) {
    if (value) query.set(key, value);
    else query.delete(key);
  }
  const text = query.toString();
  go(location.pathname + (text ? `?${text}` : ''), { replace });
}

/** A query without some of its values; the rest stays as it was written, letter by letter. */
export function withoutParams(search: string, ...names: string[]): string {
  const pairs = search.replace(/^\?/, '').split('&');
  const kept = pairs.filter((pair) => pair !== '' && ![...new URLSearchParams(pair).keys()].some((name) => names.includes(name)));
  return kept.length > 0 ? `?${kept.join('&')}` : '';
}

export function dropParams(...names: string[]): void {
  go(location.pathname + withoutParams(location.search, ...names), { replace: true });
}

/** The document's place as an address of the viewer. */
export function viewerHref(place: { document: string; start?: number; end?: number; page?: number | null }): string {
  const query = new URLSearchParams();
  if (place.start !== undefined) query.set('start', String(place.start));
  if (place.end !== undefined) query.set('end', String(place.end));
  if (place.page) query.set('page', String(place.page));
  const text = query.toString();
  return `/documents/${encodeURIComponent(place.document)}${text ? `?${text}` : ''}`;
}

/** Matches `/documents/:id` against a path. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const want = pattern.split('/');
  const have = path.replace(/\/+$/, '').split('/');
  if (want.length !== have.length) return null;
  const params: Record<string, string> = {};
  for (const [i, part] of want.entries()) {
    const value = have[i] ?? '';
    if (part.startsWith(':')) {
      if (!value) return null;
      try {
        params[part.slice(1)] = decodeURIComponent(value);
      } catch {
        return null;
      }
    } else if (part !== value) return null;
  }
  return params;
}

function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = (event.target as Element | null)?.closest?.('a');
  if (!link?.href || link.target || link.hasAttribute('download')) return;
  const to = new URL(link.href);
  if (to.origin !== location.origin || to.pathname.startsWith('/api/')) return;
  if (to.hash && to.pathname === location.pathname && to.search === location.search) return;
  event.preventDefault();
  go(to.pathname + to.search + to.hash);
}

export function startRouter(): void {
  window.addEventListener('popstate', sync);
  document.addEventListener('click', follow);
}
