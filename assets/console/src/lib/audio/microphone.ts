/** The microphone: asks for it, gives its sound as 16 kHz PCM, lets go of it, and says in plain words why it cannot be had. */
import captureUrl from './capture.worklet.ts?worker&url';

export const MIC_RATE = 16_000;

/** Why there is no microphone; the words are in the locales under `mic.<reason>`. */
export type MicReason = 'insecure' | 'unsupported' | 'blocked' | 'missing' | 'busy' | 'failed';

export class MicError extends Error {
  readonly reason: MicReason;
  constructor(reason: MicReason) {
    super(reason);
    this.name = 'MicError';
    this.reason = reason;
  }
}

/** What the browser's error means (names of the Media Capture specification, and older ones of browsers). */
export function reasonOf(error: unknown): MicReason {
  const name = error instanceof Error || error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError' || name === 'PermissionDeniedError') return 'blocked';
  if (name === 'NotFoundError' || name === 'DevicesNotFoundError' || name === 'OverconstrainedError') return 'missing';
  if (name === 'NotReadableError' || name === 'TrackStartError' || name === 'AbortError') return 'busy';
  return 'failed';
}

export interface Heard {
  pcm: ArrayBuffer;
  rms: number;
  peak: number;
}

export class Microphone {
  #stream: MediaStream | null = null;
  #context: AudioContext | null = null;
  #node: AudioWorkletNode | null = null;
  #wanted = 0;

  /** Resolves when sound comes; rejects with `MicError`. `onlost`: the device was taken away. */
  async start(onheard: (heard: Heard) => void, onlost: () => void): Promise<void> {
    const mine = ++this.#wanted;
    if (!globalThis.isSecureContext) throw new MicError('insecure');
    // TypeScript says it is always there; in older browsers and odd embeddings it is not.
    const devices = navigator.mediaDevices as MediaDevices | undefined;
    if (!devices || typeof AudioWorkletNode === 'undefined') throw new MicError('unsupported');
    let stream: MediaStream;
    try {
      stream = await devices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
    } catch (error) {
      throw new MicError(reasonOf(error));
    }
    if (mine !== this.#wanted) return release(stream);
    this.#stream = stream;
    stream.getAudioTracks()[0]?.addEventListener('ended', onlost, { once: true });
    try {
      await this.#connect(stream, onheard);
    } catch {
      void this.#close();
      throw new MicError('failed');
    }
  }

  async #connect(stream: MediaStream, onheard: (heard: Heard) => void): Promise<void> {
    const context = (this.#context = new AudioContext({ latencyHint: 'interactive' }));
    await context.audioWorklet.addModule(captureUrl);
    if (this.#context !== context) return;
    const node = (this.#node = new AudioWorkletNode(context, 'lectern-capture', { channelCount: 1, channelCountMode: 'explicit' }));
    node.port.onmessage = (e: MessageEvent<Heard | { end: true }>) => {
      if ('pcm' in e.data) onheard(e.data);
    };
    context.createMediaStreamSource(stream).connect(node);
    // It gives silence; but some browsers run only what leads to the loudspeaker.
    node.connect(context.destination);
    await context.resume();
  }

  /** Lets go of the device; resolves when the last samples have been given. */
  async stop(): Promise<void> {
    this.#wanted += 1;
    await this.#close();
  }

  /** What is open now; something new may be opened while it closes. */
  async #close(): Promise<void> {
    const { stream, context, node } = { stream: this.#stream, context: this.#context, node: this.#node };
    this.#stream = null;
    this.#context = null;
    this.#node = null;
    if (node) await drained(node);
    if (stream) release(stream);
    await context?.close().catch(() => undefined);
  }
}

function release(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function drained(node: AudioWorkletNode): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 200);
    node.port.addEventListener('message', (e: MessageEvent<{ end?: true }>) => {
      if (!e.data.end) return;
      clearTimeout(timer);
      resolve();
    });
    node.port.postMessage('end');
  });
}
