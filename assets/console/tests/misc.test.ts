import { describe, expect, it } from 'vitest';
import { problemFrom } from '$lib/api/problem';
import { entriesOf, fromInput, isJunk } from '$lib/files';
import { ago, bytes } from '$lib/format';
import { judge } from '$lib/password';
import { match, viewerHref } from '$lib/router.svelte';
import { splitTags } from '../src/pages/documents/tags';

describe('addresses', () => {
  it('match their pattern only', () => {
    expect(match('/documents/:id', '/documents/doc_1/')).toEqual({ id: 'doc_1' });
    expect(match('/documents/:id', '/documents')).toBeNull();
    expect(match('/documents/:id', '/documents/a/b')).toBeNull();
    expect(match('/documents/:id', '/documents/%E0%A4%A')).toBeNull();
  });

  it('of a place carry what is known of it', () => {
    expect(viewerHref({ document: 'doc_1', start: 0, end: 9, page: 2 })).toBe('/documents/doc_1?start=0&end=9&page=2');
    expect(viewerHref({ document: 'a/b', page: null })).toBe('/documents/a%2Fb');
  });
});

describe('problems', () => {
  it('come from problem+json', () => {
    const problem = problemFrom(422, JSON.stringify({ title: 'T', detail: 'D', code: 'c', hint: 'H', errors: [{ field: 'a.b', message: 'M' }] }));
    expect([problem.message, problem.hint, problem.fields]).toEqual(['D', 'H', { 'a.b': 'M' }]);
  });

  it('come from anything else', () => {
    expect(problemFrom(502, '<html>').message).toBe('HTTP 502');
    expect(problemFrom(502, 'null').transient).toBe(true);
    expect(problemFrom(413, '').transient).toBe(false);
  });
});

describe('passwords', () => {
  const who = ['Ada Test', 'ada.lovelace@example.org'];
  it('must be long, varied, and not the person', () => {
    expect(judge('quiet-harbour-maple', who).ok).toBe(true);
    expect(judge('short', who).ok).toBe(false);
    expect(judge('aaaaaaaaaaaaaaaaaaaa', who).ok).toBe(false);
    expect(judge('my-lovelace-password', who).ok).toBe(false);
    expect(judge('ein-langes-wört-😀', who).ok).toBe(true);
  });
  it('are stronger when they are longer and less regular', () => {
    expect(judge('', who).strength).toBe(0);
    expect(judge('abcdefghijklmnop', who).strength).toBe(1);
    expect(judge('quiet-harbour-maple-71', who).strength).toBe(4);
  });
});

describe('files', () => {
  it('left by desktops are not taken', () => {
    for (const name of ['.DS_Store', 'Thumbs.db', 'desktop.ini', '~$report.docx', '.git', '__MACOSX']) expect(isJunk(name)).toBe(true);
    expect(isJunk('report.docx')).toBe(false);
    expect(fromInput(null)).toEqual([]);
  });
  it('are found where the browser knows no entries', () => {
    const file = new File(['x'], 'a.txt');
    const transfer = { items: [{ kind: 'file', getAsFile: () => file }, { kind: 'string', getAsFile: () => null }] };
    expect(entriesOf(transfer as unknown as DataTransfer)).toEqual({ entries: [], loose: [file] });
  });
});

describe('words of numbers', () => {
  it('are short', () => {
    expect(bytes(0)).toBe('0 bytes');
    expect(bytes(1536)).toMatch(/^1\.5\skB$/);
    expect(bytes(999_999)).toMatch(/^1\sMB$/);
    expect(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:05:00Z'))).toBe('5 minutes ago');
  });
  it('split tags', () => expect(splitTags(' a, b,,a ')).toEqual(['a', 'b']));
});
