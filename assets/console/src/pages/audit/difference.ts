/** What an entry changed, as lines: each field with its value before and after. */

export interface Line {
  field: string;
  before: string | null;
  after: string | null;
  kind: 'added' | 'removed' | 'changed' | 'same';
}

type Flat = Map<string, string>;

/** Fields of fields are written `a.b`; lists of plain values stay one value. */
function flatten(value: unknown, into: Flat = new Map(), path = ''): Flat {
  if (value === null || value === undefined) {
    if (path) into.set(path, '–');
  } else if (Array.isArray(value)) {
    if (value.some((item) => item !== null && typeof item === 'object')) value.forEach((item, i) => flatten(item, into, `${path}[${i}]`));
    else into.set(path, value.length > 0 ? value.map(String).join(', ') : '–');
  } else if (typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) flatten(inner, into, path ? `${path}.${key}` : key);
  } else into.set(path, String(value));
  return into;
}

/** Only what differs when there is a before and an after; else all that there is. */
export function difference(before: unknown, after: unknown): Line[] {
  const old = flatten(before);
  const now = flatten(after);
  const both = old.size > 0 && now.size > 0;
  const lines = [...new Set([...old.keys(), ...now.keys()])].map((field): Line => {
    const [b, a] = [old.get(field) ?? null, now.get(field) ?? null];
    const kind = b === a ? 'same' : b === null ? 'added' : a === null ? 'removed' : 'changed';
    return { field, before: b, after: a, kind };
  });
  return both ? lines.filter((line) => line.kind !== 'same') : lines;
}
