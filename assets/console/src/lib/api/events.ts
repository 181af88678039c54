/** The tenant's live events (`GET /events`), shared by all pages over one connection. */
import { url } from './client';
import type { DocumentView, QueueView } from './types';

export interface LiveEvents {
  document: DocumentView;
  document_deleted: { id: string };
  queue: QueueView;
  /** The connection is there, for the first time or again: what happened before it is not known, so load again. */
  resumed: null;
}

type Handler<K extends keyof LiveEvents> = (data: LiveEvents[K]) => void;

const handlers: { [K in keyof LiveEvents]: Set<Handler<K>> } = {
  document: new Set(),
  document_deleted: new Set(),
  queue: new Set(),
  resumed: new Set(),
};

let source: EventSource | null = null;
let retry: ReturnType<typeof setTimeout> | undefined;

/** Listens until the returned function is called. */
export function on<K extends keyof LiveEvents>(kind: K, handler: Handler<K>): () => void {
  const set = handlers[kind] as Set<Handler<K>>;
  set.add(handler);
  return () => set.delete(handler);
}

function emit<K extends keyof LiveEvents>(kind: K, data: LiveEvents[K]): void {
  for (const handler of handlers[kind] as Set<Handler<K>>) handler(data);
}

export function connect(): void {
  if (source) return;
  const opened = new EventSource(url('/events'));
  source = opened;
  for (const kind of ['document', 'document_deleted', 'queue'] as const) {
    opened.addEventListener(kind, (e) => emit(kind, JSON.parse((e as MessageEvent<string>).data) as never));
  }
  opened.onopen = () => {
    emit('resumed', null);
  };
  opened.onerror = () => {
    // Closed for good (the server answered with an error): the browser gives up, so try again slowly.
    if (opened.readyState === EventSource.CLOSED && source === opened) {
      source = null;
      retry = setTimeout(connect, 5000);
    }
  };
}

export function disconnect(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
}
