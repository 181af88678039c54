/**
 * The REST interface in memory, for work on the page without the program: `node e2e/mock-server.mjs [port]`.
 * Never part of dist. It checks what the page owes the server: CSRF token, order of fields, code point offsets.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cps, multipart, read, search, signs, tone } from './mock-data.mjs';
import { held, organisationRoutes } from './mock-organisation.mjs';
import { authorizationServer, privacyRoutes } from './mock-privacy.mjs';
import { signInRoutes } from './mock-signin.mjs';
import { voiceRoutes, voiceSocket, voiceStream } from './mock-voice.mjs';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const MIME = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const CSP =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'";
const CODE = 'ABCD-EFGH-JKLM';
const now = () => new Date().toISOString();
let serial = 0;
const id = (kind) => `${kind}_${(++serial).toString(36).padStart(8, '0')}`;

const db = {
  user: null, password: '', signedIn: false, documents: [], conversations: [], turns: new Map(), keys: [], streams: new Set(),
  settings: {
    ollama: { enabled: false, url: '', model: '', keep_alive_seconds: 1800, timeout_seconds: 120 },
    answers: { sentences: 3, language: 'auto' },
    speech: { voice: 'auto', rate: 170, voices: {}, speak_citations: false },
    limits: { max_upload_bytes: 536870912, extract_seconds: 60, extract_memory_bytes: 1073741824, extract_workers: 2 },
  },
};

class Problem extends Error {
  constructor(status, code, detail, hint = null, errors = []) {
    super(detail);
    this.body = { type: 'about:blank', title: code, status, detail, code, hint, errors, request_id: 'req_mock' };
  }
}

const view = ({ text: _t, blocks: _b, bytes: _y, unlock: _u, ...d }) => d;
const session = () => ({ user: db.user, tenant: { id: 'main', name: 'Main' }, csrf_token: 'mock-csrf', permissions: held, expires_at: now() });
const emit = (event, data) => db.streams.forEach((s) => s.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
const doc = (wanted) => {
  const found = db.documents.find((d) => d.id === wanted);
  if (!found) throw new Problem(404, 'not_found', 'There is no such document.');
  return found;
};
const page = (items, q, size = 50) => {
  const from = Number(q.get('cursor') ?? 0);
  const limit = Number(q.get('limit') ?? size);
  return { items: items.slice(from, from + limit), next_cursor: from + limit < items.length ? String(from + limit) : null, total: items.length };
};
const count = (values) => {
  const map = new Map();
  for (const v of values) if (v) map.set(v, (map.get(v) ?? 0) + 1);
  return [...map].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count);
};

/** Walks a document through its states. */
async function work(d) {
  const step = (status, percent) => (Object.assign(d, { status, percent, updated_at: now() }), emit('document', view(d)));
  const wait = () => new Promise((r) => setTimeout(r, 120));
  for (const percent of [10, 60]) await wait(step('extracting', percent));
  try {
    const found = read(d.file_name, d.bytes, d.unlock);
    Object.assign(d, found, { characters: cps(found.text).length, passages: found.blocks.length });
  } catch (problem) {
    d.problem = problem;
    step('failed', 60);
    return;
  }
  await wait(step('indexing', 90));
  d.indexed_at = now();
  step('ready', 100);
  emit('queue', { queued: 0, running: 0, failed: 0 });
}

function upload(body, type) {
  const { fields, file } = multipart(body, type);
  const sha256 = createHash('sha256').update(file.bytes).digest('hex');
  const same = db.documents.find((d) => d.sha256 === sha256);
  if (same) return [200, view(same)];
  const name = Buffer.from(file.name, 'latin1').toString('utf8');
  const d = {
    id: id('doc'), title: name.replace(/\.[^.]+$/, ''), file_name: name, source: fields.path ?? null, sha256,
    media_type: { pdf: 'application/pdf', md: 'text/markdown', csv: 'text/csv' }[name.split('.').pop()] ?? 'text/plain',
    type: name.split('.').pop(), language: null, collection: fields.collection ?? null, tags: (fields.tags ?? '').split(',').filter(Boolean),
    size_bytes: file.bytes.length, pages: null, characters: null, passages: null, status: 'queued', percent: 0, problem: null, ocr_pages: [],
    created_at: now(), updated_at: now(), indexed_at: null, bytes: file.bytes, text: '', blocks: [],
  };
  db.documents.unshift(d);
  setTimeout(() => work(d), 60);
  return [201, view(d)];
}

