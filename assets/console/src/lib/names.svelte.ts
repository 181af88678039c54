/** Names of people by their ids, asked for once each. */
import { SvelteMap } from 'svelte/reactivity';
import { peopleApi } from './api';
import { may } from './session.svelte';

const known = new SvelteMap<string, string>();
const asked = new Set<string>();

export function noteName(id: string, name: string): void {
  known.set(id, name);
}

/** The name, or the id as long as it is not known; those of people who were removed stay ids. */
export function nameOf(id: string): string {
  const name = known.get(id);
  if (name === undefined) ask(id);
  return name ?? id;
}

function ask(id: string): void {
  if (asked.has(id) || !id.startsWith('usr_') || !may('people.read')) return;
  asked.add(id);
  peopleApi.one(id).then((person) => known.set(id, person.name || person.email), () => undefined);
}
