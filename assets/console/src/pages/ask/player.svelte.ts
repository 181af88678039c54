/** The one voice of the page: speaks the clauses of an answer as they come, and tells which sentence is heard. */
import { ApiError, speech, voiceApi, type ClauseEvent, type SpeechTrace } from '$lib/api';
import { audible, decode, speakers } from '$lib/audio/output';
import type { Clip } from '$lib/audio/pcm';
import { ClauseQueue, type Spoken } from '$lib/audio/queue';
import { t } from '$lib/i18n.svelte';
import { recall, remember } from '$lib/storage';
import { fail, isAbort } from '$lib/toasts.svelte';

export const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];

const saved = Number(recall('speed'));

class Player {
  /** The turn that is being spoken, or whose first sound is awaited. */
  turn = $state<string | null>(null);
  /** Index of the sentence that is heard. */
  sentence = $state<number | null>(null);
  /** Its citation is heard, not itself. */
  citing = $state(false);
  loading = $state(false);
  speed = $state(SPEEDS.includes(saved) ? saved : 1);
  /** Told when the listener, and not the end of the answer, ended the sound. */
  onstopped: () => void = () => undefined;
  ontrace: (turn: string, trace: SpeechTrace) => void = () => undefined;
  #queue: ClauseQueue | null = null;
  #abort: AbortController | null = null;

  /** `quiet`: nobody pressed a button, so a failure (no voice, or the browser wants a click first) is not reported. */
  async play(turn: string, quiet = false): Promise<void> {
    this.hush();
    const abort = (this.#abort = new AbortController());
    this.#begin(turn);
    try {
      if (!(await audible()) && quiet) throw new DOMException('no click yet', 'AbortError');
      await this.#follow(turn, abort.signal);
      if (this.#abort === abort) this.#queue?.close();
    } catch (error) {
      if (this.#abort !== abort) return;
      this.#over();
      if (!quiet && !isAbort(error)) fail(error instanceof ApiError ? error : failed());
    }
  }

  /** The next clauses come by `say`, as in a spoken conversation. */
  live(turn: string): void {
    this.hush();
    this.#begin(turn);
  }

  say(clause: Spoken, clip: Clip): void {
    if (!this.#queue) return;
    this.loading = false;
    this.#queue.push(clause, clip);
  }

  /** No more clauses come. */
  end(): void {
    this.#queue?.close();
  }

  stop(): void {
    if (this.turn === null) return;
    this.#over();
    this.onstopped();
  }

  /** As `stop`, but not by the listener's wish. */
  hush(): void {
    this.#over();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    remember('speed', speed === 1 ? null : String(speed));
    if (this.#queue) this.#queue.speed = speed;
  }

  #begin(turn: string): void {
    this.turn = turn;
    this.loading = true;
    const queue = (this.#queue = new ClauseQueue(speakers, this.speed));
    queue.onclause = (clause) => {
      // Between two clauses the mark stays where it was.
      if (!clause) return;
      this.sentence = clause.sentence;
      this.citing = clause.kind === 'citation';
    };
    queue.onend = () => {
      if (this.#queue === queue) this.#over();
    };
  }

  #over(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#queue?.stop();
    this.#queue = null;
    this.turn = null;
    this.sentence = null;
    this.citing = false;
    this.loading = false;
  }

  /** Clauses are fetched in order, each while the one before is heard. */
  async #follow(turn: string, signal: AbortSignal): Promise<void> {
    let next = 0;
    for (let attempt = 0; ; attempt++) {
      try {
        for await (const { event, data } of speech(turn, signal)) {
          if (event === 'error') throw new ApiError(data);
          if (event === 'done') return this.ontrace(turn, data.trace);
          if (data.index < next) continue;
          await this.#fetch(data, signal);
          next = data.index + 1;
        }
        throw ApiError.unreachable();
      } catch (error) {
        // The sound was dropped from the server's store between its announcement and now: ask for it anew, once.
        if (!(error instanceof ApiError && error.status === 404 && next > 0) || attempt > 0) throw error;
      }
    }
  }

  async #fetch(clause: ClauseEvent, signal: AbortSignal): Promise<void> {
    if (!clause.url) return;
    const clip = await decode(await voiceApi.clip(clause.url, signal));
    if (!signal.aborted) this.say(clause, clip);
  }
}

function failed(): ApiError {
  return new ApiError({ status: 0, code: 'audio', detail: t('ask.audio_failed'), title: '', hint: t('ask.audio_hint') });
}

export const player = new Player();
