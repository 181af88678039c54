/** Changes of an access list; each gives a new one. */
import type { AccessEntry } from '$lib/api';

export function withEntry(entries: readonly AccessEntry[], subject: string, may: AccessEntry['may'] = 'read'): AccessEntry[] {
  const there = entries.some((entry) => entry.subject === subject);
  if (there) return entries.map((entry) => (entry.subject === subject ? { subject, may } : entry));
  return [...entries, { subject, may }];
}

export function withoutEntry(entries: readonly AccessEntry[], subject: string): AccessEntry[] {
  return entries.filter((entry) => entry.subject !== subject);
}