function answer(body) {
  const hits = search(db.documents, body.question);
  const answered = (hits[0]?.score ?? 0) >= 0.5;
  const citations = [];
  const sentences = [];
  for (const hit of answered ? hits.filter((h) => h.type !== 'csv').slice(0, 2) : []) {
    const parts = hit.snippet.match(/\S.*?[.!?](?=\s|$)|\S.*$/gu) ?? [hit.snippet];
    const marked = cps(hit.snippet).slice(...(hit.highlights.at(-1) ?? [0, 0])).join('');
    const first = parts.find((part) => part.includes(marked)) ?? parts[0];
    const skip = cps(hit.snippet.slice(0, hit.snippet.indexOf(first))).length;
    const n = citations.length + 1;
    const { document, title, type, page, label, start } = hit;
    citations.push({ n, document, title, type, page, label, start: start + skip, end: start + skip + cps(first).length, quote: first });
    sentences.push({ index: n - 1, text: first, citations: [n] });
  }
  let talk = db.conversations.find((c) => c.id === body.conversation);
  if (!talk) db.conversations.unshift((talk = { id: id('cnv'), title: body.question, turns: [], created_at: now(), updated_at: now() }));
  const turn = {
    turn: id('trn'), conversation: talk.id, question: body.question, answer: sentences.map((s) => `${s.text} [${s.citations[0]}]`).join(' '),
    mode: answered ? 'extractive' : 'none', model: null, answered, notice: db.settings.ollama.enabled ? 'Ollama is not reachable: the answer is made of exact sentences.' : null,
    sentences, citations, nearest: answered ? [] : (hits.length ? hits : search(db.documents, 'pump visitor')).slice(0, 3), dropped_citations: 0, rating: null, created_at: now(),
    trace: { retrieve_ms: 4.2, select_ms: 7.9, first_token_ms: 13, first_sentence_ms: 14.1, verify_ms: 1.2, total_ms: 21.4 },
  };
  talk.turns.push(turn);
  db.turns.set(turn.turn, turn);
  return [turn, hits.slice(0, 5)];
}

async function stream(response, body) {
  const [turn, hits] = answer(body);
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  send('retrieval', { turn: turn.turn, conversation: turn.conversation, mode: turn.mode, model: null, hits, retrieve_ms: 4.2 });
  for (const s of turn.sentences) {
    for (const word of `${s.text} `.match(/\S+\s*/g)) {
      send('token', { text: word });
      await new Promise((r) => setTimeout(r, 8));
    }
    send('citation', turn.citations[s.index]);
    send('token', { text: `[${s.citations[0]}] ` });
    send('sentence', s);
  }
  send('done', turn);
  response.end();
}

const facets = (list) => ({
  collections: count(list.map((d) => d.collection)), tags: count(list.flatMap((d) => d.tags ?? [])), types: count(list.map((d) => d.type)),
  languages: count(list.map((d) => d.language)), statuses: count(list.map((d) => d.status)),
});

