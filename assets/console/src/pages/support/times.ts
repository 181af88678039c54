/** How long a consent holds. */
import type { SupportConsent } from '$lib/api';

export const CHOICES = [1, 4, 24, 72, 168] as const;
export const MOST_HOURS = 168;

/** Seconds that are left; never less than none. */
export function left(until: string, now = Date.now()): number {
  return Math.max(0, Math.round((new Date(until).getTime() - now) / 1000));
}

/** When it was over: taken back, or by itself. */
export function overAt(consent: Pick<SupportConsent, 'expires_at' | 'ended_at'>): string {
  return consent.ended_at ?? consent.expires_at;
}
