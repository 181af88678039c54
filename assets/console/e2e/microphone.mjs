/** The WAV file that Chromium takes for a microphone: a recorded sentence with silence around it. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HERE, programEnv } from './target.mjs';

const RATE = 16_000;
/** A recording among the shared material; `LECTERN_QUESTION` names another (WAV, 16 bit, mono). */
const RECORDED = join(process.env.LECTERN_SHARED ?? join(HERE, '../../../../shared'), 'data/speech/en/librivox_austen-0880.wav');
const QUESTION = 'Where is the assembly point?';

/** The file, the recording without silence, and how long one has to listen to it. */
export function makeMicrophone(folder, mock) {
  const { rate, pcm } = source(folder, mock);
  const silence = (seconds) => Buffer.alloc(Math.round(seconds * rate) * 2);
  const file = join(folder, 'microphone.wav');
  // Chromium plays it over and over: long enough for an answer to the first time before the second is heard.
  writeFileSync(file, wav(rate, Buffer.concat([silence(0.3), pcm, silence(mock ? 2.5 : 12)])));
  return { file, recording: { name: 'question.wav', mimeType: 'audio/wav', buffer: wav(rate, pcm) }, speechMs: Math.round((pcm.length / 2 / rate) * 1000) + 500 };
}

function source(folder, mock) {
  if (mock) return { rate: RATE, pcm: vowel() };
  const recorded = process.env.LECTERN_QUESTION ?? RECORDED;
  if (existsSync(recorded)) return read(readFileSync(recorded));
  const made = join(folder, 'question.wav');
  execFileSync(process.env.LECTERN_BINARY, ['speak', QUESTION, '--out', made], { env: programEnv() });
  return read(readFileSync(made));
}

function read(bytes) {
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const size = bytes.readUInt32LE(at + 4);
    if (name === 'fmt ') rate = bytes.readUInt32LE(at + 12);
    if (name === 'data') return { rate, pcm: bytes.subarray(at + 8, Math.min(bytes.length, at + 8 + size)) };
    at += 8 + size + (size % 2);
  }
  throw new Error('this is no WAV file');
}

/** Something like a voice, for the mock: a buzz of moving pitch and loudness, which noise suppression lets through. */
function vowel(seconds = 1.8) {
  const pcm = Buffer.alloc(Math.round(seconds * RATE) * 2);
  let phase = 0;
  for (let i = 0; i < pcm.length / 2; i++) {
    const time = i / RATE;
    phase += (2 * Math.PI * (140 + 30 * Math.sin(2 * Math.PI * 2.3 * time))) / RATE;
    let value = 0;
    for (let k = 1; k <= 12; k++) value += Math.sin(k * phase) / k;
    const loud = 0.35 + 0.65 * Math.abs(Math.sin(2 * Math.PI * 3.1 * time));
    pcm.writeInt16LE(Math.round(9000 * value * loud), i * 2);
  }
  return pcm;
}

function wav(rate, pcm) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + pcm.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate * 2, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(pcm.length, 40);
  return Buffer.concat([head, pcm]);
}
