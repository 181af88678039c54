/**
 * Makes speech faster or slower without changing its pitch: overlap-add of pieces that are moved to where they fit
 * best (WSOLA, Verhelst and Roelands 1993).
 */

/** Length of a piece, and how far it may be moved to fit, in seconds. */
const FRAME = 0.03;
const REACH = 0.009;
/** The search looks at every so-manieth sample. */
const STRIDE = 3;

export function stretch(samples: Float32Array<ArrayBuffer>, rate: number, speed: number): Float32Array<ArrayBuffer> {
  const hop = Math.round((FRAME * rate) / 2);
  const frame = hop * 2;
  if (Math.abs(speed - 1) < 0.01 || samples.length < frame * 2) return samples;
  const reach = Math.round(REACH * rate);
  const out = new Float32Array(Math.ceil(samples.length / speed) + frame * 2 + reach);
  const fade = Float32Array.from({ length: hop }, (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / hop));

  out.set(samples.subarray(0, hop));
  let taken = 0;
  let written = hop;
  for (;;) {
    const ideal = Math.round(written * speed);
    if (ideal + frame + reach >= samples.length) break;
    const at = best(samples, taken + hop, Math.max(0, ideal - reach), ideal + reach, hop);
    for (let i = 0; i < hop; i++) {
      const up = fade[i] as number;
      const old = samples[taken + hop + i] as number;
      out[written + i] = old * (1 - up) + (samples[at + i] as number) * up;
    }
    written += hop;
    taken = at;
  }
  const rest = samples.subarray(taken + hop);
  const room = Math.min(rest.length, out.length - written);
  out.set(rest.subarray(0, room), written);
  return out.slice(0, written + room);
}

/** Where between `from` and `to` the sound goes on most like it does at `want`. */
function best(samples: Float32Array, want: number, from: number, to: number, length: number): number {
  let found = from;
  let most = -Infinity;
  for (let at = from; at <= to; at += STRIDE) {
    let product = 0;
    let energy = 1e-9;
    for (let i = 0; i < length; i += STRIDE) {
      const value = samples[at + i] as number;
      product += value * (samples[want + i] as number);
      energy += value * value;
    }
    const likeness = product / Math.sqrt(energy);
    if (likeness > most) {
      most = likeness;
      found = at;
    }
  }
  return found;
}
