/** Plays clauses one behind the other without a gap, and tells which one is heard. */
import type { Clip } from './pcm';
import { stretch } from './stretch';

/** Where the sound goes; Web Audio in the page, a clock by hand in tests. */
export interface Output {
  /** Seconds since it began. */
  now(): number;
  /** Begins the sound at that second. The result ends it; `onended` is called when it has been heard or ended. */
  play(clip: Clip, at: number, onended: () => void): () => void;
}

export interface Spoken {
  index: number;
  sentence: number;
  kind: 'answer' | 'citation';
}

interface Item {
  clause: Spoken;
  clip: Clip;
  /** At the speed it is played with: when it begins and ends, in seconds of the output. */
  from: number;
  to: number;
  speed: number;
  /** Samples of the clip left out, because the speed was changed while it was heard. */
  skipped: number;
  stop: () => void;
}

/** Time to get the first samples to the device. */
const LEAD = 0.03;

export class ClauseQueue {
  /** The clause that is heard changed; `null`: silence, between clauses that are late or at the end. */
  onclause: (clause: Spoken | null) => void = () => undefined;
  /** Everything was heard, and no more comes. */
  onend: () => void = () => undefined;
  #output: Output;
  #items: Item[] = [];
  #closed = false;
  #speed: number;
  #current: Item | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Seconds of sound that have been heard to their end. */
  heard = 0;

  constructor(output: Output, speed = 1) {
    this.#output = output;
    this.#speed = speed;
  }

  get waiting(): number {
    return this.#items.length;
  }

  push(clause: Spoken, clip: Clip): void {
    if (this.#closed || clip.samples.length === 0) return;
    this.#schedule(clause, clip, 0, this.#items.at(-1)?.to ?? 0);
    this.#look();
  }

  /** No more comes; `onend` follows when all has been heard. */
  close(): void {
    this.#closed = true;
    if (this.#items.length === 0) this.#finish();
  }

  /** Silence now; `onend` is not called. */
  stop(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    const items = this.#items;
    this.#items = [];
    this.#current = null;
    for (const item of items) item.stop();
  }

  /** Also of what is being heard: its rest goes on at the new speed. */
  set speed(speed: number) {
    if (speed === this.#speed) return;
    this.#speed = speed;
    const now = this.#output.now();
    const old = this.#items;
    this.#items = [];
    let at = 0;
    for (const item of old) {
      item.stop();
      const gone = Math.max(0, now - item.from) * item.speed * item.clip.rate;
      const skipped = Math.min(item.skipped + Math.round(gone), item.clip.samples.length);
      if (skipped >= item.clip.samples.length) continue;
      at = this.#schedule(item.clause, item.clip, skipped, at).to;
    }
    this.#current = null;
    this.#look();
    if (this.#closed && this.#items.length === 0) this.#finish();
  }

  #schedule(clause: Spoken, clip: Clip, skipped: number, after: number): Item {
    const samples = stretch(clip.samples.slice(skipped), clip.rate, this.#speed);
    const from = Math.max(after, this.#output.now() + LEAD);
    const item: Item = { clause, clip, from, to: from + samples.length / clip.rate, speed: this.#speed, skipped, stop: () => undefined };
    item.stop = this.#output.play({ rate: clip.rate, samples }, from, () => this.#ended(item));
    this.#items.push(item);
    return item;
  }

  #ended(item: Item): void {
    const at = this.#items.indexOf(item);
    // Stopped or scheduled anew: no longer ours.
    if (at < 0) return;
    this.#items.splice(at, 1);
    this.heard += item.to - item.from;
    if (this.#closed && this.#items.length === 0) this.#finish();
    else this.#look();
  }

  #finish(): void {
    clearTimeout(this.#timer);
    if (this.#current) this.onclause(null);
    this.#current = null;
    this.onend();
  }

  /** Tells what is heard now, and looks again when that will change. */
  #look(): void {
    clearTimeout(this.#timer);
    const now = this.#output.now();
    const item = this.#items.find((other) => now < other.to) ?? null;
    const heard = item && item.from <= now + 0.01 ? item : null;
    if (heard !== this.#current) {
      this.#current = heard;
      this.onclause(heard?.clause ?? null);
    }
    if (!item) return;
    const next = heard ? heard.to : item.from;
    this.#timer = setTimeout(() => this.#look(), Math.max(5, (next - now) * 1000));
  }
}
