/** Finds words in a text; the places are code points. */
import { cpLength } from '$lib/codepoints';

export interface Place {
  start: number;
  end: number;
}

export const MAX_PLACES = 2000;

/** Case does not matter, and a space in the query fits any white space, so line breaks do not hide a phrase. */
export function findAll(text: string, query: string, base = 0, limit = MAX_PLACES): Place[] {
  const words = query.trim();
  if (words === '') return [];
  const source = words.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&').replace(/\s+/g, '\\s+');
  const pattern = new RegExp(source.replace(/\\-/g, '\\x2d').replace(/\\\//g, '\\x2f'), 'giu');
  const places: Place[] = [];
  let unit = 0;
  let cp = base;
  for (const found of text.matchAll(pattern)) {
    cp += cpLength(text.slice(unit, found.index));
    const end = cp + cpLength(found[0]);
    places.push({ start: cp, end });
    unit = found.index + found[0].length;
    cp = end;
    if (places.length >= limit) break;
  }
  return places;
}
