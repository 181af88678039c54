/** Limits of a tenant as a form has them: an empty field is the plan's, "none" is 0. */
import type { TenantLimits } from '$lib/api';

export const LIMITS = [
  'documents',
  'storage',
  'members',
  'monthly_active_users',
  'requests_per_minute',
  'requests_per_day',
  'requests_per_month',
  'questions_per_month',
  'speech_seconds_per_month',
  'at_once',
] as const;
export type Limit = (typeof LIMITS)[number];

/** Storage is typed in gigabytes. */
const GIGA = 1_000_000_000;
export type LimitTexts = Record<Limit, string>;

export function toTexts(limits: TenantLimits): LimitTexts {
  const text = (limit: Limit) => {
    const value = limits[limit];
    if (typeof value !== 'number') return '';
    return String(limit === 'storage' ? value / GIGA : value);
  };
  return Object.fromEntries(LIMITS.map((limit) => [limit, text(limit)])) as LimitTexts;
}

/** Nothing when a text is not a number that can be one. */
export function fromTexts(texts: Record<Limit, string | number | null | undefined>): TenantLimits | null {
  const limits: TenantLimits = {};
  for (const limit of LIMITS) {
    const text = String(texts[limit] ?? '').trim();
    if (text === '') continue;
    const value = Math.round(Number(text) * (limit === 'storage' ? GIGA : 1));
    if (!Number.isFinite(value) || value < 0) return null;
    limits[limit] = value;
  }
  return limits;
}
