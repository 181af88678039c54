/** One thing from the server: there, on its way, or failed. */
import { describe, isAbort } from './toasts.svelte';

export class Resource<T> {
  value = $state.raw<T | null>(null);
  problem = $state.raw<{ text: string; hint: string | null } | null>(null);
  loading = $state(false);
  #fetch: (signal: AbortSignal) => Promise<T>;
  #abort: AbortController | null = null;

  constructor(fetch: (signal: AbortSignal) => Promise<T>) {
    this.#fetch = fetch;
  }

  /** A later call replaces an earlier one that has not come back. */
  async load(): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.loading = true;
    try {
      const value = await this.#fetch(abort.signal);
      if (abort.signal.aborted) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (!isAbort(error) && this.#abort === abort) this.problem = describe(error);
    } finally {
      if (this.#abort === abort) this.loading = false;
    }
  }

  /** For the end of a component. */
  stop(): void {
    this.#abort?.abort();
  }
}

/** Loads now and stops with the component; call it while one is made. */
export function resource<T>(fetch: (signal: AbortSignal) => Promise<T>): Resource<T> {
  const made = new Resource(fetch);
  $effect(() => {
    void made.load();
    return () => made.stop();
  });
  return made;
}
