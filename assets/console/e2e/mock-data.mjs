/** The mock's stand-ins for reading, searching and speaking. Just enough for the page to show everything it can. */

export const cps = (text) => Array.from(text);

const parted = new WeakMap();
/** A document's text as code points; taken apart once, the long ones are slow. */
export function signs(document) {
  const known = parted.get(document);
  if (known?.text === document.text) return known.signs;
  const made = { text: document.text, signs: cps(document.text) };
  parted.set(document, made);
  return made.signs;
}

/** Text and blocks of an uploaded file. Throws a document problem. */
export function read(name, bytes, password) {
  const type = name.split('.').pop().toLowerCase();
  if (name.startsWith('locked')) {
    if (password === undefined) throw { code: 'encrypted', message: 'The file is encrypted.', hint: 'Enter its password.' };
    if (password !== 'lectern') throw { code: 'wrong_password', message: 'The password does not open the file.', hint: 'Enter another.' };
    return { type, language: 'en', pages: 1, ...split('# Vault\nThe vault is opened with two keys.', 'md') };
  }
  if (type === 'docx') throw { code: 'damaged', message: 'The file is damaged: it is not a ZIP container.', hint: 'Open it in its own program and save it again.' };
  if (type === 'pdf') return fromPdf(bytes.toString('latin1'));
  return { type, language: 'en', pages: null, ...split(bytes.toString('utf8').replace(/\r\n?/g, '\n'), type) };
}

function fromPdf(source) {
  let text = '';
  const blocks = [];
  const streams = [...source.matchAll(/stream\n([\s\S]*?)\nendstream/g)];
  for (const [i, [, body]] of streams.entries()) {
    const [title, ...lines] = [...body.matchAll(/\((.*?)\) Tj/g)].map((m) => m[1]);
    for (const [kind, part] of [['heading', title], ['paragraph', lines.join(' ')]]) {
      const start = cps(text).length;
      text += `${part}\n\n`;
      blocks.push({ kind, level: kind === 'heading' ? 1 : null, start, end: start + cps(part).length, page: i + 1, label: null });
    }
  }
  return { type: 'pdf', language: 'en', pages: streams.length, text, blocks };
}

function split(source, type) {
  let text = '';
  let at = 0;
  const blocks = [];
  const push = (kind, part, level = null) => {
    if (!part.trim()) return;
    const length = cps(part).length;
    blocks.push({ kind, level, start: at, end: at + length, page: null, label: type === 'csv' ? 'Sheet 1' : null });
    text += `${part}\n`;
    at += length + 1;
  };
  for (const line of source.split('\n')) {
    const heading = /^(#+)\s+(.*)/.exec(line);
    if (heading) push('heading', heading[2], heading[1].length);
    else if (type === 'csv') push('table_row', line.replaceAll(',', '\t'));
    else if (/^\|\s*-/.test(line)) continue;
    else if (line.startsWith('|')) push('table_row', line.slice(1, -1).split('|').map((c) => c.trim()).join('\t'));
    else if (line.startsWith('- ')) push('list_item', line.slice(2), 1);
    else push('paragraph', line);
  }
  return { text, blocks };
}

const words = (text) => text.toLowerCase().match(/\p{L}[\p{L}\p{N}]{2,}/gu) ?? [];
const STOP = new Set('the and for what who when where which does how are was with from this that his her its'.split(' '));

/** Every block that has a word of the query, the most words first. */
export function search(documents, q) {
  const wanted = [...new Set(words(q).filter((w) => !STOP.has(w)).map((w) => w.slice(0, 5)))];
  const hits = [];
  for (const d of documents) {
    if (d.status !== 'ready') continue;
    let heading = null;
    for (const b of d.blocks) {
      const snippet = signs(d).slice(b.start, b.end).join('');
      if (b.kind === 'heading') heading = snippet;
      const found = wanted.filter((w) => snippet.toLowerCase().includes(w));
      if (found.length === 0) continue;
      const highlights = [...snippet.matchAll(new RegExp(`(${found.join('|')})\\p{L}*`, 'giu'))].map((m) => {
        const start = cps(snippet.slice(0, m.index)).length;
        return [start, start + cps(m[0]).length];
      });
      hits.push({
        document: d.id, title: d.title, type: d.type, collection: d.collection, page: b.page, label: b.label, heading,
        snippet, highlights, start: b.start, end: b.end, score: found.length / wanted.length,
      });
    }
  }
  return hits.sort((a, b) => b.score - a.score);
}

/** A second of a quiet tone as a WAV file. */
export function tone(seconds = 1.5, rate = 16000) {
  const n = Math.floor(seconds * rate);
  const wav = Buffer.alloc(44 + n * 2);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + n * 2, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(n * 2, 40);
  for (let i = 0; i < n; i++) wav.writeInt16LE(Math.round(3000 * Math.sin((i / rate) * 440 * 2 * Math.PI)), 44 + i * 2);
  return wav;
}

/** The parts of a multipart body. */
export function multipart(body, contentType) {
  const boundary = `--${/boundary=(.+)$/.exec(contentType)?.[1]}`;
  const fields = {};
  let file = null;
  for (let at = body.indexOf(boundary); at >= 0; ) {
    const next = body.indexOf(boundary, at + boundary.length);
    if (next < 0) break;
    const part = body.subarray(at + boundary.length + 2, next - 2);
    const split = part.indexOf('\r\n\r\n');
    const head = part.subarray(0, split).toString('utf8');
    const name = /name="([^"]*)"/.exec(head)?.[1];
    const content = part.subarray(split + 4);
    if (/filename="/.test(head)) file = { name: /filename="([^"]*)"/.exec(head)[1], bytes: content };
    else fields[name] = content.toString('utf8');
    at = next;
  }
  return { fields, file };
}
