/** Runs on the audio thread: the microphone's samples as 16 kHz, 16 bit, in pieces of 40 ms, with how loud each is. */
import { loudness, toPcm16 } from './pcm';
import { Resampler } from './resample';

/** What TypeScript's DOM library leaves out: the scope of an AudioWorklet. */
declare const sampleRate: number;
declare abstract class AudioWorkletProcessor {
  readonly port: MessagePort;
}
declare function registerProcessor(name: string, processor: new () => AudioWorkletProcessor): void;

const RATE = 16_000;
const PIECE = 640;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #held = new Float32Array(PIECE * 4);
  #count = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = () => {
      this.#take(this.#resampler.flush());
      this.#send(this.#count);
      this.port.postMessage({ end: true });
      this.#open = false;
    };
  }

  process(inputs: Float32Array[][]): boolean {
    const channel = inputs[0]?.[0];
    if (channel && this.#open) this.#take(this.#resampler.push(channel));
    return this.#open;
  }

  #take(samples: Float32Array): void {
    for (const sample of samples) {
      this.#held[this.#count++] = sample;
      if (this.#count === PIECE) this.#send(PIECE);
    }
  }

  #send(count: number): void {
    this.#count = 0;
    if (count === 0) return;
    const piece = this.#held.slice(0, count);
    const pcm = toPcm16(piece).buffer;
    this.port.postMessage({ pcm, ...loudness(piece) }, [pcm]);
  }
}

registerProcessor('lectern-capture', Capture);
