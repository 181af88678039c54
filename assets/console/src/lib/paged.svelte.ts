/** A list that comes in pages, walked by cursors. */
import { untrack } from 'svelte';
import type { Paged } from './api';
import { describe, isAbort } from './toasts.svelte';

export class PagedList<T> {
  items = $state.raw<T[]>([]);
  total = $state(0);
  loading = $state(false);
  /** Something came at least once, so "empty" means empty. */
  known = $state(false);
  problem = $state.raw<{ text: string; hint: string | null } | null>(null);
  /** The cursors that led to this page, with what lay before each. */
  #trail = $state.raw<{ cursor: string; from: number }[]>([]);
  #next = $state<string | null>(null);
  #fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Paged<T>>;
  #abort: AbortController | null = null;

  constructor(fetch: (cursor: string | undefined, signal: AbortSignal) => Promise<Paged<T>>) {
    this.#fetch = fetch;
  }

  get index(): number {
    return this.#trail.length;
  }
  get hasNext(): boolean {
    return this.#next !== null;
  }
  /** How many lie before this page. */
  get from(): number {
    return this.#trail.at(-1)?.from ?? 0;
  }

  /** The first page, of another question. An effect may call it: it depends on nothing in here. */
  show(): void {
    untrack(() => {
      this.#trail = [];
      void this.load();
    });
  }

  forward(): void {
    if (this.#next === null) return;
    this.#trail = [...this.#trail, { cursor: this.#next, from: this.from + this.items.length }];
    void this.load();
  }

  back(): void {
    this.#trail = this.#trail.slice(0, -1);
    void this.load();
  }

  async load(): Promise<void> {
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.loading = true;
    try {
      const page = await this.#fetch(this.#trail.at(-1)?.cursor, abort.signal);
      if (abort.signal.aborted) return;
      this.items = page.items;
      this.#next = page.next_cursor ?? null;
      this.total = page.total ?? page.items.length;
      this.known = true;
      this.problem = null;
    } catch (error) {
      if (!isAbort(error) && this.#abort === abort) this.problem = describe(error);
    } finally {
      if (this.#abort === abort) this.loading = false;
    }
  }

  stop(): void {
    this.#abort?.abort();
  }
}
