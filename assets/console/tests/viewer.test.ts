import { describe, expect, it } from 'vitest';
import type { Block, DocumentText } from '$lib/api';
import { cpLength, cpSlice } from '$lib/codepoints';
import { findAll } from '../src/pages/viewer/find';
import { cells, layout, pageAt } from '../src/pages/viewer/layout';
import { trim } from '../src/pages/viewer/reader.svelte';

/** A document of blocks, each on its own line, with its offsets in code points. */
function build(parts: [Block['kind'], string, number | null][]): DocumentText {
  let text = '';
  const blocks: Block[] = [];
  for (const [kind, part, page] of parts) {
    const start = cpLength(text);
    text += `${part}\n`;
    blocks.push({ kind, level: 1, start, end: start + cpLength(part), page, label: null });
  }
  return { document: 'doc_1', title: 'T', length: cpLength(text), from: 0, to: cpLength(text), text, blocks };
}

const whole = build([
  ['heading', 'Pumps 😀', 1],
  ['paragraph', 'The north pump.', 1],
  ['list_item', 'one', 1],
  ['list_item', 'two', 2],
  ['table_row', 'a😀\tb\tc', 2],
  ['table_row', 'd\te\tf', 2],
  ['paragraph', 'The end.', 3],
]);

const window = (from: number, to: number): DocumentText => ({
  ...whole,
  from,
  to,
  text: cpSlice(whole.text, from, to),
  blocks: whole.blocks.filter((b) => b.start < to && b.end > from),
});

describe('the layout of a document', () => {
  it('groups lists and tables and tells where pages begin', () => {
    const groups = layout(whole);
    expect(groups.map((g) => [g.kind, g.items.length, g.page])).toEqual([
      ['single', 1, 1],
      ['single', 1, null],
      ['list', 1, null],
      ['list', 1, 2],
      ['table', 2, null],
      ['single', 1, 3],
    ]);
  });

  it('keeps every word at its offset, also in cells behind an emoji', () => {
    for (const group of layout(whole)) {
      for (const item of group.items) {
        expect(cpSlice(whole.text, item.start, item.start + cpLength(item.text))).toBe(item.text);
        if (item.kind !== 'table_row') continue;
        for (const cell of cells(item)) expect(cpSlice(whole.text, cell.start, cell.start + cpLength(cell.text))).toBe(cell.text);
      }
    }
  });

  it('shows text that no block covers, and survives blocks that overlap or lie outside', () => {
    const blocks: Block[] = [
      { kind: 'paragraph', level: 0, start: 4, end: 8, page: null, label: null },
      { kind: 'paragraph', level: 0, start: 6, end: 99, page: null, label: null },
      { kind: 'paragraph', level: 0, start: 500, end: 600, page: null, label: null },
    ];
    const groups = layout({ from: 0, to: 12, text: 'abc defg hij', blocks });
    expect(groups.map((g) => g.items[0]?.text).join('')).toBe('abc defg hij');
  });

  it('knows the page of an offset', () => {
    expect(pageAt(whole, 0)).toBe(1);
    expect(pageAt(whole, whole.length - 2)).toBe(3);
  });
});

describe('a window of a document', () => {
  it('ends at borders of blocks, wherever it was cut, and keeps the wanted place', () => {
    for (let from = 0; from < whole.length; from++) {
      for (let to = from + 1; to <= whole.length; to++) {
        const keep = Math.floor((from + to) / 2);
        const part = trim(window(from, to), keep);
        expect(part.from).toBeLessThanOrEqual(Math.max(keep, from));
        expect(part.to).toBeGreaterThan(part.from);
        expect(part.text).toBe(cpSlice(whole.text, part.from, part.to));
      }
    }
  });
});

describe('find in the text', () => {
  it('counts code points and does not mind case or line breaks', () => {
    const text = '😀 Fire\nexit. fire  EXIT';
    const places = findAll(text, ' fire exit ');
    expect(places.map((p) => cpSlice(text, p.start, p.end))).toEqual(['Fire\nexit', 'fire  EXIT']);
  });

  it('takes every sign as itself', () => {
    const odd = 'a.b*c+d?e^f$g{h}i(j)k|l[m]n\\o/p-q';
    for (const query of [odd, '.*', '(', '[a', '\\', '-', '/p', '{1}']) expect(() => findAll(odd, query)).not.toThrow();
    expect(findAll(odd, odd)).toEqual([{ start: 0, end: cpLength(odd) }]);
    expect(findAll('abc', '.')).toEqual([]);
    expect(findAll('x', '  ')).toEqual([]);
  });

  it('stops at its limit', () => {
    expect(findAll('a'.repeat(100), 'a', 0, 7)).toHaveLength(7);
  });
});
