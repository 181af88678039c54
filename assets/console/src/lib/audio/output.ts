/** The loudspeaker: one Web Audio context for the page, made at the first sound. */
import { parseWav, type Clip } from './pcm';
import type { Output } from './queue';

let context: AudioContext | null = null;

/** Called in the handler of a click or key, so that the browser lets the page be heard later. */
export function wake(): void {
  context ??= new AudioContext();
  void context.resume().catch(() => undefined);
}

/** Whether sound comes out; a browser may want a click first. */
export async function audible(): Promise<boolean> {
  wake();
  const made = context;
  if (!made) return false;
  if (made.state === 'running') return true;
  await Promise.race([made.resume().catch(() => undefined), new Promise((r) => setTimeout(r, 400))]);
  return (made.state as AudioContextState) === 'running';
}

export const speakers: Output = {
  now: () => context?.currentTime ?? 0,
  play: (clip, at, onended) => {
    wake();
    const made = context as AudioContext;
    const buffer = made.createBuffer(1, clip.samples.length, clip.rate);
    buffer.copyToChannel(clip.samples, 0);
    const source = made.createBufferSource();
    source.buffer = buffer;
    source.connect(made.destination);
    source.onended = onended;
    source.start(at);
    return () => {
      source.onended = null;
      source.stop();
      source.disconnect();
    };
  },
};

/** Any audio file the browser knows; WAV without its help, which is quicker and takes files of unknown length. */
export async function decode(bytes: ArrayBuffer): Promise<Clip> {
  const wav = parseWav(new Uint8Array(bytes));
  if (wav) return wav;
  wake();
  const buffer = await (context as AudioContext).decodeAudioData(bytes);
  return { rate: buffer.sampleRate, samples: buffer.getChannelData(0) as Float32Array<ArrayBuffer> };
}
