/** Apps of third parties: registering them, and what people allow them. */
import { create, del, get, getBeside, patch, post } from './client';
import type { AllowedAppView, AppView, AskedConsent, AuthorizationView, NewApp, NewAppView, OAuthServer, Paged, PatchApp } from './types';

const seg = encodeURIComponent;
const chosen = (scopes: string[] | null) => (scopes === null ? {} : { scopes });

export const appApi = {
  list: (cursor?: string, signal?: AbortSignal) => get<Paged<AppView>>('/apps', { cursor }, signal),
  create: (app: NewApp) => create<NewAppView>('/apps', app),
  change: (id: string, body: PatchApp) => patch<AppView>(`/apps/${seg(id)}`, body),
  remove: (id: string) => del(`/apps/${seg(id)}`),
  rotate: (id: string, overlap_hours: number) => create<NewAppView>(`/apps/${seg(id)}/secret`, { overlap_hours }),
  /** The addresses that an app needs. */
  server: (signal?: AbortSignal) => getBeside<OAuthServer>('/.well-known/oauth-authorization-server', signal),
};

/** `query` is what the app wrote behind `?`, unchanged. */
export const oauthApi = {
  asked: (query: string, signal?: AbortSignal) => get<AuthorizationView>(`/oauth/authorize?${query}`, undefined, signal),
  decide: (query: string, allow: boolean, scopes: string[] | null) =>
    post<{ redirect_to: string }>('/oauth/authorize', { query, allow, ...chosen(scopes) }),
  device: (user_code: string) => get<AskedConsent>('/oauth/device', { user_code }),
  decideDevice: (user_code: string, allow: boolean, scopes: string[] | null) =>
    post<undefined>('/oauth/device', { user_code, allow, ...chosen(scopes) }),
  allowed: (signal?: AbortSignal) => get<AllowedAppView[]>('/me/apps', undefined, signal),
  takeBack: (id: string) => del(`/me/apps/${seg(id)}`),
};
