/** What is held about people: handed out, erased, kept for how long; and the texts that they agree to. */
import { create, del, get, post, put, send } from './client';
import type { ConsentText, Erased, ErasureOfPerson, NewConsentText, OwnConsent, RetentionRules } from './types';

const seg = encodeURIComponent;

async function zip(path: string): Promise<Blob> {
  return (await send('POST', path, { accept: 'application/zip' })).blob();
}

export const personApi = {
  exportOwn: () => zip('/me/export'),
  export: (id: string) => zip(`/people/${seg(id)}/export`),
  /** `confirm`: the person's e-mail, typed again. */
  erase: (id: string, confirm: string) => post<ErasureOfPerson>(`/people/${seg(id)}/erase`, { confirm }),
};

export const retentionApi = {
  rules: (signal?: AbortSignal) => get<RetentionRules>('/retention', undefined, signal),
  save: (rules: RetentionRules) => put<RetentionRules>('/retention', rules),
  preview: (rules: RetentionRules, signal?: AbortSignal) => post<{ overdue: Erased[] }>('/retention/preview', rules, signal),
};

export const consentApi = {
  texts: (signal?: AbortSignal) => get<ConsentText[]>('/consent-texts', undefined, signal),
  add: (text: NewConsentText) => create<ConsentText>('/consent-texts', text),
  end: (name: string) => del(`/consent-texts/${seg(name)}`),
  own: (signal?: AbortSignal) => get<OwnConsent[]>('/me/consents', undefined, signal),
  give: (name: string, version: number) => post<undefined>(`/me/consents/${seg(name)}`, { version }),
  withdraw: (name: string) => del(`/me/consents/${seg(name)}`),
};
