/** The rules of signing in as a form, and whom a change of them would keep out. */
import type { SignInPolicy } from '$lib/api';

export const DEMANDS = ['nobody', 'administrators', 'everybody'] as const;

export interface PolicyForm {
  second_factor: SignInPolicy['second_factor'];
  password_sign_in: boolean;
  idle: number | null;
  lifetime: number | null;
  password_length: number;
  domains: string;
}

/** What has to be known to say whom it keeps out. */
export interface Circumstances {
  saved: SignInPolicy;
  /** Services that are switched on; absent while that is not known. */
  services: number | null;
  /** Own second factors; absent while that is not known. */
  factors: number | null;
  owner: boolean;
}

/** `locks`: somebody stands outside, or has to do something first. */
export interface Warning {
  key: 'own_factor' | 'factors' | 'no_service' | 'passwords_off' | 'not_owner' | 'short_idle' | 'short_lifetime' | 'open_sessions';
  locks: boolean;
}

export function toForm(policy: SignInPolicy): PolicyForm {
  return {
    second_factor: policy.second_factor,
    password_sign_in: policy.password_sign_in,
    idle: policy.idle_minutes ?? null,
    lifetime: policy.lifetime_minutes ?? null,
    password_length: policy.password_length,
    domains: policy.domains.join('\n'),
  };
}

/** Empty fields mean that the appliance's own limit counts. */
export function fromForm(form: PolicyForm): SignInPolicy {
  return {
    second_factor: form.second_factor,
    password_sign_in: form.password_sign_in,
    idle_minutes: form.idle ?? null,
    lifetime_minutes: form.lifetime ?? null,
    password_length: form.password_length,
    domains: splitList(form.domains).map((domain) => domain.replace(/^@/, '').toLowerCase()),
  };
}

/** One each line; commas and spaces part them too. */
export function splitList(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

export function warnings(form: PolicyForm, of: Circumstances): Warning[] {
  const found: Warning[] = [];
  const warn = (key: Warning['key'], locks: boolean, when: boolean) => when && found.push({ key, locks });
  const asksMore = DEMANDS.indexOf(form.second_factor) > DEMANDS.indexOf(of.saved.second_factor);
  warn('factors', true, asksMore);
  warn('own_factor', true, form.second_factor !== 'nobody' && of.factors === 0);
  const off = !form.password_sign_in;
  const turned = off && of.saved.password_sign_in;
  warn('no_service', true, off && of.services === 0);
  warn('passwords_off', true, turned && of.services !== 0);
  warn('not_owner', true, turned && !of.owner);
  warn('short_idle', false, form.idle !== null && form.idle < 15);
  warn('short_lifetime', false, form.lifetime !== null && form.lifetime < 60);
  const shorter = (now: number | null, before: number | null | undefined) => now !== null && now < (before ?? Infinity);
  warn('open_sessions', false, shorter(form.idle, of.saved.idle_minutes) || shorter(form.lifetime, of.saved.lifetime_minutes));
  return found;
}
