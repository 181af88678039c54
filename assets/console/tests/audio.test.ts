import { describe, expect, it } from 'vitest';
import { fromPcm16, loudness, meterValue, parseWav, toPcm16 } from '$lib/audio/pcm';
import { Resampler } from '$lib/audio/resample';
import { stretch } from '$lib/audio/stretch';

const sine = (hertz: number, rate: number, seconds: number, level = 0.5) =>
  Float32Array.from({ length: Math.round(rate * seconds) }, (_, i) => level * Math.sin((2 * Math.PI * hertz * i) / rate));

/** How much of one frequency is in the middle of a signal (Goertzel), as its level. */
function levelAt(samples: Float32Array, hertz: number, rate: number): number {
  const from = Math.floor(samples.length * 0.25);
  const part = samples.subarray(from, Math.floor(samples.length * 0.75));
  let re = 0;
  let im = 0;
  let sum = 0;
  for (const [i, value] of part.entries()) {
    const hann = 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / part.length);
    re += value * hann * Math.cos((2 * Math.PI * hertz * i) / rate);
    im += value * hann * Math.sin((2 * Math.PI * hertz * i) / rate);
    sum += hann;
  }
  return (2 * Math.hypot(re, im)) / sum;
}

function whole(resampler: Resampler, samples: Float32Array, piece: number): Float32Array {
  const out: number[] = [];
  for (let at = 0; at < samples.length; at += piece) out.push(...resampler.push(samples.subarray(at, at + piece)));
  out.push(...resampler.flush());
  return Float32Array.from(out);
}

describe('changing the sample rate', () => {
  it.each([48_000, 44_100, 96_000, 32_000, 22_050, 8000])('keeps a voice of %i Hz, its level and its length', (rate) => {
    const out = whole(new Resampler(rate, 16_000), sine(440, rate, 1), 128);
    expect(out.length).toBeGreaterThan(15_900);
    expect(out.length).toBeLessThanOrEqual(16_010);
    expect(levelAt(out, 440, 16_000)).toBeCloseTo(0.5, 2);
  });

  it.each([48_000, 44_100])('lets nothing above 8 kHz fold back (%i Hz)', (rate) => {
    for (const hertz of [9000, 12_000, 15_000, 20_000]) {
      const out = whole(new Resampler(rate, 16_000), sine(hertz, rate, 0.5), 128);
      const { rms } = loudness(out.subarray(200, out.length - 200));
      // −60 dB against the level that came in.
      expect(rms, `${hertz}`).toBeLessThan(0.00035);
    }
  });

  it('keeps 7 kHz, which sibilants need', () => {
    const out = whole(new Resampler(48_000, 16_000), sine(7000, 48_000, 0.5), 128);
    expect(levelAt(out, 7000, 16_000)).toBeGreaterThan(0.45);
  });

  it('gives the same samples whatever the pieces', () => {
    const samples = sine(523, 44_100, 0.1);
    const one = whole(new Resampler(44_100, 16_000), samples, samples.length);
    for (const piece of [1, 7, 128, 1000]) {
      const many = whole(new Resampler(44_100, 16_000), samples, piece);
      expect(many.length).toBe(one.length);
      expect(many.every((value, i) => value === one[i]), `pieces of ${piece}`).toBe(true);
    }
  });

  it('starts where the sound starts', () => {
    const samples = new Float32Array(4800);
    samples[0] = 1;
    const out = whole(new Resampler(48_000, 16_000), samples, 128);
    expect(out.indexOf(Math.max(...out))).toBe(0);
  });

  it('leaves equal rates alone and refuses nonsense', () => {
    const samples = sine(440, 16_000, 0.1);
    expect(new Resampler(16_000, 16_000).push(samples)).toEqual(samples);
    expect(() => new Resampler(0, 16_000)).toThrow(RangeError);
  });
});

describe('bytes of sound', () => {
  it('turns samples to 16 bit and back, and does not wrap over', () => {
    const back = fromPcm16(new Uint8Array(toPcm16(Float32Array.from([0, 0.5, -0.5, 2, -2])).buffer));
    expect([...back].map((v) => Math.round(v * 100) / 100)).toEqual([0, 0.5, -0.5, 1, -1]);
  });

  const wav = (channels: number, declared: number, samples: number[]) => {
    const view = new DataView(new ArrayBuffer(44 + samples.length * 2));
    const text = (at: number, s: string) => [...s].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    text(0, 'RIFF');
    text(8, 'WAVEfmt ');
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, channels, true);
    view.setUint32(24, 22_050, true);
    view.setUint16(34, 16, true);
    text(36, 'data');
    view.setUint32(40, declared, true);
    samples.forEach((s, i) => view.setInt16(44 + i * 2, s, true));
    return new Uint8Array(view.buffer);
  };

  it('reads WAV files, also of unknown length and of two channels', () => {
    expect(parseWav(wav(1, 4, [16_384, -16_384]))).toEqual({ rate: 22_050, samples: Float32Array.from([0.5, -0.5]) });
    expect(parseWav(wav(1, 0xffffffff, [16_384]))?.samples.length).toBe(1);
    expect(parseWav(wav(2, 8, [16_384, 0, -16_384, 0]))?.samples).toEqual(Float32Array.from([0.25, -0.25]));
  });

  it('says no to what is none, cut anywhere', () => {
    const good = wav(1, 4, [1, 2]);
    for (let n = 0; n < good.length; n++) expect(() => parseWav(good.subarray(0, n))).not.toThrow();
    expect(parseWav(new TextEncoder().encode('{"title":"not found"}'))).toBeNull();
  });

  it('shows loudness as ears hear it', () => {
    expect(meterValue(0)).toBe(0);
    expect(meterValue(1)).toBe(1);
    expect(meterValue(0.01)).toBeCloseTo(1 / 3, 2);
  });
});

describe('another speed', () => {
  it.each([0.75, 1.25, 1.5, 2])('%f× keeps the pitch and changes the length', (speed) => {
    const rate = 22_050;
    const out = stretch(sine(220, rate, 2) as Float32Array<ArrayBuffer>, rate, speed);
    expect(out.length / rate).toBeCloseTo(2 / speed, 1);
    expect(levelAt(out, 220, rate)).toBeGreaterThan(0.4);
    expect(levelAt(out, 220 * speed, rate)).toBeLessThan(0.1);
  });

  it('goes to the end of what is said', () => {
    const rate = 16_000;
    const samples = new Float32Array(rate);
    samples.fill(0.5, rate - 1600);
    const out = stretch(samples, rate, 1.5);
    expect(loudness(out.subarray(out.length - 400)).rms).toBeGreaterThan(0.4);
  });

  it('leaves short pieces and the own speed alone', () => {
    const short = new Float32Array(100);
    expect(stretch(short, 22_050, 2)).toBe(short);
    const long = new Float32Array(22_050);
    expect(stretch(long, 22_050, 1)).toBe(long);
  });
});
