import { describe, expect, it } from 'vitest';
import { asText, groupItems, parseAnswer, parseInline } from '$lib/answer';

const known = (n: number) => n <= 3;

describe('an answer', () => {
  it('turns known marks into citations and leaves others as text', () => {
    expect(parseInline('The gate is red [1]. See [9] and [2, 3].', known)).toEqual([
      { kind: 'text', text: 'The gate is red' },
      { kind: 'cite', n: 1 },
      { kind: 'text', text: '. See [9] and' },
      { kind: 'cite', n: 2 },
      { kind: 'cite', n: 3 },
      { kind: 'text', text: '.' },
    ]);
  });

  it('keeps markup that could be HTML as text', () => {
    expect(parseInline('<img src=x onerror=alert(1)> **bold** `a<b`', known)).toEqual([
      { kind: 'text', text: '<img src=x onerror=alert(1)> ' },
      { kind: 'strong', text: 'bold' },
      { kind: 'text', text: ' ' },
      { kind: 'code', text: 'a<b' },
    ]);
  });

  it('knows paragraphs, lists and headings', () => {
    const blocks = groupItems(parseAnswer('# Steps\nOne line\nsame paragraph\n\n- first [1]\n- second\n\nEnd', known));
    expect(blocks.map((b) => b.kind)).toEqual(['heading', 'paragraph', 'list', 'paragraph']);
  });

  it('is stable while it is being written', () => {
    const whole = 'It is **very** red [1].\n\n- a\n- b';
    for (let i = 0; i <= whole.length; i++) expect(() => parseAnswer(whole.slice(0, i), known)).not.toThrow();
  });

  it('is copied with its sources', () => {
    const text = asText(
      { question: 'Q?', answer: 'A [1]', citations: [{ n: 1, title: 'Book', page: 4, quote: 'A' }] },
      (page) => `page ${page}`,
    );
    expect(text).toBe('Q?\n\nA [1]\n\n[1] Book, page 4: “A”');
  });
});
