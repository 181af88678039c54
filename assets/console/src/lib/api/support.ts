/** An operator of the appliance in the place of a person, as long as the organisation consents. */
import { del, get, post, put } from './client';
import type { NewSupportConsent, SessionView, SupportConsent, SupportConsents } from './types';

export const supportApi = {
  consents: (signal?: AbortSignal) => get<SupportConsents>('/support-access', undefined, signal),
  consent: (body: NewSupportConsent) => put<SupportConsent>('/support-access', body),
  end: () => del('/support-access'),
  /** The cookie is another one afterwards, so the page has to begin anew. Sent once: an answer from before sets no cookie. */
  open: (tenant: string, email: string, reason: string) =>
    post<SessionView>(`/tenants/${encodeURIComponent(tenant)}/support-session`, { email, reason }),
};
