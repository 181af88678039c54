/** The mock's voice and models: what it says is a tone, what it hears is always the same question. */
import { createHash } from 'node:crypto';
import { tone } from './mock-data.mjs';
import { accept } from './mock-socket.mjs';

const HEARD = 'Where is the assembly point';
const RATE = 22050;
const wait = (ms) => new Promise((r) => setTimeout(r, ms));
const now = () => new Date().toISOString();

const state = { lexicon: [], preferences: { voices: {}, rate: null, speak_citations: null }, models: [], events: new Set(), serial: 0 };

const VOICES = [
  { id: 'piper/lantern-en', name: 'Lantern', engine: 'piper', languages: ['en-gb'], speakers: [], sample_rate: 22050, quality: 'medium' },
  { id: 'piper/harbour-en', name: 'Harbour', engine: 'piper', languages: ['en-us'], speakers: ['amy', 'ben', 'cat'], sample_rate: 16000, quality: 'low' },
  { id: 'piper/laterne-de', name: 'Laterne', engine: 'piper', languages: ['de-de'], speakers: [], sample_rate: 22050, quality: 'high' },
  ...['en-us', 'en-gb', 'de', 'fr-fr', 'es', 'it', 'nl', 'pl', 'sv'].map((code) => ({
    id: code, name: `${code} eSpeak`, engine: 'espeak', languages: [code], speakers: [], sample_rate: 22050, quality: null,
  })),
];

const KNOWN = [
  {
    name: 'silero-vad', title: 'Silero VAD', kind: 'vad', languages: [], licence: 'MIT', source: 'https://github.com/snakers4/silero-vad', how: null, memory: '3 MB',
    files: [{ name: 'silero_vad.onnx', sha256: 'ab', bytes: 2_327_524 }],
  },
];

const inForce = (settings) => ({
  ...state.preferences,
  in_force: {
    voice: null, voices: { ...settings.speech.voices, ...state.preferences.voices },
    rate: state.preferences.rate ?? settings.speech.rate, speak_citations: state.preferences.speak_citations ?? settings.speech.speak_citations,
  },
});

/** Routes in the mock's way: `METHOD /path` to (parts, query, body) giving [status, body]. */
export const voiceRoutes = (db, Problem) => [
  ['GET /voices', () => [200, { voices: VOICES }]],
  ['GET /voice-preferences', () => [200, inForce(db.settings)]],
  ['PATCH /voice-preferences', (_, __, b) => {
    const { voices = {}, ...rest } = b;
    Object.assign(state.preferences, rest);
    state.preferences.voices = Object.fromEntries(Object.entries({ ...state.preferences.voices, ...voices }).filter(([, chosen]) => chosen));
    return [200, inForce(db.settings)];
  }],
  ['GET /lexicon', (_, q) => {
    const items = state.lexicon.filter((e) => e.word.toLowerCase().includes((q.get('q') ?? '').toLowerCase()));
    return [200, { items, next_cursor: null, total: items.length }];
  }],
  ['POST /lexicon', (_, __, b) => {
    if (state.lexicon.some((e) => e.word === b.word)) throw new Problem(409, 'conflict', 'The word is in the lexicon.', 'Change the entry that is there.');
    const entry = { id: `lex_${++state.serial}`, ...b, created_at: now(), updated_at: now() };
    state.lexicon.unshift(entry);
    return [201, entry];
  }],
  ['PATCH /lexicon/:id', ([i], _, b) => [200, Object.assign(state.lexicon.find((e) => e.id === i), b)]],
  ['DELETE /lexicon/:id', ([i]) => ((state.lexicon = state.lexicon.filter((e) => e.id !== i)), [204])],
  ['GET /models', () => [200, models()]],
  ['POST /models/:name/verify', ([name]) => [200, { ok: true, model: Object.assign(model(name), { verified_at: now(), problem: null }) }]],
  ['POST /models/:name/use', ([name], _, b) => [200, Object.assign(model(name), { in_use: b.in_use })]],
  ['DELETE /models/:name', ([name]) => ((state.models = state.models.filter((m) => m.name !== name)), [204])],
];

