import { describe, expect, it, vi } from 'vitest';
import type { AskEvent, ClauseHeader, ClientMessage, OpenSocket, ServerMessage } from '$lib/api';
import { ClauseReader } from '$lib/api/voice-socket';
import { MicError, reasonOf, type Heard } from '$lib/audio/microphone';
import { SILENT, step, type Effect, type TalkInput, type TalkState } from '$lib/voice/machine';
import { asAskEvent, VoiceSession } from '$lib/voice/session.svelte';
import { Press } from '../src/pages/ask/press';

const ready = (mode: 'push' | 'hands_free' = 'push'): ServerMessage => ({ type: 'ready', mode, engine: 'E', audio: { format: 'pcm', sample_rate: 22_050 } });
const final = (text: string, utterance = 1): ServerMessage => ({ type: 'transcript', final: true, text, engine: 'E', utterance, ms: 1 });
const partial = (text: string): ServerMessage => ({ ...(final(text) as object), final: false }) as ServerMessage;
const retrieval = { type: 'retrieval', turn: 'trn_1', conversation: 'cnv_1', mode: 'extractive', hits: [], retrieve_ms: 1 } as ServerMessage;
const done = (stopped = false): ServerMessage => ({ type: 'done', turn: 'trn_1', stopped, trace: { total_ms: 9 } });
const from = (message: ServerMessage): TalkInput => ({ type: 'server', message });

function play(inputs: TalkInput[], state: TalkState = SILENT): { state: TalkState; effects: Effect[] } {
  const effects: Effect[] = [];
  for (const input of inputs) {
    const [next, more] = step(state, input);
    state = next;
    effects.push(...more);
  }
  return { state, effects };
}
const names = (effects: Effect[]) => effects.map((e) => (e.do === 'send' ? `send ${e.message.type}` : e.do === 'microphone' ? `microphone ${e.on ? 'on' : 'off'}` : e.do));

describe('push to talk', () => {
  it('listens, hears, shows the words, asks and answers', () => {
    const { state, effects } = play([
      { type: 'press', mode: 'push' }, from(ready()), from(partial('where')), { type: 'release' }, from(final('where is it')),
    ]);
    expect(state).toMatchObject({ phase: 'ready', heard: 'where is it', final: true, held: false });
    expect(names(effects)).toEqual(['silence', 'microphone on', 'microphone off', 'send end_of_speech', 'transcript']);
    const asked = play([{ type: 'ask', text: 'Where is it?' }, from(retrieval), from(done())], state);
    expect(names(asked.effects)).toEqual(['silence', 'asked', 'send ask', 'answer', 'answered']);
    expect(asked.state).toMatchObject({ phase: 'ready', turn: 'trn_1', heard: '' });
  });

  it('can be let go before the server is there', () => {
    const { state, effects } = play([{ type: 'press', mode: 'push' }, { type: 'release' }, from(ready()), from(final('hello'))]);
    expect(names(effects)).toContain('send end_of_speech');
    expect(state.heard).toBe('hello');
  });

  it('stops the answer when one begins to speak', () => {
    const answering = play([{ type: 'press', mode: 'push' }, from(ready()), { type: 'release' }, from(final('a')), { type: 'ask', text: 'a' }, from(retrieval)]).state;
    const { effects, state } = play([{ type: 'press', mode: 'push' }], answering);
    expect(names(effects)).toEqual(['silence', 'send stop', 'send listen', 'microphone on']);
    expect(state.phase).toBe('listening');
    // The stopped answer's end comes late: one goes on speaking.
    expect(play([from(done(true))], state).state.phase).toBe('listening');
  });

  it('says that nothing was heard', () => {
    const { state, effects } = play([{ type: 'press', mode: 'push' }, from(ready()), { type: 'release' }, from(final('  '))]);
    expect(state).toMatchObject({ phase: 'ready', nothing: true });
    expect(names(effects)).not.toContain('transcript');
  });

  it('leaves out the words of an utterance that another one has followed', () => {
    const { effects } = play([{ type: 'press', mode: 'push' }, from(ready()), { type: 'release' }, { type: 'press', mode: 'push' }, from(final('old'))]);
    expect(names(effects)).not.toContain('transcript');
  });

  it('ends by itself when the server ends an utterance that is too long', () => {
    const { state, effects } = play([{ type: 'press', mode: 'push' }, from(ready()), from(final('so far', 1))]);
    expect(state).toMatchObject({ phase: 'ready', held: false, heard: 'so far' });
    expect(names(effects).slice(-2)).toEqual(['microphone off', 'transcript']);
    // Letting go then changes nothing.
    expect(play([{ type: 'release' }], state)).toEqual({ state, effects: [] });
  });

  it('forgets what was said when it is cancelled', () => {
    const { state, effects } = play([{ type: 'press', mode: 'push' }, from(ready()), from(partial('wh')), { type: 'cancel' }]);
    expect(state).toMatchObject({ phase: 'ready', heard: '', held: false });
    expect(names(effects).slice(-2)).toEqual(['microphone off', 'send cancel']);
  });
});

