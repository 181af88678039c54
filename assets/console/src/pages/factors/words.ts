/** What second factors are called, and what is said when one cannot be had. */
import { t } from '$lib/i18n.svelte';
import { describe } from '$lib/toasts.svelte';
import { passkeyFailure } from '$lib/webauthn';

/** A failure on the way to or with a passkey: the browser's in our words, the server's in its own. */
export function tell(error: unknown): { text: string; hint: string | null } {
  const kind = passkeyFailure(error);
  return kind ? { text: t(`passkeyfailure.${kind}`), hint: t(`passkeyfailure.${kind}_hint`) } : describe(error);
}

/** A secret in groups of four, as it is easier to type. */
export function inGroups(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ');
}

/** Recovery codes as a file that says what they are for. */
export function asFile(codes: readonly string[], heading: string): string {
  return `${heading}\n\n${codes.join('\n')}\n`;
}
