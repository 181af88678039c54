import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const folder = join(root, '../locales');
const load = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Record<string, string>;
const en = load('en.json');
const others = readdirSync(folder).filter((name) => name !== 'en.json');

const files = (dir: string): string[] =>
  readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? files(path) : [path];
  });
const source = files(join(root, 'src'))
  .filter((path) => /\.(svelte|ts)$/.test(path))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n');

const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).toSorted();

describe('locales', () => {
  it.each(others)('%s has every key of English and no other', (name) => {
    expect(Object.keys(load(name)).toSorted()).toEqual(Object.keys(en).toSorted());
  });

  it.each(others)('%s fills the same gaps', (name) => {
    for (const [key, text] of Object.entries(load(name))) {
      // "One document" needs no number.
      if (key.endsWith('_one')) continue;
      expect(placeholders(text), key).toEqual(placeholders(en[key] ?? ''));
      expect(text.trim(), key).not.toBe('');
    }
  });

  it('has every key that the pages name', () => {
    const named = [...source.matchAll(/\bt\('([^']+)'/g)].map((m) => m[1] ?? '');
    const counted = [...source.matchAll(/\btn\('([^']+)'/g)].flatMap((m) => [`${m[1]}_one`, `${m[1]}_other`]);
    expect(named.length).toBeGreaterThan(200);
    expect([...named, ...counted].filter((key) => !(key in en))).toEqual([]);
  });

  it('has no key that nothing uses', () => {
    // Keys made at run time: their beginnings stand in a template in the source.
    const made = [...source.matchAll(/`([a-z]+\.[a-z_]*)\$\{/g)].map((m) => m[1] ?? '');
    const unused = Object.keys(en).filter((key) => {
      const base = key.replace(/_(one|other)$/, '');
      return !source.includes(`'${key}'`) && !source.includes(`'${base}'`) && !made.some((start) => key.startsWith(start));
    });
    expect(unused).toEqual([]);
  });

  it('leaves no words in the pages themselves', () => {
    const loose: string[] = [];
    for (const path of files(join(root, 'src')).filter((p) => p.endsWith('.svelte'))) {
      const markup = readFileSync(path, 'utf8').replace(/<(script|style)[\s\S]*?<\/\1>/g, '').replace(/<!--[\s\S]*?-->/g, '');
      for (const [whole] of markup.matchAll(/(?:aria-label|title|placeholder|alt)="[A-Za-z]{3,}[^"{]*"/g)) if (!whole.includes('://')) loose.push(`${path}: ${whole}`);
      for (const [whole] of markup.matchAll(/>\s*[A-Z][a-z]+ [a-z]+[^<{]*</g)) loose.push(`${path}: ${whole}`);
    }
    expect(loose).toEqual([]);
  });
});
