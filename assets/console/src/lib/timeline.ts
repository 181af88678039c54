/** Where the time of an answer went: stages with their beginning and end, to be drawn as a small time line. */
import type { SpeechTrace, Trace, VoiceTrace } from './api';

export type StageKey =
  | 'pause' | 'transcript' | 'rewrite' | 'retrieve' | 'select' | 'write' | 'sentence' | 'verify' | 'audio' | 'rest' | 'speech_text' | 'speech_make' | 'speech_all';

export interface Stage {
  key: StageKey;
  /** Milliseconds. */
  from: number;
  to: number;
}

const known = (value: number | null | undefined): value is number => typeof value === 'number' && Number.isFinite(value);

/** Stages that follow one another: each ends at its time, and begins where the one before ended. */
function chain(ends: readonly (readonly [StageKey, number | null | undefined])[]): Stage[] {
  const stages: Stage[] = [];
  let from = 0;
  for (const [key, end] of ends) {
    if (!known(end)) continue;
    const to = Math.max(from, end);
    stages.push({ key, from, to });
    from = to;
  }
  return stages;
}

/** From the end of speech on. */
export function spokenStages(trace: VoiceTrace): Stage[] {
  return chain([
    ['pause', trace.end_of_turn_ms || null],
    // A typed question needs no words to be found.
    ['transcript', trace.transcript_ms || null],
    ['retrieve', trace.retrieval_ms],
    ['sentence', trace.first_sentence_ms],
    ['audio', trace.first_audio_ms],
    ['rest', trace.total_ms],
  ]);
}

/** From the arrival of a typed question on. */
export function writtenStages(trace: Trace): Stage[] {
  const total = trace.total_ms ?? 0;
  const stages: Stage[] = [];
  let at = 0;
  for (const [key, ms] of [['rewrite', trace.rewrite_ms], ['retrieve', trace.retrieve_ms], ['select', trace.select_ms]] as const) {
    if (!known(ms) || (key === 'rewrite' && ms === 0)) continue;
    stages.push({ key, from: at, to: at + ms });
    at += ms;
  }
  if (known(trace.first_token_ms) && known(trace.first_sentence_ms) && trace.first_token_ms >= at) {
    stages.push({ key: 'write', from: at, to: trace.first_token_ms });
    stages.push({ key: 'sentence', from: trace.first_token_ms, to: Math.max(trace.first_token_ms, trace.first_sentence_ms) });
  } else if (known(trace.first_sentence_ms) && trace.first_sentence_ms > at) {
    stages.push({ key: 'sentence', from: at, to: trace.first_sentence_ms });
  }
  if (known(trace.verify_ms) && trace.verify_ms > 0) stages.push({ key: 'verify', from: Math.max(0, total - trace.verify_ms), to: total });
  return stages;
}

/** From the request to read aloud on. */
export function speechStages(trace: SpeechTrace): Stage[] {
  return chain([
    ['speech_text', trace.first_text_ms],
    ['speech_make', trace.first_audio_ms],
    ['speech_all', trace.total_ms],
  ]);
}
