/** What the server wants to know besides e-mail and password. */
import { ApiError } from '$lib/api';

export type Asked = { kind: 'tenant'; tenants: string[] } | { kind: 'code' };

export function asked(error: unknown): Asked | null {
  if (!(error instanceof ApiError)) return null;
  if (error.code === 'second_factor_required') return { kind: 'code' };
  if (error.code !== 'choose_tenant') return null;
  const tenants = error.errors.filter((e) => e.field === 'tenant').map((e) => e.message);
  return tenants.length > 0 ? { kind: 'tenant', tenants } : null;
}

/** The one that was used last at this machine stands first. */
export function lastFirst(tenants: readonly string[], last: string | null): string[] {
  return last !== null && tenants.includes(last) ? [last, ...tenants.filter((tenant) => tenant !== last)] : [...tenants];
}
