/** The request of an app, kept while the browser is away at a service for signing in: the way back has no room for it. */

const KEY = 'wanted';
const KEPT = 10 * 60_000;

/** Pages that an app sends the browser to. */
export function isAsked(path: string): boolean {
  return path === '/oauth/authorize' || path === '/oauth/device';
}

export function keepWanted(address: string, now = Date.now()): void {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ address, until: now + KEPT }));
  } catch {
    // Blocked storage: the app has to begin anew.
  }
}

/** What was kept, once. */
export function takeWanted(now = Date.now()): string | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? 'null') as { address: string; until: number } | null;
    sessionStorage.removeItem(KEY);
    if (!kept || kept.until < now || !isAsked(kept.address.split('?')[0] ?? '')) return null;
    return kept.address;
  } catch {
    return null;
  }
}
