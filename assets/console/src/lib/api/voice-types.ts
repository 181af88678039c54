/** Shapes of the voice interface: those of the description by their short names, and what streams carry (docs/voice-protocol.md). */
import type { components } from './schema';
import type { Citation, Problem, Retrieval, TurnView } from './types';

type S = components['schemas'];

export type ClauseKind = 'answer' | 'citation';

/** A piece of a spoken answer (`clause` of `GET /ask/{turn}/speech` and of the conversation). */
export interface ClauseEvent {
  index: number;
  /** Index into the turn's sentences. */
  sentence: number;
  kind: ClauseKind;
  text: string;
  url?: string | null;
  duration_ms: number;
  /** Since the request began. */
  ms: number;
}

export interface SpeechTrace {
  first_text_ms?: number | null;
  first_synthesis_ms?: number | null;
  first_audio_ms?: number | null;
  total_ms?: number | null;
}

export type SpeechEvent =
  | { event: 'clause'; data: ClauseEvent }
  | { event: 'done'; data: { clauses: number; duration_ms: number; complete: boolean; trace: SpeechTrace } }
  | { event: 'error'; data: Problem };

/** Milliseconds since the end of speech; of a typed question, since it was sent. */
export interface VoiceTrace {
  /** The silence that was waited for, to be sure that the question had ended. */
  end_of_turn_ms?: number | null;
  transcript_ms?: number | null;
  retrieval_ms?: number | null;
  first_sentence_ms?: number | null;
  first_audio_ms?: number | null;
  total_ms?: number | null;
}

export type TalkMode = 'push' | 'hands_free';

export interface StartMessage {
  type: 'start';
  mode: TalkMode;
  conversation?: string;
  language?: string;
  speak?: boolean;
  format?: 'pcm';
  auto_ask?: boolean;
  sample_rate?: number;
}

export type ClientMessage =
  | StartMessage
  | { type: 'listen' }
  | { type: 'end_of_speech' }
  | { type: 'ask'; text: string }
  | { type: 'stop' }
  | { type: 'cancel' }
  | { type: 'ping' };

/** A clause begins to sound, with the first of its sound. */
export interface ClauseHeader extends Omit<ClauseEvent, 'url' | 'duration_ms'> {
  type: 'clause';
  /** Bytes of audio in the binary frames that follow. */
  bytes: number;
}

/** More sound of the clause before. */
export interface SoundHeader {
  type: 'sound';
  index: number;
  bytes: number;
}

export type ServerMessage =
  | { type: 'ready'; mode: TalkMode; engine: string; audio: { format: string; sample_rate: number } }
  | { type: 'vad'; speaking: boolean; at_ms: number }
  | { type: 'level'; rms: number; peak: number }
  | { type: 'transcript'; final: boolean; text: string; language?: string | null; engine?: string | null; utterance: number; ms?: number }
  | ({ type: 'retrieval' } & Retrieval)
  | { type: 'token'; text: string }
  /** `type` names the message, so the document's own type has another name here. */
  | ({ type: 'citation'; document_type: string } & Omit<Citation, 'type'>)
  | { type: 'sentence'; index: number; text: string; citations: number[] }
  | ClauseHeader
  | SoundHeader
  | { type: 'turn'; view: TurnView }
  | { type: 'barge_in'; at_ms: number; clause: number }
  | { type: 'done'; turn?: string | null; stopped: boolean; trace: VoiceTrace }
  | { type: 'pong' }
  | ({ type: 'error' } & Problem);

export type Word = S['WordView'];
export type Segment = S['SegmentView'];
export type Transcript = S['TranscriptView'];
export type VoiceView = S['VoiceView'];
export type VoicePreferences = S['PreferencesView'];
export type VoicePreferencesPatch = Partial<S['PatchPreferences']>;
export type LexiconKind = S['LexiconKind'];
export type LexiconEntry = S['LexiconView'];
export type LexiconImport = S['LexiconImport'];
export type NewLexiconEntry = Required<S['NewLexiconEntry']>;
export type SpeechRequest = Partial<S['NewSpeech']>;
