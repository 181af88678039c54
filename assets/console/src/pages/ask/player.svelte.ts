/** The one voice of the page: plays the spoken answer of a turn, and only one at a time. */
import { api } from '$lib/api';
import { t } from '$lib/i18n.svelte';
import { fail } from '$lib/toasts.svelte';
import { ApiError } from '$lib/api';

class Player {
  turn = $state<string | null>(null);
  loading = $state(false);
  #audio: HTMLAudioElement | null = null;

  /** `quiet`: nobody pressed a button, so a failure (no voice, or the browser wants a click first) is not reported. */
  play(turn: string, quiet = false): void {
    this.stop();
    const audio = (this.#audio ??= this.#element());
    this.turn = turn;
    this.loading = true;
    audio.src = api.turnAudioUrl(turn);
    audio.play().catch((error: unknown) => {
      if (this.turn !== turn) return;
      this.stop();
      if (!quiet && !(error instanceof DOMException && error.name === 'AbortError')) {
        fail(new ApiError({ status: 0, code: 'audio', detail: t('ask.audio_failed'), title: '', hint: t('ask.audio_hint') }));
      }
    });
  }

  stop(): void {
    this.turn = null;
    this.loading = false;
    if (!this.#audio) return;
    this.#audio.pause();
    this.#audio.removeAttribute('src');
    this.#audio.load();
  }

  #element(): HTMLAudioElement {
    const audio = document.createElement('audio');
    audio.id = 'voice';
    audio.hidden = true;
    audio.preload = 'none';
    audio.onplaying = () => (this.loading = false);
    audio.onended = () => (this.turn = null);
    document.body.append(audio);
    return audio;
  }
}

export const player = new Player();
