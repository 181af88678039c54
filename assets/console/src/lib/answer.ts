/** An answer's text as a small tree: paragraphs and lists with bold, code and citation marks. No HTML is made from text. */

export type Span =
  | { kind: 'text'; text: string }
  | { kind: 'strong'; text: string }
  | { kind: 'code'; text: string }
  | { kind: 'cite'; n: number };

export interface AnswerBlock {
  kind: 'paragraph' | 'item' | 'heading';
  spans: Span[];
}

const INLINE = /\*\*([^*\n]+)\*\*|`([^`\n]+)`|\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g;

/** `known` tells which citation numbers exist; marks of others are shown as they were written. */
export function parseInline(text: string, known: (n: number) => boolean): Span[] {
  const spans: Span[] = [];
  let last = 0;
  for (const found of text.matchAll(INLINE)) {
    const numbers = found[3]?.split(',').map(Number) ?? [];
    if (found[3] !== undefined && !numbers.every(known)) continue;
    if (found.index > last) spans.push({ kind: 'text', text: text.slice(last, found.index) });
    if (found[1] !== undefined) spans.push({ kind: 'strong', text: found[1] });
    else if (found[2] !== undefined) spans.push({ kind: 'code', text: found[2] });
    else spans.push(...numbers.map((n): Span => ({ kind: 'cite', n })));
    last = found.index + found[0].length;
  }
  if (last < text.length) spans.push({ kind: 'text', text: text.slice(last) });
  return spans;
}

export function parseAnswer(text: string, known: (n: number) => boolean): AnswerBlock[] {
  const blocks: AnswerBlock[] = [];
  let open: string[] = [];
  const flush = () => {
    if (open.length > 0) blocks.push({ kind: 'paragraph', spans: parseInline(open.join('\n'), known) });
    open = [];
  };
  for (const line of text.split('\n')) {
    const item = /^\s*(?:[-*•]|\d{1,3}[.)])\s+(.*)$/.exec(line);
    const heading = /^#{1,6}\s+(.*)$/.exec(line);
    if (item || heading) {
      flush();
      blocks.push({ kind: item ? 'item' : 'heading', spans: parseInline((item ?? heading)?.[1] ?? '', known) });
    } else if (line.trim() === '') flush();
    else open.push(line);
  }
  flush();
  return blocks;
}

/** Neighbouring list items together, so that they can be one list. */
export function groupItems<B extends AnswerBlock>(blocks: B[]): (B | { kind: 'list'; items: B[] })[] {
  const out: (B | { kind: 'list'; items: B[] })[] = [];
  for (const block of blocks) {
    const last = out.at(-1);
    if (block.kind !== 'item') out.push(block);
    else if (last && 'items' in last) last.items.push(block);
    else out.push({ kind: 'list', items: [block] });
  }
  return out;
}

interface Copyable {
  question: string;
  answer: string;
  citations: { n: number; title: string; page?: number | null; label?: string | null; quote: string }[];
}

/** The turn as plain text with its sources, for the clipboard. */
export function asText(turn: Copyable, pageWord: (page: number) => string): string {
  const sources = turn.citations.map((c) => {
    const place = c.page ? pageWord(c.page) : c.label;
    return `[${c.n}] ${c.title}${place ? `, ${place}` : ''}: “${c.quote}”`;
  });
  return [turn.question, '', turn.answer, ...(sources.length > 0 ? ['', ...sources] : [])].join('\n');
}