const model = (name) => state.models.find((m) => m.name === name);
const models = () => ({
  items: state.models, known: KNOWN, imports: [], memory: { budget_bytes: 1e9, used_bytes: state.models.length * 6.4e7, idle_seconds: 600 },
  runtime: { name: 'RTen', version: '0.27', device: 'CPU', threads: 2 }, max_import_bytes: 4e9,
});

async function addModel(raw, response, Problem) {
  await wait(400);
  const names = [...raw.toString('latin1').matchAll(/filename="([^"]*)"/g)].map((m) => m[1]);
  const onnx = names.find((n) => n.endsWith('.onnx'));
  if (!onnx) throw new Problem(422, 'model_refused', `None of the files is a model: ${names.join(', ')}.`, 'Bring the .onnx file and what belongs to it.');
  if (!names.includes(`${onnx}.json`)) throw new Problem(422, 'model_refused', `The voice ${onnx} has no description.`, `Bring ${onnx}.json with it, in the same step.`);
  const name = onnx.replace('.onnx', '');
  const added = {
    name, title: name, kind: 'voice', languages: ['en'], licence: '', source: '', known: false, files: [], bytes: raw.length, facts: { memory_bytes: 6.4e7 }, imported_at: now(),
    verified_at: now(), problem: null, in_use: null, loaded: true, memory_bytes: 6.4e7, last_used_at: now(),
  };
  state.models.push(added);
  response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(added));
}

const sse = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  return (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
};

const hash = (text) => createHash('sha1').update(text).digest('hex');
const clausesOf = (turn) => turn.sentences.flatMap((s) => s.text.match(/[^,;]+[,;]?\s*/g).map((text) => ({ sentence: s.index, kind: 'answer', text })));

async function speak(response, turn) {
  const send = sse(response);
  const started = Date.now();
  const clauses = clausesOf(turn);
  for (const [index, clause] of clauses.entries()) {
    await wait(25);
    send('clause', { index, ...clause, url: `/api/v1/audio/${hash(clause.text)}.wav`, duration_ms: 700, ms: Date.now() - started, language: 'en', voice: 'en-us' });
  }
  send('done', { clauses: clauses.length, duration_ms: 700 * clauses.length, complete: true, trace: { first_text_ms: 4, first_synthesis_ms: 5, first_audio_ms: 29, total_ms: Date.now() - started } });
  response.end();
}

async function hear(request, response, raw, Problem) {
  if (raw.length < 44) throw new Problem(422, 'damaged_media', 'The recording is empty.', 'Choose a file with sound in it.');
  const send = sse(response);
  const segments = ['The assembly point is behind the workshop.', 'Nobody goes back into the building.', 'The alarm is tested on Mondays.'].map((text, i) => ({ start_ms: i * 2500, end_ms: i * 2500 + 2400, text, words: [] }));
  for (const segment of segments) {
    await wait(300);
    send('segment', segment);
  }
  send('done', { text: segments.map((s) => s.text).join(' '), language: 'en', engine: 'PocketSphinx en-US', duration_ms: 7500, segments });
  response.end();
}

/** What does not fit the table of routes: streams and sound. True when it was answered. */
export async function voiceStream({ db, request, response, path, query, raw, Problem }) {
  const { method } = request;
  const spoken = /^\/ask\/([^/]+)\/speech$/.exec(path);
  if (spoken) return (await speak(response, db.turns.get(spoken[1])), true);
  if (/^\/audio\/\w+\.wav$/.test(path) || (path === '/speech' && method === 'POST')) {
    response.writeHead(200, { 'content-type': 'audio/wav', 'cache-control': 'public, max-age=31536000, immutable' }).end(tone(0.7, RATE));
    return true;
  }
  if (path === '/transcriptions') return (await hear(request, response, raw, Problem), true);
  if (path === '/lexicon/export') return (response.writeHead(200, { 'content-type': 'text/csv' }).end('word,language,kind,value,case_sensitive\n'), true);
  if (path === '/lexicon/import') {
    const lines = raw.toString('utf8').trim().split('\n').slice(1);
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ added: lines.length, changed: 0, unchanged: 0, problems: [{ line: 9, message: 'There is no word.' }] }));
    return true;
  }
  if (path === '/models/events') {
    sse(response)('models', models());
    return true;
  }
  if (path === '/models' && method === 'POST') return (await addModel(raw, response, Problem), true);
  void query;
  return false;
}

