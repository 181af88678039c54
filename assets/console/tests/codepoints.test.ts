import { describe, expect, it } from 'vitest';
import { cpLength, cpSlice, cpToUnit, cut, unitToCp } from '$lib/codepoints';

const TEXT = 'a😀b👩‍🚒c é';

describe('code points', () => {
  it('count like the server does', () => {
    expect(cpLength('')).toBe(0);
    expect(cpLength('😀')).toBe(1);
    expect(cpLength(TEXT)).toBe([...TEXT].length);
    expect(cpLength('👩‍🚒')).toBe(3);
  });

  it('go to UTF-16 and back', () => {
    const signs = [...TEXT];
    for (let cp = 0; cp <= signs.length; cp++) {
      const unit = signs.slice(0, cp).join('').length;
      expect(cpToUnit(TEXT, cp)).toBe(unit);
      expect(unitToCp(TEXT, unit)).toBe(cp);
    }
    expect(cpToUnit(TEXT, 999)).toBe(TEXT.length);
  });

  it('slice as an array of code points would', () => {
    expect(cpSlice(TEXT, 1, 2)).toBe('😀');
    expect(cpSlice(TEXT, 2, 6)).toBe([...TEXT].slice(2, 6).join(''));
    expect(cpSlice(TEXT, 5, 2)).toBe('');
    expect(cpSlice(TEXT, -3, 1)).toBe('a');
  });

  it('take lone surrogates as one', () => {
    expect(cpLength('\ud83d')).toBe(1);
    expect(cpLength('x\ude00y')).toBe(3);
  });
});

describe('cut', () => {
  const range = (start: number, end: number, kind = 'hit') => ({ start, end, kind });

  it('marks behind an emoji at the right place', () => {
    expect(cut('😀😀 fire', [range(3, 7)]).map((p) => [p.text, p.kinds.length])).toEqual([
      ['😀😀 ', 0],
      ['fire', 1],
    ]);
  });

  it('joins to the whole text, whatever the ranges are', () => {
    const ranges = [range(-5, 2), range(1, 4, 'other'), range(4, 4), range(6, 3), range(5, 99), range(200, 300)];
    const pieces = cut(TEXT, ranges);
    expect(pieces.map((p) => p.text).join('')).toBe(TEXT);
    expect(pieces.find((p) => p.start === 1)?.kinds.toSorted()).toEqual(['hit', 'other']);
    expect(pieces.every((p) => cpLength(p.text) === p.end - p.start)).toBe(true);
  });

  it('counts from the base of its window', () => {
    expect(cut('😀bc', [range(101, 102)], 100).map((p) => p.text)).toEqual(['😀', 'b', 'c']);
    expect(cut('', [range(0, 4)])).toEqual([]);
  });
});
