import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { Clip } from '$lib/audio/pcm';
import { ClauseQueue, type Output, type Spoken } from '$lib/audio/queue';

/** A loudspeaker whose clock is turned by hand. */
class Hand implements Output {
  time = 0;
  playing: { clip: Clip; at: number; end: number; onended: () => void }[] = [];
  /** Every sound that was ever begun: [from, to]. */
  log: [number, number][] = [];

  now() {
    return this.time;
  }

  play(clip: Clip, at: number, onended: () => void) {
    const item = { clip, at, end: at + clip.samples.length / clip.rate, onended };
    this.playing.push(item);
    this.log.push([item.at, item.end]);
    return () => {
      this.playing = this.playing.filter((other) => other !== item);
    };
  }

  async run(seconds: number) {
    const until = this.time + seconds;
    while (this.time < until - 1e-9) {
      this.time = Math.min(until, this.time + 0.01);
      await vi.advanceTimersByTimeAsync(10);
      for (const item of [...this.playing]) {
        if (item.end > this.time) continue;
        this.playing = this.playing.filter((other) => other !== item);
        item.onended();
      }
    }
  }
}

const clause = (index: number, sentence = index): Spoken => ({ index, sentence, kind: 'answer' });
const sound = (seconds: number): Clip => ({ rate: 1000, samples: new Float32Array(seconds * 1000).fill(0.1) });

describe('the queue of clauses', () => {
  let hand: Hand;
  let heard: (number | null)[];
  let ended: number;
  let queue: ClauseQueue;

  beforeEach(() => {
    vi.useFakeTimers();
    hand = new Hand();
    heard = [];
    ended = 0;
    queue = new ClauseQueue(hand);
    queue.onclause = (c) => heard.push(c?.index ?? null);
    queue.onend = () => (ended += 1);
  });

  it('plays one behind the other without a gap, each once, and tells which', async () => {
    for (const i of [0, 1, 2]) queue.push(clause(i), sound(0.5));
    queue.close();
    await hand.run(2);
    expect(heard).toEqual([0, 1, 2, null]);
    expect(ended).toBe(1);
    for (let i = 1; i < 3; i++) expect(hand.log[i]?.[0]).toBe(hand.log[i - 1]?.[1]);
    expect(queue.heard).toBeCloseTo(1.5, 5);
  });

  it('goes on after a pause when a clause is late', async () => {
    queue.push(clause(0), sound(0.2));
    await hand.run(1);
    expect(heard).toEqual([0, null]);
    queue.push(clause(1), sound(0.2));
    queue.close();
    await hand.run(1);
    expect(heard).toEqual([0, null, 1, null]);
    expect(ended).toBe(1);
    expect(hand.log[1]?.[0]).toBeGreaterThanOrEqual(1);
  });

  it('is silent at once when it is stopped, and takes nothing more', async () => {
    for (const i of [0, 1, 2]) queue.push(clause(i), sound(1));
    await hand.run(0.3);
    queue.stop();
    expect(hand.playing).toEqual([]);
    queue.push(clause(3), sound(1));
    expect(hand.playing).toEqual([]);
    await hand.run(3);
    expect(ended).toBe(0);
    expect(heard).toEqual([0]);
  });

  it('changes the speed of what is heard and of what follows, and leaves nothing out', async () => {
    const long = new ClauseQueue(hand);
    const order: (number | null)[] = [];
    long.onclause = (c) => order.push(c?.index ?? null);
    long.onend = () => (ended += 1);
    for (const i of [0, 1]) long.push(clause(i), sound(2));
    long.close();
    await hand.run(1.03);
    long.speed = 2;
    // Of the first a second is left, of the second two: at double speed one and a half.
    await hand.run(1.4);
    expect(ended).toBe(0);
    await hand.run(0.4);
    expect(ended).toBe(1);
    expect(order.filter((c, i) => c !== order[i - 1])).toEqual([0, 1, null]);
  });

  it('ends when it is closed empty, and ignores a clause without sound', () => {
    queue.push(clause(0), sound(0));
    queue.close();
    expect(ended).toBe(1);
  });
});
