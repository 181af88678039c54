/** A parser for `text/event-stream` (WHATWG HTML §9.2.6), for answers to POST that `EventSource` cannot read. */

export interface ServerEvent {
  event: string;
  data: string;
  id: string;
}

/** Feed it text as it comes, in pieces of any size; it gives the events that are complete. */
export class SseParser {
  #buffer = '';
  #event = '';
  #data: string[] = [];
  #id = '';
  #first = true;

  push(chunk: string): ServerEvent[] {
    let text = this.#buffer + chunk;
    if (this.#first && text.length > 0) {
      if (text.startsWith('\uFEFF')) text = text.slice(1);
      this.#first = false;
    }
    const events: ServerEvent[] = [];
    let from = 0;
    for (;;) {
      const at = nextBreak(text, from);
      if (at < 0) break;
      // A CR at the very end may be the first half of CR LF: wait for the next piece.
      if (text[at] === '\r' && at + 1 === text.length) break;
      const done = this.#line(text.slice(from, at));
      if (done) events.push(done);
      from = text[at] === '\r' && text[at + 1] === '\n' ? at + 2 : at + 1;
    }
    this.#buffer = text.slice(from);
    return events;
  }

  #line(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch();
    if (line.startsWith(':')) return null;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? '' : line.slice(colon + 1);
    if (value.startsWith(' ')) value = value.slice(1);
    if (field === 'event') this.#event = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return null;
  }

  #dispatch(): ServerEvent | null {
    const data = this.#data;
    const event = this.#event || 'message';
    this.#data = [];
    this.#event = '';
    return data.length === 0 ? null : { event, data: data.join('\n'), id: this.#id };
  }
}

function nextBreak(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 10 || c === 13) return i;
  }
  return -1;
}

/** Reads a response's body as server-sent events until it ends. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const parser = new SseParser();
  const decoder = new TextDecoder();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
