import { describe, expect, it, vi } from 'vitest';
import { parseAnswer } from '$lib/answer';
import type { ModelView, Segment, Transcript, VoiceView } from '$lib/api';
import { groupFiles, ModelImports } from '$lib/modelimport.svelte';
import { withSentences } from '$lib/spoken';
import { plainText, shortClock, srt, vtt } from '$lib/subtitles';
import { speechStages, spokenStages, writtenStages } from '$lib/timeline';
import { Transcriber } from '$lib/transcriber.svelte';
import { baseLanguage, sampleFor } from '$lib/voice/samples';
import { choicesFor, languagesOf, sorted } from '$lib/voice/voices';

const known = (n: number) => n <= 3;
const pieces = (answer: string, sentences: string[]) =>
  withSentences(parseAnswer(answer, known), sentences.map((text, index) => ({ index, text })))
    .flatMap((b) => b.spans)
    .filter((s) => s.sentence !== undefined)
    .map((s) => [s.sentence, 'text' in s ? s.text.trim() : s.n]);

describe('sentences in an answer', () => {
  it('are found, with their marks', () => {
    expect(pieces('The gate is red [1]. It opens at nine. [2]', ['The gate is red.', 'It opens at nine.'])).toEqual([
      [0, 'The gate is red'], [0, 1], [0, '.'], [1, 'It opens at nine.'], [1, 2],
    ]);
  });

  it('are found through bold, lists, headings and broken lines', () => {
    const answer = '# Steps\n- Stop the **main pump**.\n- Change the\nfilter [2].\n\nThen start it again.';
    const found = pieces(answer, ['Steps', 'Stop the **main pump**.', 'Change the filter.', 'Then start it again.']);
    expect([...new Set(found.map(([i]) => i))]).toEqual([0, 1, 2, 3]);
    expect(found).toContainEqual([1, 'main pump']);
    expect(found.at(-1)).toEqual([3, 'Then start it again.']);
  });

  it('the same sentence twice is told apart, one that is not there is left out', () => {
    expect(pieces('Yes. Yes.', ['Yes.', 'No such thing.', 'Yes.'])).toEqual([[0, 'Yes.'], [2, 'Yes.']]);
  });

  it('lose no letter of the answer', () => {
    const answer = 'One two [1] three. Four 🔥 five!\n\n1. six\n2. seven';
    const text = withSentences(parseAnswer(answer, known), [{ index: 0, text: 'One two three.' }, { index: 1, text: 'six' }])
      .flatMap((b) => b.spans)
      .map((s) => ('text' in s ? s.text : `[${s.n}]`))
      .join('');
    expect(text.replace(/\s/g, '')).toBe('Onetwo[1]three.Four🔥five!sixseven');
  });
});

describe('the time line', () => {
  it('of a spoken question has its stages one behind the other', () => {
    const stages = spokenStages({ end_of_turn_ms: 200, transcript_ms: 300, retrieval_ms: 310, first_sentence_ms: 330, first_audio_ms: 420, total_ms: 2000 });
    expect(stages.map((s) => s.key)).toEqual(['pause', 'transcript', 'retrieve', 'sentence', 'audio', 'rest']);
    for (let i = 1; i < stages.length; i++) expect(stages[i]?.from).toBe(stages[i - 1]?.to);
    expect(stages.at(-1)?.to).toBe(2000);
  });

  it('leaves out what is not known and never runs backwards', () => {
    expect(spokenStages({ retrieval_ms: 12, first_audio_ms: 8, total_ms: null })).toEqual([
      { key: 'retrieve', from: 0, to: 12 }, { key: 'audio', from: 12, to: 12 },
    ]);
    expect(speechStages({})).toEqual([]);
  });

  it('of a written answer ends with the check of citations', () => {
    const stages = writtenStages({ retrieve_ms: 4, select_ms: 8, first_sentence_ms: 14, first_token_ms: 13, verify_ms: 1, total_ms: 20 } as never);
    expect(stages.map((s) => s.key)).toEqual(['retrieve', 'select', 'write', 'sentence', 'verify']);
    expect(stages.at(-1)).toEqual({ key: 'verify', from: 19, to: 20 });
  });
});

const segments: Segment[] = [
  { start_ms: 0, end_ms: 1500, text: ' Hello <you>\nthere ', words: [] },
  { start_ms: 3_723_004, end_ms: 3_725_000, text: 'a --> b', words: [] },
];

describe('a transcript as a file', () => {
  it('is SubRip', () => {
    expect(srt(segments)).toBe('1\n00:00:00,000 --> 00:00:01,500\nHello <you> there\n\n2\n01:02:03,004 --> 01:02:05,000\na → b\n');
  });

  it('is WebVTT', () => {
    expect(vtt(segments)).toBe('WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nHello &lt;you&gt; there\n\n01:02:03.004 --> 01:02:05.000\na → b\n');
  });

  it('is text, with clocks for people', () => {
    expect(plainText(segments)).toBe('Hello <you> there\na → b\n');
    expect([shortClock(65_000), shortClock(3_723_004)]).toEqual(['1:05', '1:02:03']);
  });
});

