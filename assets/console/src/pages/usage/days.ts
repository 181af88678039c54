/** The last days of one counted thing, as a plot needs them. */
import type { Metered, UsageDay } from '$lib/api';

export interface Day {
  day: string;
  used: number;
}

const DAY_MS = 86_400_000;
const dayOf = (ms: number) => new Date(ms).toISOString().slice(0, 10);

/** Every day of the last `count`, in UTC as the server counts, also those on which nothing was. */
export function lastDays(days: readonly UsageDay[], what: Metered, now: number, count = 90): Day[] {
  const used = new Map(days.filter((day) => day.what === what).map((day) => [day.day, day.used]));
  return Array.from({ length: count }, (_, i) => {
    const day = dayOf(now - (count - 1 - i) * DAY_MS);
    return { day, used: used.get(day) ?? 0 };
  });
}

/** The end of the scale: a round number not below the most. */
export function scaleEnd(most: number): number {
  if (most <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((n) => n * step).find((end) => end >= most) ?? most;
}