describe('hands-free', () => {
  const on: TalkInput[] = [{ type: 'press', mode: 'hands_free' }, from(ready('hands_free'))];

  it('asks by the pause and goes on listening', () => {
    const { state, effects } = play([...on, from({ type: 'vad', speaking: true, at_ms: 1 }), from({ type: 'vad', speaking: false, at_ms: 2 }), from(final('where')), from(retrieval), from(done())]);
    expect(names(effects)).not.toContain('send ask');
    expect(names(effects)).toContain('asked');
    expect(state).toMatchObject({ phase: 'listening', held: true });
  });

  it('is silent when it is interrupted, and when somebody speaks into the rest of the sound', () => {
    const answering = play([...on, from(final('where')), from(retrieval)]).state;
    expect(names(play([from({ type: 'vad', speaking: true, at_ms: 5 })], answering).effects)).toEqual([]);
    expect(names(play([from({ type: 'barge_in', at_ms: 5, clause: 1 })], answering).effects)).toEqual(['silence']);
    const after = play([from(done())], answering).state;
    expect(names(play([from({ type: 'vad', speaking: true, at_ms: 5 })], after).effects)).toEqual(['silence']);
  });

  it('ends with the microphone and the connection', () => {
    const { state, effects } = play([...on, { type: 'release' }]);
    expect(state).toEqual(SILENT);
    expect(names(effects).slice(-2)).toEqual(['microphone off', 'disconnect']);
  });

  it('does not ask silence', () => {
    const { state, effects } = play([...on, from(final(''))]);
    expect(names(effects)).not.toContain('asked');
    expect(state).toMatchObject({ phase: 'listening', nothing: true });
  });
});

