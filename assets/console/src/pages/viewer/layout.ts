/** From text and blocks to what is drawn: paragraphs, lists, tables, and the marks of pages and sheets between them. */
import type { Block } from '$lib/api';
import { cpLength, cpToUnit } from '$lib/codepoints';
import type { Part } from './reader.svelte';

export interface Item {
  kind: Block['kind'];
  level: number;
  start: number;
  text: string;
}

export interface Group {
  kind: 'list' | 'table' | 'single';
  start: number;
  items: Item[];
  /** Set where a new page begins. */
  page: number | null;
  /** Set where a new sheet, slide or member begins. */
  label: string | null;
}

export interface Cell {
  text: string;
  start: number;
}

/** A table's row into its cells, which a tab parts, each with its own offset. */
export function cells(item: Item): Cell[] {
  const out: Cell[] = [];
  let start = item.start;
  for (const text of item.text.split('\t')) {
    out.push({ text, start });
    start += cpLength(text) + 1;
  }
  return out;
}

/** Blocks in order and without overlap; text that no block covers becomes a paragraph. */
function items(part: Part): (Item & { page: number | null; label: string | null })[] {
  const out: (Item & { page: number | null; label: string | null })[] = [];
  let unit = 0;
  let at = part.from;
  let page: number | null = null;
  let label: string | null = null;
  const take = (to: number) => {
    const next = cpToUnit(part.text, to - part.from, unit, at - part.from);
    const text = part.text.slice(unit, next);
    unit = next;
    at = to;
    return text;
  };
  const gap = (to: number) => {
    const start = at;
    const text = take(to);
    if (text.trim()) out.push({ kind: 'paragraph', level: 0, start, text, page, label });
  };
  for (const block of part.blocks.toSorted((a, b) => a.start - b.start)) {
    const start = Math.max(block.start, at);
    const end = Math.min(block.end, part.to);
    if (start >= end) continue;
    if (start > at) gap(start);
    page = block.page ?? null;
    label = block.label ?? null;
    out.push({ kind: block.kind, level: block.level ?? 0, start, text: take(end), page, label });
  }
  if (at < part.to) gap(part.to);
  return out;
}

function groupKind(kind: Block['kind']): Group['kind'] {
  return kind === 'list_item' ? 'list' : kind === 'table_row' ? 'table' : 'single';
}

export function layout(part: Part): Group[] {
  const groups: Group[] = [];
  let page: number | null = null;
  let label: string | null = null;
  for (const item of items(part)) {
    const newPage = item.page !== page ? item.page : null;
    const newLabel = item.label !== label ? item.label : null;
    page = item.page;
    label = item.label;
    const kind = groupKind(item.kind);
    const last = groups.at(-1);
    if (last && last.kind === kind && kind !== 'single' && newPage === null && newLabel === null) last.items.push(item);
    else groups.push({ kind, start: item.start, items: [item], page: newPage, label: newLabel });
  }
  return groups;
}

/** The page that an offset lies on, as far as the loaded part tells. */
export function pageAt(part: Part, offset: number): number | null {
  let page: number | null = null;
  for (const block of part.blocks) {
    if (block.start > offset) break;
    page = block.page ?? page;
  }
  return page;
}
