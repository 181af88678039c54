/** Speaking and hearing: voices, words, spoken answers. */
import { create, del, get, patch, send, url } from './client';
import { ApiError } from './problem';
import { readEvents } from './sse';
import type { Paged } from './types';
import type {
  LexiconEntry,
  LexiconImport,
  NewLexiconEntry,
  SpeechEvent,
  SpeechRequest,
  VoicePreferences,
  VoicePreferencesPatch,
  VoiceView,
} from './voice-types';

const seg = encodeURIComponent;

export const voiceApi = {
  voices: () => get<{ voices: VoiceView[] }>('/voices'),
  preferences: () => get<VoicePreferences>('/voice-preferences'),
  patchPreferences: (body: VoicePreferencesPatch) => patch<VoicePreferences>('/voice-preferences', body),

  lexicon: (query: { q?: string; cursor?: string; limit?: number }, signal?: AbortSignal) =>
    get<Paged<LexiconEntry>>('/lexicon', query, signal),
  addWord: (body: NewLexiconEntry) => create<LexiconEntry>('/lexicon', body),
  patchWord: (id: string, body: Partial<NewLexiconEntry>) => patch<LexiconEntry>(`/lexicon/${seg(id)}`, body),
  deleteWord: (id: string) => del(`/lexicon/${seg(id)}`),
  lexiconExportUrl: () => url('/lexicon/export'),
  importLexicon: async (file: Blob): Promise<LexiconImport> => {
    const response = await send('POST', '/lexicon/import', { raw: file, type: 'text/csv' });
    return (await response.json()) as LexiconImport;
  },

  /** A short text as a WAV file. */
  say: async (body: SpeechRequest, signal?: AbortSignal): Promise<ArrayBuffer> => {
    const response = await send('POST', '/speech', { body: { format: 'wav', ...body }, accept: 'audio/wav', signal });
    return response.arrayBuffer();
  },

  /** The sound of a clause, by the address that came with it. */
  clip: async (address: string, signal: AbortSignal): Promise<ArrayBuffer> => {
    const path = address.replace(/^\/api\/v1/, '');
    if (!path.startsWith('/audio/')) throw new ApiError({ status: 404, code: 'not_found' });
    // The address holds a hash of the sound: the browser may keep it.
    const response = await send('GET', path, { accept: 'audio/*', cache: 'default', signal });
    return response.arrayBuffer();
  },
};

/** An answer as it is spoken, also while it is still being written; ends after `done` or `error`. */
export async function* speech(turn: string, signal: AbortSignal): AsyncGenerator<SpeechEvent> {
  const response = await send('GET', `/ask/${seg(turn)}/speech`, { query: { format: 'wav' }, accept: 'text/event-stream', signal });
  if (!response.body) return;
  for await (const { event, data } of readEvents(response.body)) {
    yield { event, data: JSON.parse(data) } as SpeechEvent;
    if (event === 'done' || event === 'error') return;
  }
}
