/** How long things stay, as a form. Empty: they stay. */
import type { Erased, RetentionRules } from '$lib/api';

export interface RetentionForm {
  conversations: number | null;
  uncollected: number | null;
  collections: Record<string, number | null>;
}

const LONGEST = 36_500;

/** Every collection that there is, and those that a rule names though they are gone. */
export function toForm(rules: RetentionRules, names: readonly string[]): RetentionForm {
  const own = rules.collections ?? {};
  const all = [...new Set([...names, ...Object.keys(own)])].toSorted((a, b) => a.localeCompare(b));
  return {
    conversations: rules.conversations ?? null,
    uncollected: rules.uncollected ?? null,
    collections: Object.fromEntries(all.map((name) => [name, own[name] ?? null])),
  };
}

export function fromForm(form: RetentionForm): RetentionRules {
  const named = Object.entries(form.collections).filter((entry): entry is [string, number] => entry[1] !== null);
  return { conversations: form.conversations, uncollected: form.uncollected, collections: Object.fromEntries(named) };
}

const fits = (days: number | null) => days === null || (Number.isInteger(days) && days >= 1 && days <= LONGEST);

export function isRight(form: RetentionForm): boolean {
  return [form.conversations, form.uncollected, ...Object.values(form.collections)].every(fits);
}

/** Whether two sets of rules say the same. */
export function isSame(a: RetentionRules, b: RetentionRules): boolean {
  const plain = (rules: RetentionRules) =>
    JSON.stringify([rules.conversations ?? null, rules.uncollected ?? null, Object.entries(rules.collections ?? {}).toSorted(([x], [y]) => x.localeCompare(y))]);
  return plain(a) === plain(b);
}

export function total(counts: readonly Erased[]): number {
  return counts.reduce((sum, one) => sum + one.count, 0);
}
