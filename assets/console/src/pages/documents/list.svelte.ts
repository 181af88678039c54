/** One page of the list of documents, kept true by live events. */
import { api, type DocumentFacets, type DocumentQuery, type DocumentView } from '$lib/api';
import { on } from '$lib/api/events';
import { fail, isAbort } from '$lib/toasts.svelte';
import { inProgress } from './status';

export const PAGE_SIZE = 50;
const BULK_PAGE = 200;
/** How often documents in work are asked about, should an event get lost on the way. */
const LOOK_AGAIN = 10_000;

export class DocumentList {
  items = $state.raw<DocumentView[]>([]);
  total = $state(0);
  facets = $state.raw<DocumentFacets | null>(null);
  loading = $state(true);
  /** Something has been loaded at least once, so "empty" means empty. */
  known = $state(false);
  /** The cursors that led to this page; the first page has none. */
  #trail = $state<string[]>([]);
  #next = $state<string | null>(null);

  #query: DocumentQuery = {};
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get index(): number {
    return this.#trail.length;
  }
  get hasNext(): boolean {
    return this.#next !== null;
  }

  /** Shows the first page of another query. */
  show(query: DocumentQuery): void {
    this.#query = query;
    this.#trail = [];
    void this.load();
  }

  forward(): void {
    if (this.#next === null) return;
    this.#trail = [...this.#trail, this.#next];
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
      const cursor = this.#trail.at(-1);
      const page = await api.documents({ ...this.#query, limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) }, abort.signal);
      this.items = page.items;
      this.#next = page.next_cursor ?? null;
      this.total = page.total ?? page.items.length;
      this.known = true;
    } catch (error) {
      if (!isAbort(error)) fail(error);
    } finally {
      if (this.#abort === abort) this.loading = false;
    }
  }

  async loadFacets(): Promise<void> {
    try {
      this.facets = await api.documentFacets();
    } catch (error) {
      fail(error);
    }
  }

  /** Loads again soon; many events in a row lead to one load. */
  refreshSoon(wait = 800): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.load();
      void this.loadFacets();
    }, wait);
  }

  put(document: DocumentView): void {
    const at = this.items.findIndex((item) => item.id === document.id);
    if (at < 0) {
      this.refreshSoon();
      return;
    }
    const before = this.items[at];
    this.items = this.items.with(at, document);
    if (before?.status !== document.status) this.refreshSoon(1500);
  }

  /** Follows live events until the returned function is called. */
  follow(): () => void {
    const stops = [
      on('document', (document) => this.put(document)),
      on('document_deleted', ({ id }) => {
        if (this.items.some((item) => item.id === id)) this.refreshSoon(200);
        else this.refreshSoon();
      }),
      on('resumed', () => this.refreshSoon(0)),
    ];
    const timer = setInterval(() => {
      if (this.items.some(inProgress)) this.refreshSoon(0);
    }, LOOK_AGAIN);
    return () => {
      clearInterval(timer);
      for (const stop of stops) stop();
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#abort?.abort();
    };
  }

  /** The ids of all documents that match, over all pages. */
  async allIds(): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await api.documents({ ...this.#query, limit: BULK_PAGE, ...(cursor ? { cursor } : {}) });
      ids.push(...page.items.map((item) => item.id));
      cursor = page.next_cursor ?? undefined;
    } while (cursor);
    return ids;
  }
}
