/** Texts that people agree to, put in order. */
import type { ConsentText } from '$lib/api';

export interface TextOfName {
  name: string;
  /** The version that holds; none when the text was taken away. */
  current: ConsentText | null;
  /** The newest first. */
  versions: ConsentText[];
}

/** Those that hold first. */
export function byName(texts: readonly ConsentText[]): TextOfName[] {
  const names = [...new Set(texts.map((text) => text.name))];
  const all = names.map((name) => {
    const versions = texts.filter((text) => text.name === name).toSorted((a, b) => b.version - a.version);
    return { name, versions, current: versions.find((text) => !text.ended_at) ?? null };
  });
  return all.toSorted((a, b) => Number(a.current === null) - Number(b.current === null) || a.name.localeCompare(b.name));
}

/** As the server takes names: 2–40 of a–z, 0–9 and -. */
export function isTextName(name: string): boolean {
  return /^[a-z0-9-]{2,40}$/.test(name);
}
