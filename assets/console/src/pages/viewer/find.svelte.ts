/** The state of "find in this document": fetches the whole text once, in large pieces, and walks through the places. */
import { api } from '$lib/api';
import { cpLength } from '$lib/codepoints';
import { findAll, MAX_PLACES, type Place } from './find';

const PIECE = 200_000;

export class Finder {
  query = $state('');
  places = $state.raw<Place[]>([]);
  index = $state(0);
  busy = $state(false);
  #text: string | null = null;
  #abort: AbortController | null = null;

  constructor(readonly id: string) {}

  get current(): Place | null {
    return this.places[this.index] ?? null;
  }
  get capped(): boolean {
    return this.places.length >= MAX_PLACES;
  }

  /** Finds all places and makes the first at or behind `from` the current one. */
  async search(query: string, from: number): Promise<void> {
    this.query = query;
    if (query.trim() === '') {
      this.places = [];
      return;
    }
    const text = await this.#whole();
    if (text === null || query !== this.query) return;
    this.places = findAll(text, query);
    this.index = Math.max(0, this.places.findIndex((place) => place.start >= from));
  }

  step(by: 1 | -1): void {
    const n = this.places.length;
    if (n > 0) this.index = (this.index + by + n) % n;
  }

  stop(): void {
    this.#abort?.abort();
    this.places = [];
    this.query = '';
    this.#text = null;
  }

  async #whole(): Promise<string | null> {
    if (this.#text !== null) return this.#text;
    this.#abort?.abort();
    const abort = (this.#abort = new AbortController());
    this.busy = true;
    try {
      let text = '';
      let at = 0;
      for (;;) {
        const piece = await api.documentText(this.id, at, at + PIECE, abort.signal);
        text += piece.text;
        at += cpLength(piece.text);
        if (piece.text === '' || at >= piece.length) break;
      }
      this.#text = text;
      return text;
    } finally {
      if (this.#abort === abort) this.busy = false;
    }
  }
}
