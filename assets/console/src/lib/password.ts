/** How good a new password is: the rules the server also keeps, and a rough guess at its strength. */

export const MIN_LENGTH = 12;
export const MAX_LENGTH = 200;

export interface Judgement {
  longEnough: boolean;
  notPersonal: boolean;
  varied: boolean;
  ok: boolean;
  /** 0 to 4. */
  strength: number;
}

/** Bits by length and by the kinds of signs used, less for repeats and runs such as "abcd" or "1111". */
function bits(password: string): number {
  const signs = [...password];
  const pools: [RegExp, number][] = [
    [/[a-z]/, 26],
    [/[A-Z]/, 26],
    [/\d/, 10],
    [/[^a-zA-Z\d]/, 33],
  ];
  const pool = pools.reduce((sum, [kind, size]) => sum + (kind.test(password) ? size : 0), 0);
  let useful = 0;
  for (const [i, sign] of signs.entries()) {
    const step = (sign.codePointAt(0) ?? 0) - (signs[i - 1]?.codePointAt(0) ?? -9);
    useful += Math.abs(step) <= 1 ? 0.25 : 1;
  }
  return useful * Math.log2(Math.max(pool, 2));
}

export function judge(password: string, personal: string[]): Judgement {
  const length = [...password].length;
  const lower = password.toLowerCase();
  const words = personal.flatMap((p) => p.toLowerCase().split(/[@.\s]+/)).filter((w) => w.length >= 4);
  const longEnough = length >= MIN_LENGTH && length <= MAX_LENGTH;
  const notPersonal = length > 0 && !words.some((word) => lower.includes(word));
  const varied = new Set(lower).size >= 6;
  const found = bits(password);
  const strength = length === 0 ? 0 : found < 40 ? 1 : found < 60 ? 2 : found < 80 ? 3 : 4;
  return { longEnough, notPersonal, varied, ok: longEnough && notPersonal && varied, strength };
}