/** `METHOD /path` to a function of (parts of the path, query, body) giving [status, body]. */
const routes = [
  ['GET /setup', () => [200, { needed: !db.user, version: '0.1.0' }]],
  ['POST /setup', (_, __, b) => {
    if (b.code !== CODE) throw new Problem(403, 'forbidden', 'The set-up code is wrong.', 'The server printed it when it started.', [{ field: 'code', message: 'Not this one.' }]);
    db.user = { id: id('usr'), name: b.name, email: b.email, role: 'owner' };
    Object.assign(db, { password: b.password, signedIn: true });
    return [201, session()];
  }],
  ['GET /session', () => [200, session()]],
  ['POST /session', (_, __, b) => {
    if (b.password !== db.password || b.email !== db.user?.email) throw new Problem(401, 'wrong_credentials', 'E-mail or password is wrong.');
    db.signedIn = true;
    return [201, session()];
  }],
  ['DELETE /session', () => ((db.signedIn = false), [204])],
  ['POST /session/password', (_, __, b) => {
    if (b.current !== db.password) throw new Problem(422, 'invalid_field', 'The present password is wrong.', null, [{ field: 'current', message: 'This is not your password.' }]);
    db.password = b.new;
    return [204];
  }],
  ['GET /documents/facets', () => [200, facets(db.documents)]],
  ['GET /documents', (_, q) => {
    const has = (name, value) => !q.get(name) || value === q.get(name);
    const text = (q.get('q') ?? '').toLowerCase();
    const list = db.documents.filter((d) => has('type', d.type) && has('status', d.status) && has('language', d.language) && has('collection', d.collection)
      && (!q.get('tag') || d.tags.includes(q.get('tag'))) && `${d.title} ${d.file_name}`.toLowerCase().includes(text));
    if (q.get('sort') === 'title') list.sort((a, b) => a.title.localeCompare(b.title));
    if (q.get('sort') === '-size_bytes') list.sort((a, b) => b.size_bytes - a.size_bytes);
    return [200, { ...page(list, q), items: page(list, q).items.map(view) }];
  }],
  ['POST /documents/bulk', (_, __, b) => [200, { results: b.ids.map((wanted) => {
    const d = db.documents.find((x) => x.id === wanted);
    if (!d) return { id: wanted, ok: false, problem: 'There is no such document.' };
    if (b.action === 'delete') db.documents = db.documents.filter((x) => x !== d);
    if (b.action === 'set_collection') d.collection = b.collection || null;
    if (b.action === 'add_tags') d.tags = [...new Set([...d.tags, ...b.tags])];
    if (b.action === 'retry') work(Object.assign(d, { problem: null }));
    return { id: wanted, ok: true, problem: null };
  }) }]],
  ['GET /documents/:id', ([i]) => [200, view(doc(i))]],
  ['PATCH /documents/:id', ([i], _, b) => (Object.assign(doc(i), b), emit('document', view(doc(i))), [200, view(doc(i))])],
  ['DELETE /documents/:id', ([i]) => ((db.documents = db.documents.filter((d) => d !== doc(i))), emit('document_deleted', { id: i }), [204])],
  ['GET /documents/:id/text', ([i], q) => {
    const d = doc(i);
    const all = signs(d);
    const from = Math.min(all.length, Number(q.get('from') ?? 0));
    const to = Math.min(all.length, Number(q.get('to') ?? all.length), from + 200000);
    return [200, { document: i, title: d.title, length: all.length, from, to, text: all.slice(from, to).join(''), blocks: d.blocks.filter((b) => b.start < to && b.end > from) }];
  }],
  ['POST /documents/:id/retry', ([i], _, b) => {
    const d = Object.assign(doc(i), { problem: null, status: 'queued', percent: 0, unlock: b.password });
    setTimeout(() => work(d), 50);
    return [202, view(d)];
  }],
  ['GET /search', (_, q) => {
    if (/"[^"]*$/.test(q.get('q').replace(/"[^"]*"/g, ''))) throw new Problem(400, 'invalid_query', 'The quotation mark is not closed.', 'Add a second " at the end of the phrase.');
    const list = db.documents.filter((d) => (!q.get('type') || d.type === q.get('type')) && (!q.get('collection') || d.collection === q.get('collection')));
    const { items, ...rest } = page(search(list, q.get('q')), q, 20);
    return [200, { hits: items, ...rest, facets: facets(list), took_ms: 1.7 }];
  }],
  ['GET /ask/:id', ([i]) => [200, db.turns.get(i)]],
  ['POST /ask/:id/feedback', ([i], _, b) => ((db.turns.get(i).rating = b.rating), [204])],
  ['GET /conversations', (_, q) => {
    const list = db.conversations.filter((c) => c.title.toLowerCase().includes((q.get('q') ?? '').toLowerCase()));
    return [200, page(list.map((c) => ({ ...c, turns: c.turns.length })), q)];
  }],
  ['DELETE /conversations', () => ((db.conversations = []), [204])],
  ['GET /conversations/:id', ([i]) => {
    const found = db.conversations.find((c) => c.id === i);
    if (!found) throw new Problem(404, 'not_found', 'There is no such conversation.');
    return [200, found];
  }],
  ['PATCH /conversations/:id', ([i], _, b) => (Object.assign(db.conversations.find((c) => c.id === i), b), [200, {}])],
  ['DELETE /conversations/:id', ([i]) => ((db.conversations = db.conversations.filter((c) => c.id !== i)), [204])],
  ['GET /settings', () => [200, db.settings]],
  ['PATCH /settings', (_, __, b) => {
    for (const [group, values] of Object.entries(b)) Object.assign(db.settings[group], values);
    return [200, db.settings];
  }],
  ['POST /settings/ollama/test', (_, __, b) => [200, b.url.includes('11434')
    ? { ok: true, version: '0.9.1', models: ['llama3.2:3b', 'qwen3:4b'], latency_ms: 12, problem: null }
    : { ok: false, version: null, models: [], latency_ms: null, problem: { message: 'Nothing answers at this address.', hint: 'Start Ollama there, or correct the address.' } }]],
  ['GET /status', () => {
    const by = (s) => db.documents.filter((d) => d.status === s).length;
    const sum = (f) => db.documents.reduce((n, d) => n + (f(d) ?? 0), 0);
    return [200, {
      version: '0.1.0', build: 'mock', started_at: now(), uptime_seconds: 4321,
      in_use: { answers: { mode: 'extractive', model: null, reachable: null }, search: 'BM25', voice: 'eSpeak NG', recogniser: null, ocr: null },
      documents: { total: db.documents.length, ready: by('ready'), failed: by('failed'), queued: by('queued'), extracting: 0, indexing: 0, passages: sum((d) => d.passages), characters: sum((d) => d.characters) },
      queue: { queued: by('queued'), running: 0, failed: by('failed') },
      disk: { data_bytes: 48_200_000, blobs_bytes: 31_000_000, index_bytes: 9_100_000, database_bytes: 6_400_000, free_bytes: 212_000_000_000 },
      memory: { resident_bytes: 71_000_000 },
      models: { runtime: { name: 'RTen', version: '0.27', device: 'CPU', threads: 2 }, budget_bytes: 1e9, used_bytes: 6.4e7, items: [{ name: 'lantern-en', kind: 'voice', in_use: null, loaded: true, memory_bytes: 6.4e7, problem: null }, { name: 'minilm', kind: 'embedding', in_use: true, loaded: false, memory_bytes: 0, problem: null }] },
      recent_errors: db.documents.filter((d) => d.problem).map((d) => ({ at: d.updated_at, code: d.problem.code, message: d.problem.message, document: d.id })),
      egress: db.settings.ollama.url ? [{ at: now(), method: 'GET', url: `${db.settings.ollama.url}/api/tags`, allowed: true, purpose: 'ollama test', status: 200 }] : [],
    }];
  }],
  ['GET /keys', () => [200, { items: db.keys, next_cursor: null, total: db.keys.length }]],
  ['POST /keys', (_, __, b) => {
    const key = { id: id('key'), name: b.name, prefix: 'lec_ab12', scopes: b.scopes ?? ['*'], networks: b.networks ?? [], created_by: db.user.id, created_at: now(), last_used_at: null, expires_at: b.expires_at ?? null };
    db.keys.unshift(key);
    return [201, { ...key, secret: 'lec_ab12cd34ef56gh78ij90' }];
  }],
  ['DELETE /keys/:id', ([i]) => ((db.keys = db.keys.filter((k) => k.id !== i)), [204])],
  ...voiceRoutes(db, Problem),
  ...organisationRoutes(db, page, id, Problem),
  ...signInRoutes(db, id, Problem),
  ...privacyRoutes(db, page, id),
].map(([route, run]) => {
  const [method, path] = route.split(' ');
  return { method, pattern: new RegExp(`^${path.replace(/:\w+/g, '([^/]+)')}$`), run };
});

function original(response, d, inline) {
  const type = inline ? d.media_type : 'application/octet-stream';
  response.writeHead(200, { 'content-type': type, 'content-disposition': `${inline ? 'inline' : 'attachment'}; filename="${encodeURIComponent(d.file_name)}"`, ...(process.env.MOCK_SANDBOX ? { 'content-security-policy': 'sandbox' } : {}) });
  response.end(d.bytes);
}

function file(response, path) {
  let target = join(DIST, path);
  if (!target.startsWith(DIST) || !existsSync(target) || !extname(target)) target = join(DIST, extname(path) ? 'none' : 'index.html');
  if (!existsSync(target)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': MIME[extname(target)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'cache-control': 'no-cache' });
  response.end(readFileSync(target));
}

async function api(request, response, path, query) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const raw = Buffer.concat(chunks);
  const { method } = request;
  const open = path === '/setup' || path === '/sign-in/options' || (path === '/session' && method === 'POST');
  if (!open && !db.signedIn) throw new Problem(401, 'unauthenticated', 'Sign in first.');
  if (!open && method !== 'GET' && request.headers['x-csrf-token'] !== 'mock-csrf') throw new Problem(403, 'csrf_missing', 'The token is missing.');
  if (path === '/events') {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': hello\n\n');
    db.streams.add(response);
    request.on('close', () => db.streams.delete(response));
    return;
  }
  const part = /^\/(documents|ask|conversations)\/([^/]+)\/(original|audio|export)$/.exec(path);
  if (part?.[3] === 'original') return original(response, doc(part[2]), query.get('inline') === 'true');
  if (part?.[3] === 'audio') return response.writeHead(200, { 'content-type': 'audio/wav' }).end(tone());
  if (part?.[3] === 'export') return response.writeHead(200, { 'content-type': 'text/plain' }).end('# Export');
  if (await voiceStream({ db, request, response, path, query, raw, Problem })) return;
  const isForm = request.headers['content-type']?.startsWith('multipart/');
  const body = raw.length > 0 && !isForm ? JSON.parse(raw.toString('utf8')) : {};
  if (path === '/ask' && method === 'POST') return stream(response, body);
  let result;
  if (path === '/documents' && method === 'POST') result = upload(raw, request.headers['content-type']);
  else {
    const route = routes.find((r) => r.method === method && r.pattern.test(path));
    if (!route) throw new Problem(404, 'not_found', `There is no ${method} ${path}.`);
    result = route.run(route.pattern.exec(path).slice(1).map(decodeURIComponent), query, body);
  }
  response.writeHead(result[0], { 'content-type': 'application/json' }).end(result[1] === undefined ? '' : JSON.stringify(result[1]));
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, 'http://mock');
  try {
    if (pathname === '/.well-known/oauth-authorization-server') response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(authorizationServer(`http://${request.headers.host}`)));
    else if (pathname.startsWith('/api/v1/')) await api(request, response, pathname.slice(7), searchParams);
    else file(response, decodeURIComponent(pathname));
  } catch (error) {
    if (!(error instanceof Problem)) console.error(error);
    const body = error.body ?? new Problem(500, 'internal', 'Something went wrong inside.').body;
    response.writeHead(body.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
  }
});
server.on('upgrade', (request, socket) => {
  if (request.url === '/api/v1/voice' && db.signedIn) voiceSocket(db, answer, request, socket);
  else socket.destroy();
});
server.listen(Number(process.argv[2] ?? 8900), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}\nsetup code: ${CODE}`);
});
