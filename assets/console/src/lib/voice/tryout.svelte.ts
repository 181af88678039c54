/** Plays a short text in a voice, one at a time; for trying voices and words. */
import { voiceApi, type SpeechRequest } from '$lib/api';
import { decode, speakers, wake } from '$lib/audio/output';
import { ClauseQueue } from '$lib/audio/queue';
import { fail, isAbort } from '$lib/toasts.svelte';

class Tryout {
  /** What is played, by the name that the button gave it. */
  key = $state<string | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;
  #queue: ClauseQueue | null = null;

  /** Plays it, or stops it when it is played already. Call it in a click, so that the browser lets it be heard. */
  async toggle(key: string, request: SpeechRequest): Promise<void> {
    const again = this.key === key;
    this.stop();
    if (again) return;
    wake();
    const abort = (this.#abort = new AbortController());
    this.key = key;
    this.loading = true;
    try {
      const clip = await decode(await voiceApi.say(request, abort.signal));
      if (this.#abort !== abort) return;
      this.loading = false;
      const queue = (this.#queue = new ClauseQueue(speakers));
      queue.onend = () => this.#queue === queue && this.stop();
      queue.push({ index: 0, sentence: 0, kind: 'answer' }, clip);
      queue.close();
    } catch (error) {
      if (this.#abort !== abort) return;
      this.stop();
      if (!isAbort(error)) fail(error);
    }
  }

  stop(): void {
    this.#abort?.abort();
    this.#queue?.stop();
    this.#abort = null;
    this.#queue = null;
    this.key = null;
    this.loading = false;
  }
}

export const tryout = new Tryout();