describe('transcribing', () => {
  const file = new File(['x'.repeat(10)], 'a.wav');
  const result = { text: 'a b', engine: 'E', duration_ms: 2, segments: [segments[0], segments[1]] } as Transcript;

  it('shows segments as they come, then the whole', async () => {
    const seen: number[] = [];
    const work = new Transcriber(async (_f, _l, handlers) => {
      handlers.onsent(10);
      handlers.onsegment(segments[0] as Segment);
      seen.push(work.segments.length);
      return result;
    });
    await work.start(file);
    expect(seen).toEqual([1]);
    expect(work).toMatchObject({ phase: 'done', sent: 10 });
    expect(work.segments.length).toBe(2);
  });

  it('keeps what was heard when it is stopped', async () => {
    const work = new Transcriber((_f, _l, handlers, signal) => {
      handlers.onsegment(segments[0] as Segment);
      return new Promise((_, no) => signal.addEventListener('abort', () => no(new DOMException('x', 'AbortError'))));
    });
    const running = work.start(file);
    work.stop();
    await running;
    expect(work).toMatchObject({ phase: 'done' });
    expect(work.segments.length).toBe(1);
  });
});

const voice = (id: string, engine: VoiceView['engine'], languages: string[], speakers: string[] = []): VoiceView => ({ id, name: id, engine, languages, speakers, sample_rate: 22_050 });

describe('voices', () => {
  const all = [voice('de', 'espeak', ['de']), voice('en-us', 'espeak', ['en-us']), voice('piper/b', 'piper', ['de-at'], ['eva', 'jan']), voice('piper/a', 'piper', ['de-de'])];

  it('natural ones come first, speakers are choices', () => {
    expect(sorted(all).map((v) => v.id)).toEqual(['piper/a', 'piper/b', 'de', 'en-us']);
    expect(choicesFor(all, 'de').map((c) => c.id)).toEqual(['piper/a', 'piper/b#eva', 'piper/b#jan', 'de']);
    expect(languagesOf(all, (c) => c)).toEqual(['de', 'en']);
  });

  it('have a sentence in their language, or English', () => {
    expect(sampleFor('pt-BR')).toMatchObject({ language: 'pt' });
    expect(sampleFor('no').text).toMatch(/^Hei, slik/);
    expect(sampleFor('tlh')).toMatchObject({ language: 'en' });
    expect(baseLanguage('en_GB')).toBe('en');
  });
});

describe('files of models', () => {
  const file = (path: string) => ({ file: new File(['x'], path.split('/').at(-1) ?? ''), path });

  it('are put together: pairs, folders, bundles', () => {
    const groups = groupFiles(['v.onnx', 'v.onnx.json', 'w.onnx', 'w.onnx.json', 'm.lectern-model', 'whisper/encoder.onnx', 'whisper/tokenizer.json'].map(file));
    expect(groups.map((g) => [g.name, g.files.map((f) => f.name)])).toEqual([
      ['v.onnx', ['v.onnx', 'v.onnx.json']],
      ['w.onnx', ['w.onnx', 'w.onnx.json']],
      ['m.lectern-model', ['m.lectern-model']],
      ['whisper', ['encoder.onnx', 'tokenizer.json']],
    ]);
  });

  it('loose ones go together, and what is no model is left to the server', () => {
    expect(groupFiles(['tokenizer.json', 'model.onnx'].map(file)).map((g) => [g.name, g.files.length])).toEqual([['model.onnx', 2]]);
    expect(groupFiles([file('holiday.txt')]).map((g) => g.name)).toEqual(['holiday.txt']);
    expect(groupFiles([])).toEqual([]);
  });

  it('go one at a time; a refused one says why and can be tried again', async () => {
    let running = 0;
    let most = 0;
    let refuse = true;
    const imports = new ModelImports(async (_id, files, onsent) => {
      most = Math.max(most, ++running);
      onsent({ sent: 1, total: 1 });
      await Promise.resolve();
      running -= 1;
      if (refuse && files[0]?.name === 'bad.onnx') throw new Error('wrong');
      return { name: 'm', title: 'M' } as ModelView;
    });
    imports.add([file('bad.onnx'), file('bad.onnx.json'), file('b.lectern-model')]);
    await vi.waitFor(() => expect(imports.tasks.map((t) => t.phase)).toEqual(['failed', 'done']));
    expect(most).toBe(1);
    expect(imports.tasks[0]?.problem?.text).toBeTruthy();
    refuse = false;
    imports.retry(1);
    await vi.waitFor(() => expect(imports.tasks[0]?.phase).toBe('done'));
  });
});
