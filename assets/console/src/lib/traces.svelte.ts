/** Times of spoken answers, kept as long as the page is open: the server keeps those of the written answer. */
import { SvelteMap } from 'svelte/reactivity';
import type { SpeechTrace, VoiceTrace } from './api';

export const spokenTraces = new SvelteMap<string, VoiceTrace>();
export const speechTraces = new SvelteMap<string, SpeechTrace>();
