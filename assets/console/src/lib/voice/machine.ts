/**
 * What a spoken conversation is doing, as a pure function of what happens: no sockets, no sound, so that every order of
 * events can be tested. `lib/voice/session.svelte.ts` carries out the effects.
 */
import type { ClientMessage, ServerMessage, TalkMode, VoiceTrace } from '$lib/api';

/**
 * `off`: no connection. `opening`: pressed, the microphone or the server is not there yet. `listening`: the microphone
 * is heard. `recognising`: the words of what was said are awaited. `ready`: connected, nobody speaks. `answering`: an
 * answer is written or spoken (in hands-free mode the microphone stays open).
 */
export type Phase = 'off' | 'opening' | 'listening' | 'recognising' | 'ready' | 'answering';

export interface TalkState {
  phase: Phase;
  mode: TalkMode;
  /** The server is there and has said so. */
  connected: boolean;
  /** The button is held, or was pressed once to stay. */
  held: boolean;
  /** In hands-free mode: somebody speaks now. */
  voiceHeard: boolean;
  /** Words so far; final ones stay until the next utterance. */
  heard: string;
  final: boolean;
  /** The last utterance had no words. */
  nothing: boolean;
  engine: string;
  /** The turn that is being answered. */
  turn: string | null;
  /** Number of the last utterance of this connection that has ended, as the server counts them. */
  utterance: number;
}

export const SILENT: TalkState = {
  phase: 'off', mode: 'push', connected: false, held: false, voiceHeard: false, heard: '', final: false, nothing: false, engine: '', turn: null, utterance: 0,
};

export type TalkInput =
  | { type: 'press'; mode: TalkMode }
  | { type: 'release' }
  | { type: 'cancel' }
  /** A typed question or a corrected transcript, to be answered aloud. */
  | { type: 'ask'; text: string }
  | { type: 'stop' }
  | { type: 'closed' }
  | { type: 'no_microphone' }
  | { type: 'server'; message: ServerMessage };

export type Effect =
  | { do: 'send'; message: ClientMessage }
  | { do: 'microphone'; on: boolean }
  /** What is spoken or waits to be: silence now. */
  | { do: 'silence' }
  /** The words of an utterance are there. */
  | { do: 'transcript'; text: string }
  /** An answer begins: this was asked. */
  | { do: 'asked'; text: string }
  | { do: 'answer'; message: ServerMessage }
  | { do: 'answered'; turn: string | null; stopped: boolean; trace: VoiceTrace }
  | { do: 'disconnect' };

export type Step = [TalkState, Effect[]];

const send = (message: ClientMessage): Effect => ({ do: 'send', message });

export function step(state: TalkState, input: TalkInput): Step {
  switch (input.type) {
    case 'press':
      return press(state, input.mode);
    case 'release':
      return release(state);
    case 'cancel':
      return cancel(state);
    case 'ask':
      return [
        { ...state, phase: 'answering', heard: '', final: false, nothing: false, turn: null },
        [{ do: 'silence' }, { do: 'asked', text: input.text }, send({ type: 'ask', text: input.text })],
      ];
    case 'stop':
      return stop(state);
    case 'closed':
      return [{ ...SILENT, heard: state.final ? state.heard : '', final: state.final }, [{ do: 'microphone', on: false }]];
    case 'no_microphone':
      return state.connected && state.mode === 'push'
        ? [{ ...state, held: false, phase: 'ready' }, [{ do: 'microphone', on: false }, send({ type: 'cancel' })]]
        : [SILENT, [{ do: 'microphone', on: false }, { do: 'disconnect' }]];
    case 'server':
      return server(state, input.message);
  }
}

function press(state: TalkState, mode: TalkMode): Step {
  if (state.held) return [state, []];
  // Who begins to speak stops what is spoken.
  const quiet: Effect[] = [{ do: 'silence' }];
  if (state.phase === 'answering' && state.connected) quiet.push(send({ type: 'stop' }));
  const next: TalkState = { ...state, mode, held: true, heard: '', final: false, nothing: false, turn: null, phase: state.connected ? 'listening' : 'opening' };
  const listen: Effect[] = state.connected && mode === 'push' ? [send({ type: 'listen' })] : [];
  return [next, [...quiet, ...listen, { do: 'microphone', on: true }]];
}

