/** The texts of the organisation, and what the person said to them. */
import { consentApi, type OwnConsent } from './api';
import { recall, remember } from './storage';

const state = $state<{ person: string; texts: readonly OwnConsent[]; later: readonly string[] }>({ person: '', texts: [], later: [] });

const version = (text: OwnConsent) => `${text.name}@${text.version}`;
const place = () => `consents-later:${state.person}`;

/** Those without which nothing else can be done. */
export function missing(texts: readonly OwnConsent[]): OwnConsent[] {
  return texts.filter((text) => text.required && !text.given_at);
}

/** Those that one may agree to and was not asked about yet. */
export function offered(texts: readonly OwnConsent[], later: readonly string[]): OwnConsent[] {
  return texts.filter((text) => !text.required && !text.given_at && !later.includes(version(text)));
}

export const consents = {
  get missing(): OwnConsent[] {
    return missing(state.texts);
  },
  get offered(): OwnConsent[] {
    return offered(state.texts, state.later);
  },
};

export async function loadConsents(person: string): Promise<void> {
  const texts = await consentApi.own();
  state.person = person;
  state.later = recall(place())?.split(' ') ?? [];
  state.texts = texts;
}

export function forgetConsents(): void {
  Object.assign(state, { person: '', texts: [], later: [] });
}

export async function agree(text: OwnConsent): Promise<void> {
  await consentApi.give(text.name, text.version);
  state.texts = state.texts.map((other) => (other === text ? { ...text, given_at: new Date().toISOString() } : other));
}

/** Not now: the text is not offered again, and waits in the profile. */
export function putOff(text: OwnConsent): void {
  state.later = [...state.later, version(text)];
  remember(place(), state.later.join(' '));
}
