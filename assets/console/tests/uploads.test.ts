import { describe, expect, it } from 'vitest';
import { ApiError, type DocumentView } from '$lib/api';
import { uploadForm } from '$lib/api/upload';
import { Uploads } from '$lib/uploads.svelte';

const file = (name: string, size = 4) => ({ file: new File(['x'.repeat(size)], name), path: `box/${name}` });
const document = (id: string) => ({ id }) as DocumentView;
const now = () => Promise.resolve();

async function settle(uploads: Uploads) {
  do await new Promise((r) => setTimeout(r, 2));
  while (uploads.active);
}

describe('the queue of uploads', () => {
  it('sends at most three at once and all in the end', async () => {
    let running = 0;
    let most = 0;
    const uploads = new Uploads(async (f) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((r) => setTimeout(r, 2));
      running -= 1;
      return { document: document(f.name), existed: f.name === 'b' };
    }, now);
    uploads.add(['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((name) => file(name)));
    await settle(uploads);
    expect(most).toBe(3);
    expect(uploads.counts).toMatchObject({ done: 6, existed: 1, failed: 0, waiting: 0 });
    expect(uploads.percent).toBe(100);
  });

  it('tries again what may pass, and not what will not', async () => {
    const tries: Record<string, number> = {};
    const uploads = new Uploads((f) => {
      const n = (tries[f.name] = (tries[f.name] ?? 0) + 1);
      if (f.name === 'flaky' && n < 3) return Promise.reject(ApiError.unreachable());
      if (f.name === 'refused') return Promise.reject(new ApiError({ status: 413, detail: 'Too large.', hint: 'Split it.' }));
      if (f.name === 'down') return Promise.reject(new ApiError({ status: 503, detail: 'Busy.' }));
      return Promise.resolve({ document: document(f.name), existed: false });
    }, now);
    uploads.add([file('flaky'), file('refused'), file('down')]);
    await settle(uploads);
    expect(tries).toEqual({ flaky: 3, refused: 1, down: 3 });
    expect(uploads.tasks.map((task) => task.state)).toEqual(['done', 'failed', 'failed']);
    expect(uploads.tasks[1]?.problem).toEqual({ text: 'Too large.', hint: 'Split it.' });
    uploads.retryFailed();
    await settle(uploads);
    expect(tries['refused']).toBe(2);
  });

  it('cancels what waits and what is being sent, and can take it up again', async () => {
    const uploads = new Uploads(
      (_f, _fields, _progress, signal) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')))),
      now,
    );
    uploads.add(['a', 'b', 'c', 'd'].map((name) => file(name)));
    expect(uploads.counts).toMatchObject({ sending: 3, waiting: 1 });
    uploads.cancelAll();
    await settle(uploads);
    expect(uploads.counts.cancelled).toBe(4);
    uploads.retry(uploads.tasks[0]?.id ?? 0);
    expect(uploads.counts.sending).toBe(1);
    uploads.cancelAll();
  });

  it('does not send what is over the limit', () => {
    const uploads = new Uploads(() => Promise.reject(new Error('must not be sent')), now);
    uploads.maxBytes = 10;
    uploads.add([file('big', 11)]);
    expect(uploads.tasks[0]?.state).toBe('failed');
    expect(uploads.canRetry(uploads.tasks[0]?.id ?? 0)).toBe(false);
  });

  it('writes the fields before the file', () => {
    const form = uploadForm(new File(['x'], 'a.txt'), { collection: 'C', tags: ['t', 'u'], path: 'p/a.txt', title: '' });
    expect([...form.keys()]).toEqual(['collection', 'tags', 'path', 'file']);
    expect(form.get('tags')).toBe('t,u');
  });
});
