/** Permissions as the page groups and compares them. */

export interface Area {
  area: string;
  names: string[];
}

/** Whether all that is wanted is also held. */
export function within(wanted: readonly string[], held: readonly string[]): boolean {
  const have = new Set(held);
  return wanted.every((name) => have.has(name));
}

/** `documents.read` and `documents.write` stand under `documents`; areas and names by the alphabet. */
export function byArea(names: readonly string[]): Area[] {
  const areas = new Map<string, string[]>();
  for (const name of names.toSorted()) {
    const area = name.split('.')[0] ?? name;
    areas.set(area, [...(areas.get(area) ?? []), name]);
  }
  return [...areas].map(([area, list]) => ({ area, names: list })).toSorted((a, b) => a.area.localeCompare(b.area));
}

/** With the name when it was not there, without it when it was. */
export function toggled(names: readonly string[], name: string): string[] {
  return names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
}

/** A name for a role out of its title: `a-z`, `0-9` and `-`. */
export function roleId(title: string): string {
  const plain = title.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');
}
