/** Samples as bytes: 16-bit little endian, and the WAV files that the server makes. */

export interface Clip {
  rate: number;
  samples: Float32Array<ArrayBuffer>;
}

export function toPcm16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.max(-1, Math.min(1, samples[i] as number));
    out[i] = Math.round(value * 32767);
  }
  return out;
}

export function fromPcm16(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(Math.floor(bytes.byteLength / 2));
  for (let i = 0; i < out.length; i++) out[i] = view.getInt16(i * 2, true) / 32768;
  return out;
}

const tag = (view: DataView, at: number) =>
  String.fromCharCode(view.getUint8(at), view.getUint8(at + 1), view.getUint8(at + 2), view.getUint8(at + 3));

/**
 * A 16-bit PCM WAV file as one channel. A file that was sent while it was made says a length that it does not have:
 * then its sound ends where the bytes end. `null` when it is something else.
 */
export function parseWav(bytes: Uint8Array): Clip | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.byteLength < 12 || tag(view, 0) !== 'RIFF' || tag(view, 8) !== 'WAVE') return null;
  let channels = 0;
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.byteLength; ) {
    const size = view.getUint32(at + 4, true);
    const name = tag(view, at);
    if (name === 'fmt ' && size >= 16 && at + 24 <= bytes.byteLength) {
      if (view.getUint16(at + 8, true) !== 1 || view.getUint16(at + 22, true) !== 16) return null;
      channels = view.getUint16(at + 10, true);
      rate = view.getUint32(at + 12, true);
    } else if (name === 'data') {
      if (channels < 1 || rate < 1) return null;
      const all = fromPcm16(bytes.subarray(at + 8, Math.min(at + 8 + size, bytes.byteLength)));
      return { rate, samples: channels === 1 ? all : mixed(all, channels) };
    }
    at += 8 + size + (size % 2);
  }
  return null;
}

function mixed(all: Float32Array, channels: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(Math.floor(all.length / channels));
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += all[i * channels + c] as number;
    out[i] = sum / channels;
  }
  return out;
}

/** How loud a piece is: root mean square and highest, both 0–1. */
export function loudness(samples: Float32Array): { rms: number; peak: number } {
  let sum = 0;
  let peak = 0;
  for (const value of samples) {
    sum += value * value;
    peak = Math.max(peak, Math.abs(value));
  }
  return { rms: samples.length > 0 ? Math.sqrt(sum / samples.length) : 0, peak };
}

/** −60 dB to 0 dB as 0–1, as ears hear it. */
export function meterValue(rms: number): number {
  if (rms <= 0) return 0;
  return Math.max(0, Math.min(1, (20 * Math.log10(rms) + 60) / 60));
}
