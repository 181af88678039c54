/** Words of the page. English is in the bundle, other languages are loaded when chosen. */
import en from '$locales/en.json';
import { recall, remember } from './storage';

export type Messages = typeof en;
/** A key as the locale file has it. */
export type RawKey = keyof Messages;
/** A key that has `_one` and `_other` forms. */
export type CountKey = { [K in RawKey]: K extends `${infer Base}_other` ? Base : never }[RawKey];
export type Params = Record<string, string | number>;

export const LOCALES = { en: 'English', de: 'Deutsch' } as const;
export type Locale = keyof typeof LOCALES;

const state = $state<{ locale: Locale; messages: Record<string, string> }>({ locale: 'en', messages: en });

function fill(text: string, params?: Params): string {
  return params ? text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole)) : text;
}

export function t(key: RawKey, params?: Params): string {
  return fill(state.messages[key] ?? en[key] ?? key, params);
}

/** Text that depends on a number; `{n}` is the number, written as the language writes it. */
export function tn(key: CountKey, n: number, params?: Params): string {
  const form = new Intl.PluralRules(state.locale).select(n) === 'one' ? 'one' : 'other';
  return t(`${key}_${form}` as RawKey, { n: n.toLocaleString(formatLocale()), ...params });
}

/** The text of a key made at run time (a code from the server), or the fallback when there is none. */
export function tOr(key: string, fallback: string): string {
  return state.messages[key] ?? (en as Record<string, string>)[key] ?? fallback;
}

export function locale(): Locale {
  return state.locale;
}

/** For dates and numbers: the browser's own variant of the chosen language (day before month in en-GB). */
export function formatLocale(): string {
  const variants = typeof navigator === 'undefined' ? [] : navigator.languages;
  return variants.find((l) => l === state.locale || l.startsWith(`${state.locale}-`)) ?? state.locale;
}

function isLocale(value: string | null | undefined): value is Locale {
  return value !== null && value !== undefined && value in LOCALES;
}

async function german(): Promise<Record<string, string>> {
  return (await import('$locales/de.json')).default;
}

export async function setLocale(next: Locale, keep = true): Promise<void> {
  const messages = next === 'de' ? await german() : en;
  state.messages = messages;
  state.locale = next;
  document.documentElement.lang = next;
  if (keep) remember('locale', next);
}

/** The language chosen before, else the browser's first that exists here. */
export async function startLocale(): Promise<void> {
  const chosen = recall('locale');
  const wanted = isLocale(chosen) ? chosen : navigator.languages.map((l) => l.slice(0, 2)).find(isLocale);
  if (wanted && wanted !== 'en') await setLocale(wanted, false);
}
