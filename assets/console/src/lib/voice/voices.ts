/** Lists of voices as the page shows and sorts them. */
import type { VoiceView } from '$lib/api';
import { baseLanguage } from './samples';

/** All languages that some voice speaks, without their regions, sorted by the names given. */
export function languagesOf(voices: readonly VoiceView[], name: (code: string) => string): string[] {
  const codes = new Set(voices.flatMap((v) => v.languages.map(baseLanguage)));
  return [...codes].toSorted((a, b) => name(a).localeCompare(name(b)));
}

/** Those that a choice or a word can be bound to: two-letter codes, as texts are told apart by. */
export function choosable(languages: readonly string[]): string[] {
  return languages.filter((code) => code.length === 2);
}

export function speaks(voice: VoiceView, language: string): boolean {
  return language === '' || voice.languages.some((code) => baseLanguage(code) === language);
}

/** Natural voices first, then by name. */
export function sorted(voices: readonly VoiceView[]): VoiceView[] {
  const rank = (v: VoiceView) => (v.engine === 'espeak' ? 1 : 0);
  return voices.toSorted((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id));
}

/** What a choice holds: a voice and, where it has several, a speaker. */
export function withSpeaker(id: string, speaker: string): string {
  return speaker ? `${id}#${speaker}` : id;
}

/** Every choice for a language: voices, and each speaker of voices with several. */
export function choicesFor(voices: readonly VoiceView[], language: string): { id: string; label: string }[] {
  return sorted(voices.filter((v) => speaks(v, language))).flatMap((v) =>
    v.speakers.length > 1
      ? v.speakers.map((speaker) => ({ id: withSpeaker(v.id, speaker), label: `${v.name} · ${speaker}` }))
      : [{ id: v.id, label: v.name }],
  );
}

/** 170 words a minute is a voice's own speed. */
export const OWN_RATE = 170;
