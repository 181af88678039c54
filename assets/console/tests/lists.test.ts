import { describe, expect, it } from 'vitest';
import { ApiError, type Paged } from '$lib/api';
import { PagedList } from '$lib/paged.svelte';
import { Resource } from '$lib/resource.svelte';

const pages: Record<string, Paged<number>> = {
  '': { items: [1, 2], next_cursor: 'b', total: 3 },
  b: { items: [3], next_cursor: null, total: 3 },
};
const settled = () => new Promise((resolve) => setTimeout(resolve));

describe('lists in pages', () => {
  it('are walked forward and back', async () => {
    const list = new PagedList<number>(async (cursor) => pages[cursor ?? ''] ?? { items: [] });
    list.show();
    expect(list.known).toBe(false);
    await settled();
    expect([list.items, list.from, list.hasNext, list.total]).toEqual([[1, 2], 0, true, 3]);
    list.forward();
    await settled();
    expect([list.items, list.from, list.hasNext, list.index]).toEqual([[3], 2, false, 1]);
    list.forward();
    await settled();
    expect(list.index).toBe(1);
    list.back();
    await settled();
    expect(list.items).toEqual([1, 2]);
  });

  it('keep what there is when a load fails, and say why', async () => {
    let broken = false;
    const list = new PagedList<number>(async () => {
      if (broken) throw new ApiError({ status: 503, code: 'busy', detail: 'Busy.', hint: 'Wait.' });
      return { items: [1] };
    });
    list.show();
    await settled();
    broken = true;
    await list.load();
    expect([list.items, list.problem?.text, list.problem?.hint?.startsWith('Wait.')]).toEqual([[1], 'Busy.', true]);
    broken = false;
    await list.load();
    expect(list.problem).toBeNull();
  });

  it('take the last question’s answer, whichever comes first', async () => {
    const waiting: ((page: Paged<string>) => void)[] = [];
    const list = new PagedList<string>(() => new Promise((resolve) => waiting.push(resolve)));
    list.show();
    list.show();
    waiting[1]?.({ items: ['second'] });
    waiting[0]?.({ items: ['first'] });
    await settled();
    expect([list.items, list.loading]).toEqual([['second'], false]);
  });
});

describe('things from the server', () => {
  it('fail with words and can be loaded again', async () => {
    let tries = 0;
    const one = new Resource(async () => {
      tries += 1;
      if (tries === 1) throw ApiError.unreachable();
      return 'here';
    });
    await one.load();
    expect([one.value, one.problem === null]).toEqual([null, false]);
    await one.load();
    expect([one.value, one.problem, one.loading]).toEqual(['here', null, false]);
  });

  it('that are stopped say nothing', async () => {
    const one = new Resource((signal) => new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(new DOMException('x', 'AbortError')))));
    const loading = one.load();
    one.stop();
    await loading;
    expect([one.value, one.problem]).toEqual([null, null]);
  });
});
