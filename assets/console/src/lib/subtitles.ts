/** A transcript as a file: SubRip, WebVTT, plain text. */
import type { Segment } from './api';

function clock(ms: number, comma: ',' | '.'): string {
  const whole = Math.max(0, Math.round(ms));
  const two = (n: number) => String(n).padStart(2, '0');
  const seconds = Math.floor(whole / 1000);
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}${comma}${String(whole % 1000).padStart(3, '0')}`;
}

/** An arrow or a blank line inside would end a cue early. */
const line = (text: string) => text.replace(/\s+/g, ' ').replaceAll('-->', '→').trim();

export function srt(segments: readonly Segment[]): string {
  return segments.map((s, i) => `${i + 1}\n${clock(s.start_ms, ',')} --> ${clock(s.end_ms, ',')}\n${line(s.text)}\n`).join('\n');
}

export function vtt(segments: readonly Segment[]): string {
  const cues = segments.map((s) => `${clock(s.start_ms, '.')} --> ${clock(s.end_ms, '.')}\n${escape(line(s.text))}\n`);
  return ['WEBVTT\n', ...cues].join('\n');
}

const escape = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export function plainText(segments: readonly Segment[]): string {
  return segments.map((s) => `${line(s.text)}\n`).join('');
}

/** "1:02:03", "4:05": for people. */
export function shortClock(ms: number): string {
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const two = (n: number) => String(n).padStart(2, '0');
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}
