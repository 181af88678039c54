/** What the pages of consent reckon with. */
import type { AskedConsent } from '$lib/api';

/**
 * Whether a browser may be sent there. The server gives registered addresses only; this is a second look, so that no
 * script is ever run in the page's own name.
 */
export function isTarget(address: string): boolean {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    return false;
  }
  if (url.protocol === 'https:') return true;
  if (url.protocol === 'http:') return url.hostname === '127.0.0.1' || url.hostname === '[::1]';
  return /^[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+:$/.test(url.protocol);
}

/** Whom an address belongs to, as a person reads it: the host, or the scheme of a program on the machine. */
export function placeOf(address: string): string {
  try {
    const url = new URL(address);
    return url.host || url.protocol.replace(/:$/, '');
  } catch {
    return address;
  }
}

/** A device's code as devices show it; case, dashes and spaces do not count. */
export function tidyCode(typed: string): string {
  const plain = typed.replace(/[^a-z0-9]/gi, '').toUpperCase();
  return plain.length > 4 ? `${plain.slice(0, 4)}-${plain.slice(4)}` : plain;
}

export function heldOf(consent: AskedConsent): string[] {
  return consent.scopes.filter((scope) => scope.held).map((scope) => scope.name);
}

/** Nothing when all that can be given is given, so that the server decides what that is. */
export function fewer(consent: AskedConsent, chosen: readonly string[]): string[] | null {
  const held = heldOf(consent);
  return held.every((name) => chosen.includes(name)) ? null : held.filter((name) => chosen.includes(name));
}
