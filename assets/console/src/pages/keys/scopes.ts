/** What a key may, and from where. */
import type { KeyView } from '$lib/api';

export function isOver(key: Pick<KeyView, 'expires_at'>, now = Date.now()): boolean {
  return typeof key.expires_at === 'string' && new Date(key.expires_at).getTime() <= now;
}

/** Whether a key reaches beyond its organisation. */
export function onAppliance(key: Pick<KeyView, 'scopes'>): boolean {
  return key.scopes.some((scope) => scope.startsWith('appliance.'));
}

/** Addresses and networks out of what was typed: one a line, or with commas. */
export function splitNetworks(text: string): string[] {
  return [...new Set(text.split(/[\s,;]+/).filter(Boolean))];
}

/** What is sent: "everything" is `*`, beside which only permissions of the appliance mean something. */
export function scopesOf(all: boolean, chosen: readonly string[]): string[] {
  const appliance = chosen.filter((name) => name.startsWith('appliance.'));
  return all ? ['*', ...appliance] : [...chosen];
}

/** The end of a day here, as the server takes it. */
export function endOfDay(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString();
}
