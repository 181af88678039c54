/** An app as a form, and what of it is sent. */
import type { AppGrant, AppKind, AppView, NewApp, PatchApp } from '$lib/api';

/** Ways to get tokens, by names that a person can read. */
export const GRANTS = {
  code: 'authorization_code',
  refresh: 'refresh_token',
  device: 'urn:ietf:params:oauth:grant-type:device_code',
  itself: 'client_credentials',
} as const satisfies Record<string, AppGrant>;
export type GrantName = keyof typeof GRANTS;
export const GRANT_NAMES = Object.keys(GRANTS) as GrantName[];

export interface AppForm {
  name: string;
  homepage: string;
  kind: AppKind;
  redirects: string;
  grants: GrantName[];
  scopes: string[];
}
export type Part = 'kind' | 'grants' | 'about' | 'scopes';
export const PARTS: readonly Part[] = ['kind', 'about', 'grants', 'scopes'];

export function blank(): AppForm {
  return { name: '', homepage: '', kind: 'confidential', redirects: '', grants: ['code', 'refresh'], scopes: [] };
}

export function fromView(app: AppView): AppForm {
  return {
    name: app.name,
    homepage: app.homepage ?? '',
    kind: app.kind,
    redirects: app.redirect_uris.join('\n'),
    grants: GRANT_NAMES.filter((name) => app.grants.includes(GRANTS[name])),
    scopes: [...app.scopes],
  };
}

/** One a line. */
export function addresses(text: string): string[] {
  return [...new Set(text.split(/\s+/).filter(Boolean))];
}

/** The ways that an app of a kind can have: without a secret it cannot be somebody by itself. */
export function grantsOf(kind: AppKind): GrantName[] {
  return GRANT_NAMES.filter((name) => name !== 'itself' || kind === 'confidential');
}

const byPerson = (form: AppForm) => form.grants.includes('code') || form.grants.includes('device');

/** What does not go together. */
export function conflict(form: AppForm): 'none' | 'refresh_alone' | null {
  if (form.grants.length === 0) return 'none';
  if (form.grants.includes('refresh') && !byPerson(form)) return 'refresh_alone';
  return null;
}

export function isComplete(form: AppForm, part: Part): boolean {
  if (part === 'about') return form.name.trim() !== '';
  if (part === 'grants') return conflict(form) === null && (!form.grants.includes('code') || addresses(form.redirects).length > 0);
  return part === 'kind' || form.scopes.length > 0;
}

/** The part in which a field stands that the server refuses. */
export function partOf(field: string): Part {
  if (field.startsWith('redirect_uris') || field === 'grants') return 'grants';
  if (field === 'scopes') return 'scopes';
  return field === 'kind' ? 'kind' : 'about';
}

/** What is wrong with the addresses, each with its own words. */
export function redirectProblem(errors: Record<string, string>, form: AppForm): string | null {
  const list = addresses(form.redirects);
  const told = Object.entries(errors).flatMap(([field, message]) => {
    const at = /^redirect_uris(?:\[(\d+)\])?$/.exec(field);
    if (!at) return [];
    const address = at[1] === undefined ? undefined : list[Number(at[1])];
    return [address ? `${address}: ${message}` : message];
  });
  return told.length > 0 ? told.join(' ') : null;
}

function common(form: AppForm) {
  const ways = grantsOf(form.kind).filter((name) => form.grants.includes(name));
  return {
    name: form.name.trim(),
    homepage: form.homepage.trim(),
    redirect_uris: addresses(form.redirects),
    scopes: [...form.scopes],
    grants: ways.map((name) => GRANTS[name]),
  };
}

export function toNew(form: AppForm): NewApp {
  const { homepage, ...rest } = common(form);
  return { ...rest, kind: form.kind, ...(homepage ? { homepage } : {}) };
}

export function toPatch(form: AppForm): PatchApp {
  return common(form);
}

/** Permissions that an app can have: none of the appliance, and not the session of a browser. */
export function choosable(names: readonly string[]): string[] {
  return names.filter((name) => !name.startsWith('appliance.') && name !== 'session.use');
}