function release(state: TalkState): Step {
  if (!state.held) return [state, []];
  if (state.mode === 'hands_free') return [SILENT, [{ do: 'microphone', on: false }, { do: 'disconnect' }]];
  // Sent in any case: what comes before the connection stands waits in its queue, behind the sound.
  return [{ ...state, held: false, phase: 'recognising', utterance: state.utterance + 1 }, [{ do: 'microphone', on: false }, send({ type: 'end_of_speech' })]];
}

function cancel(state: TalkState): Step {
  if (state.mode === 'hands_free' && state.held) return release(state);
  if (state.phase !== 'listening' && state.phase !== 'opening' && state.phase !== 'recognising') return [state, []];
  const phase: Phase = state.connected ? 'ready' : 'off';
  const effects: Effect[] = [{ do: 'microphone', on: false }, state.connected ? send({ type: 'cancel' }) : { do: 'disconnect' }];
  return [{ ...state, held: false, heard: '', final: false, phase }, effects];
}

function stop(state: TalkState): Step {
  if (state.phase !== 'answering') return [state, [{ do: 'silence' }]];
  const phase: Phase = state.held ? 'listening' : 'ready';
  return [{ ...state, phase }, [{ do: 'silence' }, send({ type: 'stop' })]];
}

function server(state: TalkState, message: ServerMessage): Step {
  switch (message.type) {
    case 'ready': {
      const phase: Phase = state.phase === 'opening' ? 'listening' : state.phase === 'off' ? 'ready' : state.phase;
      return [{ ...state, connected: true, engine: message.engine, phase }, []];
    }
    case 'vad':
      return vad(state, message.speaking);
    case 'transcript':
      return transcript(state, message);
    case 'retrieval':
      return [{ ...state, phase: 'answering', turn: message.turn }, [{ do: 'answer', message }]];
    case 'token':
    case 'citation':
    case 'sentence':
    case 'turn':
      return [state, [{ do: 'answer', message }]];
    case 'barge_in':
      return [state, [{ do: 'silence' }]];
    case 'done': {
      const phase: Phase = state.phase !== 'answering' ? state.phase : state.held ? 'listening' : 'ready';
      return [{ ...state, phase }, [{ do: 'answered', turn: message.turn ?? null, stopped: message.stopped, trace: message.trace }]];
    }
    case 'error': {
      const phase: Phase = state.held ? 'listening' : state.connected ? 'ready' : 'off';
      return [{ ...state, phase }, [{ do: 'answer', message }]];
    }
    default:
      return [state, []];
  }
}

function vad(state: TalkState, speaking: boolean): Step {
  // While it answers the server tells by `barge_in`; afterwards the sound may still go on here.
  const over = speaking && state.mode === 'hands_free' && state.phase !== 'answering';
  return [{ ...state, voiceHeard: speaking, ...(speaking ? { nothing: false } : {}) }, over ? [{ do: 'silence' }] : []];
}

function transcript(state: TalkState, message: Extract<ServerMessage, { type: 'transcript' }>): Step {
  const text = message.text.trim();
  const next = { ...state, heard: text, final: message.final, engine: message.engine ?? state.engine };
  if (!message.final) return [next, []];
  next.utterance = Math.max(state.utterance, message.utterance);
  if (state.mode === 'push') {
    // The last utterance's words, while the next is spoken already.
    if (state.held && message.utterance <= state.utterance) return [state, []];
    // Held for longer than an utterance may last: the server ended it.
    const off: Effect[] = state.held ? [{ do: 'microphone', on: false }] : [];
    const over: TalkState = { ...next, held: false, phase: 'ready', nothing: text === '' };
    return [over, text ? [...off, { do: 'transcript', text }] : off];
  }
  if (!text) return [{ ...next, nothing: true }, []];
  // Hands-free: the server asks by itself.
  return [{ ...next, nothing: false, phase: 'answering', turn: null }, [{ do: 'silence' }, { do: 'asked', text }]];
}