describe('whatever comes in whatever order', () => {
  it('never throws, and the microphone is off when nobody holds it', () => {
    const inputs: TalkInput[] = [
      { type: 'press', mode: 'push' }, { type: 'press', mode: 'hands_free' }, { type: 'release' }, { type: 'cancel' }, { type: 'stop' }, { type: 'closed' },
      { type: 'no_microphone' }, { type: 'ask', text: 'q' }, from(ready()), from(partial('p')), from(final('f')), from(final('')), from(retrieval), from(done()),
      from({ type: 'error', status: 503, code: 'busy', title: 'busy', type_: '' } as unknown as ServerMessage), from({ type: 'pong' }),
    ];
    let seed = 7;
    const next = () => (seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648;
    for (let round = 0; round < 500; round++) {
      let state = SILENT;
      let open = false;
      for (let i = 0; i < 30; i++) {
        const [after, effects] = step(state, inputs[Math.floor(next() * inputs.length)] as TalkInput);
        state = after;
        for (const effect of effects) if (effect.do === 'microphone') open = effect.on;
        if (open !== state.held) expect.fail(`the microphone is ${open ? 'on' : 'off'} in ${JSON.stringify(state)}`);
      }
    }
  });
});

describe('the session', () => {
  function stage(micFails?: MicError) {
    const sent: (ClientMessage | 'audio')[] = [];
    let onheard: (heard: Heard) => void = () => undefined;
    let handlers: Parameters<OpenSocket>[0] | undefined;
    let opened = 0;
    const open: OpenSocket = (given) => {
      handlers = given;
      opened += 1;
      return { send: (m) => sent.push(m), audio: () => sent.push('audio'), close: () => undefined };
    };
    const ear = {
      start: vi.fn(async (heard: (h: Heard) => void) => {
        if (micFails) throw micFails;
        onheard = heard;
      }),
      stop: vi.fn(async () => onheard({ pcm: new ArrayBuffer(2), rms: 0.1, peak: 0.1 })),
    };
    const events: AskEvent[] = [];
    const texts: string[] = [];
    const session = new VoiceSession(
      {
        ontranscript: (text) => texts.push(text), onasked: () => undefined, onanswer: (e) => events.push(e), onclause: () => undefined,
        onanswered: () => undefined, onsilence: () => undefined, onlost: () => texts.push('lost'),
      },
      open,
      ear,
    );
    return { session, sent, texts, events, ear, opened: () => opened, hear: () => onheard({ pcm: new ArrayBuffer(2), rms: 0.1, peak: 0.1 }), server: (m: ServerMessage) => handlers?.onmessage(m), lose: () => handlers?.onclose(false) };
  }
  const types = (sent: (ClientMessage | 'audio')[]) => sent.map((m) => (m === 'audio' ? m : m.type));

  it('sends the last sound before the end of speech', async () => {
    const s = stage();
    s.session.press('push');
    await vi.waitFor(() => expect(s.ear.start).toHaveBeenCalled());
    s.hear();
    s.server(ready());
    s.session.release();
    await vi.waitFor(() => expect(types(s.sent)).toContain('end_of_speech'));
    expect(types(s.sent)).toEqual(['start', 'audio', 'audio', 'end_of_speech']);
    s.server(final('what was heard'));
    expect(s.texts).toEqual(['what was heard']);
    expect(s.session.level).toBe(0);
  });

  it('keeps the order when one presses again at once', async () => {
    const s = stage();
    s.session.press('push');
    s.server(ready());
    s.session.release();
    s.session.press('push');
    await vi.waitFor(() => expect(types(s.sent)).toContain('listen'));
    expect(types(s.sent).filter((t) => t !== 'audio')).toEqual(['start', 'end_of_speech', 'listen']);
    expect(s.session.state.phase).toBe('listening');
  });

  it('keeps one connection for a conversation, also one that began on it', () => {
    const s = stage();
    s.session.ask('one');
    s.server(ready());
    s.server(retrieval);
    s.server(done());
    s.session.ask('two');
    expect(s.opened()).toBe(1);
    s.session.conversation = 'cnv_other';
    s.session.ask('three');
    expect(s.opened()).toBe(2);
    expect(s.events.map((e) => e.event)).toEqual(['retrieval']);
  });

  it('tells why there is no microphone', async () => {
    const s = stage(new MicError('blocked'));
    s.session.press('push');
    await vi.waitFor(() => expect(s.session.problem).toBe('blocked'));
    expect(s.session.state.held).toBe(false);
  });

  it('tells when it was cut off in the middle, and not when it was only idle', () => {
    const s = stage();
    s.session.ask('one');
    s.server(ready());
    s.server(retrieval);
    s.lose();
    expect(s.texts).toEqual(['lost']);
    s.session.ask('two');
    s.server(ready());
    s.server(retrieval);
    s.server(done());
    s.lose();
    expect(s.texts).toEqual(['lost']);
  });

  it('gives messages in the shape of the events of a typed question', () => {
    expect(asAskEvent({ type: 'token', text: 'a' })).toEqual({ event: 'token', data: { text: 'a' } });
    expect(asAskEvent({ type: 'turn', view: { turn: 'trn_1' } } as ServerMessage)).toEqual({ event: 'done', data: { turn: 'trn_1' } });
    expect(asAskEvent({ type: 'citation', n: 1, document_type: 'pdf' } as ServerMessage)).toEqual({ event: 'citation', data: { n: 1, type: 'pdf' } });
    expect(asAskEvent({ type: 'pong' })).toBeNull();
  });
});

describe('the microphone’s errors', () => {
  it.each([['NotAllowedError', 'blocked'], ['SecurityError', 'blocked'], ['NotFoundError', 'missing'], ['OverconstrainedError', 'missing'], ['NotReadableError', 'busy'], ['TypeError', 'failed']])('%s is %s', (name, reason) => {
    expect(reasonOf(new DOMException('x', name))).toBe(reason);
  });
});

describe('sound of clauses in frames', () => {
  const header = (bytes: number) => ({ type: 'clause', index: 0, sentence: 0, kind: 'answer', text: '', ms: 1, bytes }) as ClauseHeader;

  it('is put together over frames of any size', () => {
    const reader = new ClauseReader();
    expect(reader.begin(header(5))).toBeNull();
    expect(reader.add(Uint8Array.of(1, 2))).toBeNull();
    expect(reader.add(Uint8Array.of(3, 4, 5))?.bytes).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
    expect(reader.add(Uint8Array.of(9))).toBeNull();
    expect(reader.begin(header(0))?.bytes.length).toBe(0);
  });

  it('a clause that was cut off does not run into the next', () => {
    const reader = new ClauseReader();
    reader.begin(header(4));
    reader.add(Uint8Array.of(1, 2));
    reader.begin(header(2));
    expect(reader.add(Uint8Array.of(7, 8))?.bytes).toEqual(Uint8Array.of(7, 8));
  });
});

describe('sound of a clause that is still being made', () => {
  it('belongs to the clause before', () => {
    const reader = new ClauseReader();
    const header = { type: 'clause', index: 3, sentence: 1, kind: 'answer', text: 'A', ms: 1, bytes: 2 } as ClauseHeader;
    expect(reader.begin({ type: 'sound', index: 0, bytes: 0 })).toBeNull();
    reader.begin(header);
    expect(reader.add(Uint8Array.of(1, 2))?.header.index).toBe(3);
    reader.begin({ type: 'sound', index: 3, bytes: 3 });
    expect(reader.add(Uint8Array.of(4, 5, 6))).toEqual({ header, bytes: Uint8Array.of(4, 5, 6) });
  });
});

describe('the button', () => {
  function stage(hearing = true) {
    const target = { on: false, hearing, begin: () => (target.on = true), end: () => (target.on = false) };
    let now = 0;
    return { target, press: new Press(target, () => now), after: (ms: number) => (now += ms) };
  }

  it('is held, or pressed twice', () => {
    const { target, press, after } = stage();
    press.down();
    after(900);
    press.up();
    expect(target.on).toBe(false);
    press.down();
    after(100);
    press.up();
    expect(target.on).toBe(true);
    press.down();
    press.up();
    expect(target.on).toBe(false);
  });

  it('does not end before anything could be heard, as while the browser asks for permission', () => {
    const { target, press, after } = stage(false);
    press.down();
    after(5000);
    press.up();
    expect(target.on).toBe(true);
  });
});
