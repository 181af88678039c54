import { describe, expect, it } from 'vitest';
import { readEvents, SseParser } from '$lib/api/sse';

const STREAM = '\uFEFF: hello\r\nevent: token\r\ndata: {"text":"Grüße 😀"}\r\n\r\nid: 7\ndata: a\ndata:b\n\nevent: done\rdata: {}\r\rdata: not finished';
const EVENTS = [
  { event: 'token', data: '{"text":"Grüße 😀"}', id: '' },
  { event: 'message', data: 'a\nb', id: '7' },
  { event: 'done', data: '{}', id: '7' },
];

describe('server-sent events', () => {
  it('are the same however the text is cut into pieces', () => {
    for (let size = 1; size <= STREAM.length; size++) {
      const parser = new SseParser();
      const found = [];
      for (let at = 0; at < STREAM.length; at += size) found.push(...parser.push(STREAM.slice(at, at + size)));
      expect(found, `pieces of ${size}`).toEqual(EVENTS);
    }
  });

  it('do not come from an event without data', () => {
    expect(new SseParser().push('event: ping\n\n:\n\n')).toEqual([]);
  });

  it('survive characters that are split between reads', async () => {
    const bytes = new TextEncoder().encode(STREAM);
    for (const size of [1, 2, 3, 5, 1000]) {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
          controller.close();
        },
      });
      const found = [];
      for await (const event of readEvents(body)) found.push(event);
      expect(found).toEqual(EVENTS);
    }
  });
});
