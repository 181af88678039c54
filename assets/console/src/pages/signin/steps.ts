/** What the server wants to know besides e-mail and password, and where to go afterwards. */
import { ApiError } from '$lib/api';
import { isAsked } from '$lib/wanted';

export type Method = 'totp' | 'passkey' | 'recovery_code';
export type Asked = { kind: 'tenant'; tenants: string[] } | { kind: 'code'; methods: Method[] };

const METHODS: readonly string[] = ['totp', 'passkey', 'recovery_code'];

export function asked(error: unknown): Asked | null {
  if (!(error instanceof ApiError)) return null;
  if (error.code === 'second_factor_required') {
    const methods = error.errors.filter((e) => e.field === 'code' && METHODS.includes(e.message)).map((e) => e.message as Method);
    return { kind: 'code', methods };
  }
  if (error.code !== 'choose_tenant') return null;
  const tenants = error.errors.filter((e) => e.field === 'tenant').map((e) => e.message);
  return tenants.length > 0 ? { kind: 'tenant', tenants } : null;
}

/** The one that was used last at this machine stands first. */
export function lastFirst(tenants: readonly string[], last: string | null): string[] {
  return last !== null && tenants.includes(last) ? [last, ...tenants.filter((tenant) => tenant !== last)] : [...tenants];
}

/** The way of proving that is asked for first: a code where there is an app, else a passkey where this page can use one. */
export function firstMethod(methods: readonly Method[], passkeys: boolean): Method {
  if (methods.length === 0 || methods.includes('totp')) return 'totp';
  if (methods.includes('passkey') && (passkeys || !methods.includes('recovery_code'))) return 'passkey';
  return 'recovery_code';
}

/** Whose services are offered: of the address, of the app that asks, or of the last time. */
export function siteOf(path: string, query: URLSearchParams, last: string | null): string {
  // There the whole query is the app's, and its name begins with the organisation's.
  const named = isAsked(path) ? /^([^.]+)\../.exec(query.get('client_id') ?? '')?.[1] : query.get('tenant');
  return named || last || '';
}

/** The page that was asked for, without what is only about signing in. */
export function returnTo(path: string, query: URLSearchParams): string {
  if (path === '/sign-in' || path === '/setup' || path === '/join') return '/';
  if (isAsked(path)) return path;
  const rest = new URLSearchParams(query);
  rest.delete('sign_in_error');
  rest.delete('tenant');
  const text = rest.toString();
  return path + (text ? `?${text}` : '');
}
