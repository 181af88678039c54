import type { TenantView } from '$lib/api';

/** Every word must be in the name, the id, the plan or the region. */
export function matches(tenant: Pick<TenantView, 'id' | 'name' | 'plan' | 'region'>, text: string): boolean {
  const whole = [tenant.id, tenant.name, tenant.plan, tenant.region ?? ''].join(' ').toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word));
}

/** An id out of a name: 1–63 of `a-z`, `0-9` and `-`, the last not at an end. */
export function tenantId(name: string): string {
  const plain = name.replaceAll('ß', 'ss').normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+/, '').slice(0, 63).replace(/-+$/, '');
}

export function isTenantId(id: string): boolean {
  return /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(id);
}