/** `GET /voice`: `answer` makes a turn of a question, as `POST /ask` does. */
export function voiceSocket(db, answer, request, socket) {
  let start = { mode: 'push' };
  let bytes = 0;
  let loud = 0;
  let spoke = false;
  let utterance = 0;
  let stopped = false;
  let answering = false;
  let queue = Promise.resolve();
  const out = accept(request, socket, (data) => {
    if (typeof data !== 'string') return sound(data);
    const message = JSON.parse(data);
    if (message.type === 'start') {
      start = message;
      out.json({ type: 'ready', mode: start.mode, engine: 'PocketSphinx en-US', sample_rate: 16000, audio: { format: 'pcm', sample_rate: RATE }, limits: {} });
    } else if (message.type === 'listen') bytes = 0;
    else if (message.type === 'end_of_speech') finish();
    else if (message.type === 'ask') reply(message.text, false);
    else if (message.type === 'stop') stopped = true;
    else if (message.type === 'cancel') bytes = 0;
  }, () => (stopped = true));

  function sound(data) {
    bytes += data.length;
    let peak = 0;
    for (let i = 0; i + 1 < data.length; i += 2) peak = Math.max(peak, Math.abs(data.readInt16LE(i)));
    out.json({ type: 'level', rms: peak / 65536, peak: peak / 32768 });
    const speaking = peak > 2000;
    loud = speaking ? loud + 1 : 0;
    if (start.mode === 'push') {
      if (bytes > 20_000) out.json({ type: 'transcript', final: false, text: HEARD.split(' ').slice(0, 1 + Math.floor(bytes / 20_000)).join(' '), language: 'en', engine: 'PocketSphinx en-US', utterance: utterance + 1 });
      return;
    }
    if (loud === 3 && !spoke) {
      spoke = true;
      out.json({ type: 'vad', speaking: true, at_ms: bytes / 32 });
      if (answering) {
        stopped = true;
        out.json({ type: 'barge_in', at_ms: bytes / 32, clause: 0 });
      }
      bytes = 0;
    }
    if (spoke && bytes > 48_000) {
      spoke = false;
      out.json({ type: 'vad', speaking: false, at_ms: bytes / 32 });
      finish();
    }
  }

  function finish() {
    const text = bytes > 3200 ? HEARD : '';
    bytes = 0;
    out.json({ type: 'transcript', final: true, text, language: 'en', engine: 'PocketSphinx en-US', utterance: ++utterance, ms: 180 });
    if (text && start.mode === 'hands_free') reply(text, true);
  }

  function reply(text, spokenQuestion) {
    queue = queue.then(() => say(text, spokenQuestion));
  }

  async function say(text, spokenQuestion) {
    stopped = false;
    answering = true;
    const [turn, hits] = answer({ question: text, conversation: start.conversation });
    start.conversation = turn.conversation;
    out.json({ type: 'retrieval', turn: turn.turn, conversation: turn.conversation, mode: turn.mode, model: null, hits, retrieve_ms: 4 });
    for (const s of turn.sentences) {
      out.json({ type: 'token', text: `${s.text} [${s.citations[0]}] ` });
      const { type: document_type, ...citation } = turn.citations[s.index];
      out.json({ ...citation, document_type, type: 'citation' });
      out.json({ type: 'sentence', ...s });
    }
    out.json({ type: 'turn', view: turn });
    const pcm = tone(0.9, RATE).subarray(44);
    for (const [index, clause] of (start.speak === false ? [] : clausesOf(turn)).entries()) {
      if (stopped) break;
      out.json({ type: 'clause', index, ...clause, duration_ms: 900, ms: 30, bytes: pcm.length, url: '' });
      for (let at = 0; at < pcm.length; at += 32768) out.binary(pcm.subarray(at, at + 32768));
      await wait(400);
    }
    answering = false;
    const base = spokenQuestion ? 260 : 0;
    out.json({ type: 'done', turn: turn.turn, stopped, trace: { end_of_turn_ms: base ? 120 : null, transcript_ms: base, retrieval_ms: base + 14, first_sentence_ms: base + 32, first_audio_ms: base + 61, total_ms: base + 900 } });
  }
}
