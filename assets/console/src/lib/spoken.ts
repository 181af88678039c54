/** Finds the sentences of a turn in its parsed answer, so that the one that is heard can be marked. */
import { parseInline, type AnswerBlock, type Span } from './answer';

export type SpokenSpan = Span & { sentence?: number };
export interface SpokenBlock {
  kind: AnswerBlock['kind'];
  spans: SpokenSpan[];
}

interface Sentence {
  index: number;
  text: string;
}

/** Blanks differ between a sentence and the answer's lines: only what is printed is compared. */
const bare = (text: string) => text.replace(/\s+/g, '');

/** A sentence as the answer shows it: without list signs, bold and citation marks. */
function plain(text: string): string {
  const line = text.replace(/^\s*(?:#{1,6}|[-*•]|\d{1,3}[.)])\s+/, '');
  return bare(parseInline(line, () => true).map((span) => ('text' in span ? span.text : '')).join(''));
}

interface Place {
  from: number;
  to: number;
  index: number;
}

function places(blocks: readonly AnswerBlock[], sentences: readonly Sentence[]): Place[] {
  const whole = blocks.map((b) => b.spans.map((s) => ('text' in s ? bare(s.text) : '')).join('')).join('');
  const found: Place[] = [];
  let at = 0;
  for (const { index, text } of sentences) {
    const wanted = plain(text);
    const from = wanted === '' ? -1 : whole.indexOf(wanted, at);
    if (from < 0) continue;
    at = from + wanted.length;
    found.push({ from, to: at, index });
  }
  return found;
}

/** The same blocks, their spans cut at the borders of sentences; each span knows its sentence. */
export function withSentences(blocks: readonly AnswerBlock[], sentences: readonly Sentence[]): SpokenBlock[] {
  const list = places(blocks, sentences);
  let at = 0;
  let next = 0;
  const cut = (span: Span): SpokenSpan[] => {
    if (!('text' in span)) {
      // A citation mark belongs to the sentence before it.
      const before = list.findLast((p) => p.to <= at || (p.from < at && at <= p.to));
      return [before ? { ...span, sentence: before.index } : span];
    }
    const out: SpokenSpan[] = [];
    let start = 0;
    const give = (end: number, sentence: number | undefined) => {
      if (end > start) out.push({ ...span, text: span.text.slice(start, end), ...(sentence === undefined ? {} : { sentence }) });
      start = end;
    };
    for (let i = 0; i < span.text.length; i++) {
      if (/\s/.test(span.text[i] as string)) continue;
      const place = list[next];
      if (place && at === place.from) give(i, undefined);
      at += 1;
      if (place && at === place.to) {
        give(i + 1, place.index);
        next += 1;
      }
    }
    const open = list[next];
    give(span.text.length, open && open.from < at ? open.index : undefined);
    return out;
  };
  return blocks.map((block) => ({ kind: block.kind, spans: block.spans.flatMap(cut) }));
}
