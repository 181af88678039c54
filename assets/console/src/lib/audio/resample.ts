/** Changes the sample rate of a stream: a windowed-sinc filter, so that nothing above the new Nyquist rate folds back. */

/** Zero crossings of the sinc on each side; more is steeper and later. */
const LOBES = 32;
/** The pass band ends here, in parts of the lower Nyquist rate. */
const CUTOFF = 0.94;
/** Rates that share no small ratio are met to one part in this many of a sample. */
const MOST_PHASES = 640;

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

/** Blackman–Harris: side lobes 92 dB down. */
function window(x: number): number {
  const t = Math.PI * (x + 1);
  return 0.35875 - 0.48829 * Math.cos(t) + 0.14128 * Math.cos(2 * t) - 0.01168 * Math.cos(3 * t);
}

export class Resampler {
  readonly from: number;
  readonly to: number;
  readonly #phases: Float32Array[];
  readonly #half: number;
  #buffer: Float32Array;
  #held: number;
  /** Where the next output sample stands in the buffer: whole samples and, in `phases` parts, the rest. */
  #whole: number;
  #part = 0;
  readonly #steps: number;
  readonly #advance: number;

  constructor(from: number, to: number) {
    if (!(from > 0 && to > 0)) throw new RangeError('sample rates must be positive');
    this.from = from;
    this.to = to;
    const g = gcd(Math.round(from), Math.round(to));
    const exact = Math.round(to) / g;
    this.#steps = exact <= MOST_PHASES ? exact : MOST_PHASES;
    this.#advance = exact <= MOST_PHASES ? Math.round(from) / g : Math.round((from / to) * MOST_PHASES);
    const scale = Math.min(1, to / from) * CUTOFF;
    this.#half = Math.ceil(LOBES / scale);
    this.#phases = Array.from({ length: this.#steps }, (_, p) => this.#taps(p / this.#steps, scale));
    this.#buffer = new Float32Array(this.#half * 4 + 8192);
    // Silence before the first sample, so that the first output stands at the first input.
    this.#held = this.#half - 1;
    this.#whole = this.#half - 1;
  }

  #taps(part: number, scale: number): Float32Array {
    const taps = new Float32Array(this.#half * 2);
    let sum = 0;
    for (let i = 0; i < taps.length; i++) {
      const x = i - (this.#half - 1) - part;
      const s = x * scale;
      const value = (s === 0 ? 1 : Math.sin(Math.PI * s) / (Math.PI * s)) * window(Math.max(-1, Math.min(1, x / this.#half)));
      taps[i] = value;
      sum += value;
    }
    return taps.map((value) => value / sum);
  }

  /** What the samples so far allow; the rest comes with the next ones. */
  push(samples: Float32Array): Float32Array {
    if (this.from === this.to) return samples.slice();
    this.#append(samples);
    const out: number[] = [];
    while (this.#whole + this.#half < this.#held) {
      out.push(this.#at(this.#whole, this.#phases[this.#part] as Float32Array));
      this.#part += this.#advance;
      this.#whole += Math.floor(this.#part / this.#steps);
      this.#part %= this.#steps;
    }
    this.#forget();
    return Float32Array.from(out);
  }

  /** The last samples, as if silence followed. */
  flush(): Float32Array {
    return this.push(new Float32Array(this.#half));
  }

  #at(whole: number, taps: Float32Array): number {
    const start = whole - this.#half + 1;
    let sum = 0;
    for (let i = 0; i < taps.length; i++) sum += (this.#buffer[start + i] as number) * (taps[i] as number);
    return sum;
  }

  #append(samples: Float32Array): void {
    if (this.#held + samples.length > this.#buffer.length) {
      const larger = new Float32Array((this.#held + samples.length) * 2);
      larger.set(this.#buffer.subarray(0, this.#held));
      this.#buffer = larger;
    }
    this.#buffer.set(samples, this.#held);
    this.#held += samples.length;
  }

  #forget(): void {
    const used = Math.min(this.#whole - this.#half + 1, this.#held);
    if (used <= 0) return;
    this.#buffer.copyWithin(0, used, this.#held);
    this.#held -= used;
    this.#whole -= used;
  }
}
