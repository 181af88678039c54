/**
 * The interface counts text in Unicode code points, JavaScript in UTF-16 units: 😀 is one there and two here.
 * Everything that turns an offset into a place in a string goes through this file.
 */

/** How many code points a string has. */
export function cpLength(text: string): number {
  let n = 0;
  for (let i = 0; i < text.length; n++) i += width(text, i);
  return n;
}

/** The UTF-16 index of the code point `offset`; the string's length when it lies behind the end. */
export function cpToUnit(text: string, offset: number, fromUnit = 0, fromCp = 0): number {
  let unit = fromUnit;
  for (let cp = fromCp; cp < offset && unit < text.length; cp++) unit += width(text, unit);
  return unit;
}

/** The code point offset of a UTF-16 index. */
export function unitToCp(text: string, unit: number): number {
  let cp = 0;
  for (let i = 0; i < unit && i < text.length; cp++) i += width(text, i);
  return cp;
}

/** The part from code point `start` up to, and without, `end`. */
export function cpSlice(text: string, start: number, end: number): string {
  const from = cpToUnit(text, Math.max(0, start));
  const to = cpToUnit(text, Math.max(start, end), from, Math.max(0, start));
  return text.slice(from, to);
}

function width(text: string, unit: number): 1 | 2 {
  const high = text.charCodeAt(unit);
  if (high < 0xd800 || high > 0xdbff || unit + 1 >= text.length) return 1;
  const low = text.charCodeAt(unit + 1);
  return low >= 0xdc00 && low <= 0xdfff ? 2 : 1;
}

export interface Range<K extends string = string> {
  start: number;
  end: number;
  kind: K;
}

export interface Piece<K extends string = string> {
  text: string;
  start: number;
  end: number;
  /** The kinds of all ranges over this piece; empty for plain text. */
  kinds: K[];
}

/**
 * Cuts a text at the borders of ranges. `base` is the offset of the text's first code point in whatever the ranges
 * are counted in; ranges may overlap, lie outside, or be the wrong way round (then they are left out).
 */
export function cut<K extends string>(text: string, ranges: readonly Range<K>[], base = 0): Piece<K>[] {
  const end = base + cpLength(text);
  const live = ranges
    .map((r) => ({ kind: r.kind, start: Math.max(r.start, base), end: Math.min(r.end, end) }))
    .filter((r) => r.start < r.end);
  if (live.length === 0) return text === '' ? [] : [{ text, start: base, end, kinds: [] }];
  const borders = [...new Set([base, end, ...live.flatMap((r) => [r.start, r.end])])].sort((a, b) => a - b);
  const pieces: Piece<K>[] = [];
  let unit = 0;
  for (let i = 0; i + 1 < borders.length; i++) {
    const from = borders[i] as number;
    const to = borders[i + 1] as number;
    const next = cpToUnit(text, to, unit, from);
    const kinds = live.filter((r) => r.start <= from && r.end >= to).map((r) => r.kind);
    pieces.push({ text: text.slice(unit, next), start: from, end: to, kinds: [...new Set(kinds)] });
    unit = next;
  }
  return pieces;
}
