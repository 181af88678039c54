/** How operators are told. */
import type { OperatorView } from '$lib/api';

/** Keys go by being revoked. */
export const isKey = (one: Pick<OperatorView, 'id'>) => one.id.startsWith('key_');

/** A name where one is known, else what there is. */
export function called({ id, name, email }: Pick<OperatorView, 'id' | 'name' | 'email'>): string {
  return [name, email].find((text) => text?.trim()) ?? id;
}
