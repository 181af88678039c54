/** Ways to sign in: second factors, passkeys, services elsewhere, and the rules of an organisation. */
import { create, del, get, patch, post, put, send } from './client';
import type {
  FactorsView,
  FactorView,
  NewProvider,
  PasskeyOptions,
  PatchProvider,
  ProviderTest,
  ProviderView,
  SessionView,
  SignInOptions,
  SignInPolicy,
  TotpOffer,
} from './types';

const seg = encodeURIComponent;
type Answer = Record<string, unknown>;

/** One's own second factors. Each change proves the password once more. */
export const factorApi = {
  list: (signal?: AbortSignal) => get<FactorsView>('/me/factors', undefined, signal),
  beginApp: (name: string, password: string) => post<TotpOffer>('/me/factors/totp', { name, password }),
  confirmApp: (id: string, code: string) => create<FactorView>('/me/factors/totp/confirm', { id, code }),
  beginPasskey: (name: string, password: string, second_only: boolean) =>
    post<PasskeyOptions>('/me/factors/passkey/options', { name, password, second_only }),
  finishPasskey: (id: string, response: Answer) => create<FactorView>('/me/factors/passkey', { id, response }),
  recoveryCodes: (password: string) => create<{ codes: string[] }>('/me/factors/recovery-codes', { password }),
  async remove(id: string, password: string): Promise<void> {
    await send('DELETE', `/me/factors/${seg(id)}`, { body: { password } });
  },
  /** All those of somebody else. */
  reset: (person: string) => del(`/people/${seg(person)}/factors`),
};

/** For who is not signed in. */
export const entranceApi = {
  options: (tenant: string | null, signal?: AbortSignal) => get<SignInOptions>('/sign-in/options', { tenant }, signal),
  askPasskey: (who: { email: string; password: string; tenant?: string; provider?: string } | null) =>
    post<PasskeyOptions>('/session/passkey/options', who ?? {}),
  answerPasskey: (id: string, response: Answer) => post<SessionView>('/session/passkey', { id, response }),
  /** The address to send the browser to. */
  begin: (provider: string, body: { tenant?: string; return_to?: string }) =>
    post<{ authorization_url: string }>(`/session/oidc/${seg(provider)}/begin`, body),
};

export const signInApi = {
  policy: (signal?: AbortSignal) => get<SignInPolicy>('/sign-in/policy', undefined, signal),
  putPolicy: (policy: SignInPolicy) => put<SignInPolicy>('/sign-in/policy', policy),
  providers: (signal?: AbortSignal) => get<ProviderView[]>('/sign-in/providers', undefined, signal),
  addProvider: (body: NewProvider) => create<ProviderView>('/sign-in/providers', body),
  changeProvider: (id: string, body: PatchProvider) => patch<ProviderView>(`/sign-in/providers/${seg(id)}`, body),
  removeProvider: (id: string) => del(`/sign-in/providers/${seg(id)}`),
  testProvider: (id: string) => post<ProviderTest>(`/sign-in/providers/${seg(id)}/test`),
};
