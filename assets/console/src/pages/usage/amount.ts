/** Amounts of what is counted, in the unit of each. */
import type { Metered } from '$lib/api';
import { bytes, duration, number } from '$lib/format';

export function amount(what: Metered, value: number): string {
  if (what === 'storage') return bytes(value);
  if (what === 'speech_seconds') return duration(value);
  return number(value);
}

/** How much is used, of a hundred; more than there is counts as all. */
export function share(used: number, limit: number | null | undefined): number {
  if (limit === null || limit === undefined) return 0;
  return limit <= 0 ? 100 : Math.min(100, (used / limit) * 100);
}
