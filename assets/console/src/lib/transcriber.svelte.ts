/** A recording on its way to words. Lives beside the pages, so moving about does not stop it. */
import { transcribe, type Segment, type Transcript } from './api';
import { describe, isAbort } from './toasts.svelte';

export type TranscribePhase = 'idle' | 'sending' | 'hearing' | 'done' | 'failed';

export class Transcriber {
  phase = $state<TranscribePhase>('idle');
  file = $state.raw<File | null>(null);
  language = $state('');
  sent = $state(0);
  segments = $state<Segment[]>([]);
  result = $state.raw<Transcript | null>(null);
  problem = $state<{ text: string; hint: string | null } | null>(null);
  #abort: AbortController | null = null;
  #send: typeof transcribe;

  constructor(send: typeof transcribe = transcribe) {
    this.#send = send;
  }

  get busy(): boolean {
    return this.phase === 'sending' || this.phase === 'hearing';
  }

  async start(file: File): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    Object.assign(this, { file, phase: 'sending', sent: 0, segments: [], result: null, problem: null });
    const handlers = {
      onsent: (bytes: number) => {
        if (this.#abort !== abort) return;
        this.sent = Math.min(bytes, file.size);
        if (bytes >= file.size && this.phase === 'sending') this.phase = 'hearing';
      },
      onsegment: (segment: Segment) => {
        if (this.#abort !== abort) return;
        this.phase = 'hearing';
        this.segments.push(segment);
      },
    };
    try {
      const result = await this.#send(file, this.language, handlers, abort.signal);
      if (this.#abort !== abort) return;
      Object.assign(this, { result, segments: result.segments, phase: 'done' });
    } catch (error) {
      if (this.#abort !== abort) return;
      if (isAbort(error)) this.phase = this.segments.length > 0 ? 'done' : 'idle';
      else Object.assign(this, { phase: 'failed', problem: describe(error) });
    }
  }

  /** What was heard so far stays. */
  stop(): void {
    this.#abort?.abort();
  }
}

export const transcriber = new Transcriber();
