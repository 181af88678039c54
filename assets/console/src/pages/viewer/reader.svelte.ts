/**
 * The part of a document's text that is loaded, grown at both ends as one scrolls. Offsets are code points of the
 * whole text. A part always begins and ends at the border of a block, so no paragraph is shown in two halves.
 */
import { api, type Block, type DocumentText } from '$lib/api';
import { cpLength, cpToUnit } from '$lib/codepoints';

const STEP = 24_000;
const BEFORE = 6_000;
const PROBE = 4_000;

export interface Part {
  from: number;
  to: number;
  text: string;
  blocks: Block[];
}

/** Takes the half blocks off the ends of a window, unless that would leave nothing. */
export function trim(window: DocumentText, keep: number): Part {
  const blocks = window.blocks.filter((b) => b.end > window.from && b.start < window.to && b.start < b.end);
  let { from, to } = window;
  const first = blocks[0];
  if (from > 0 && first && first.end < Math.min(to, keep)) from = first.end;
  const last = blocks.at(-1);
  if (to < window.length && last && last.start > Math.max(from, keep)) to = last.start;
  const start = cpToUnit(window.text, from - window.from);
  const end = cpToUnit(window.text, to - window.from, start, from - window.from);
  return { from, to, text: window.text.slice(start, end), blocks: blocks.filter((b) => b.start < to && b.end > from) };
}

export class Reader {
  part = $state.raw<Part>({ from: 0, to: 0, text: '', blocks: [] });
  length = $state(0);
  title = $state('');
  ready = $state(false);
  #busy = false;

  constructor(readonly id: string) {}

  get atStart(): boolean {
    return this.part.from <= 0;
  }
  get atEnd(): boolean {
    return this.part.to >= this.length;
  }
  has(offset: number): boolean {
    return this.ready && offset >= this.part.from && (offset < this.part.to || this.atEnd);
  }

  /** Shows the text around an offset, and at least up to `end`. */
  async open(offset: number, end = offset): Promise<void> {
    const from = Math.max(0, offset - BEFORE);
    const window = await this.#window(from, Math.max(offset + STEP, end + BEFORE));
    this.part = trim(window, Math.max(offset, Math.min(end, window.to)));
    this.ready = true;
  }

  /** Where a page begins: guessed by its share of the text, then closed in on. */
  async findPage(page: number, pages: number): Promise<number> {
    let low = 0;
    let high = (await this.#window(0, 1)).length;
    let guess = Math.floor((high * (page - 1)) / Math.max(pages, page));
    for (let tries = 0; tries < 12 && low < high; tries++) {
      const { blocks } = await this.#window(guess, guess + PROBE);
      const hit = blocks.findIndex((b) => b.page === page);
      const first = blocks[0];
      // The page's own first block is only sure when one of an earlier page stands before it.
      if (hit > 0 || (hit === 0 && guess === 0)) return blocks[hit]?.start ?? guess;
      if (!first) break;
      if ((first.page ?? 0) < page) low = guess + 1;
      else high = hit === 0 ? Math.max(first.start, low) : guess;
      guess = hit === 0 ? Math.max(low, high - PROBE / 2) : Math.floor((low + high) / 2);
    }
    return low;
  }

  async more(): Promise<void> {
    if (this.#busy || !this.ready || this.atEnd) return;
    await this.#alone(async () => {
      const { from, to, text, blocks } = this.part;
      const window = await this.#window(to, to + STEP);
      const next = trim({ ...window, blocks: window.blocks.map((b) => ({ ...b, start: Math.max(b.start, to) })) }, to);
      if (next.from !== to || this.part.to !== to) return;
      this.part = { from, to: next.to, text: text + next.text, blocks: [...blocks, ...next.blocks] };
    });
  }

  async less(): Promise<void> {
    if (this.#busy || !this.ready || this.atStart) return;
    await this.#alone(async () => {
      const { from, to, text, blocks } = this.part;
      const window = await this.#window(Math.max(0, from - STEP), from);
      const cutOff = window.blocks.map((b) => ({ ...b, end: Math.min(b.end, from) }));
      const next = trim({ ...window, length: window.to, blocks: cutOff }, from - 1);
      if (next.to !== from || this.part.from !== from) return;
      this.part = { from: next.from, to, text: next.text + text, blocks: [...next.blocks, ...blocks] };
    });
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    this.#busy = true;
    try {
      await work();
    } finally {
      this.#busy = false;
    }
  }

  async #window(from: number, to: number): Promise<DocumentText> {
    const window = await api.documentText(this.id, from, to);
    this.length = window.length;
    this.title = window.title;
    // Trust the text that came, not the border that was asked for.
    return { ...window, to: Math.min(window.length, window.from + cpLength(window.text)) };
  }
}
