/** Why nobody came in by a service elsewhere: the words that `GET /session/oidc/callback` puts into the address. */
import { t } from '$lib/i18n.svelte';

export const SIGN_IN_ERRORS = [
  'denied',
  'domain_not_allowed',
  'email_not_verified',
  'internal',
  'invalid_answer',
  'members_full',
  'no_email',
  'not_invited',
  'not_linked',
  'not_started_here',
  'other_provider',
  'owner_needs_password',
  'person_disabled',
  'provider_disabled',
  'provider_misconfigured',
  'provider_unavailable',
  'tenant_suspended',
  'too_many_requests',
  'took_too_long',
  'used_already',
] as const;

export type SignInError = (typeof SIGN_IN_ERRORS)[number];

function isKnown(code: string): code is SignInError {
  return (SIGN_IN_ERRORS as readonly string[]).includes(code);
}

/** What happened and what to do. An unknown word is not shown: anybody can write one into an address. */
export function signInError(code: string): { text: string; hint: string } {
  const known = isKnown(code) ? code : 'internal';
  return { text: t(`signinerror.${known}`), hint: t(`signinerror.${known}_hint`) };
}
