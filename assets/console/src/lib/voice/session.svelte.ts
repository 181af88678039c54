/** A spoken conversation of the page: carries out what `machine.ts` decides, on microphone, connection and loudspeaker. */
import { openSocket, type AskEvent, type ClauseHeader, type OpenSocket, type ServerMessage, type Socket, type TalkMode, type VoiceTrace } from '$lib/api';
import { MicError, Microphone, type Heard, type MicReason } from '$lib/audio/microphone';
import { meterValue } from '$lib/audio/pcm';
import { SILENT, step, type Effect, type TalkInput, type TalkState } from './machine';

export interface SessionHandlers {
  /** The words of an utterance, to be corrected and asked. */
  ontranscript: (text: string) => void;
  onasked: (text: string) => void;
  /** The same events as those of a question by `POST /ask`. */
  onanswer: (event: AskEvent) => void;
  onclause: (header: ClauseHeader, bytes: Uint8Array, rate: number) => void;
  onanswered: (turn: string | null, stopped: boolean, trace: VoiceTrace) => void;
  onsilence: () => void;
  onlost: () => void;
}

/** What of the microphone `VoiceSession` needs. */
export type Ear = Pick<Microphone, 'start' | 'stop'>;

export class VoiceSession {
  state = $state.raw<TalkState>(SILENT);
  /** How loud it is, 0–1. */
  level = $state(0);
  /** Sound comes from the microphone. */
  hearing = $state(false);
  /** Why there is no microphone. */
  problem = $state<MicReason | null>(null);
  conversation = '';
  /** Whether answers shall be heard. */
  speak = true;
  #handlers: SessionHandlers;
  #open: OpenSocket;
  #ear: Ear;
  #socket: Socket | null = null;
  /** What the connection was made for. */
  #made = '';
  #rate = 22_050;
  #listening = false;
  /** Resolves when the microphone has given its last sound. */
  #ending: Promise<void> = Promise.resolve();

  constructor(handlers: SessionHandlers, open: OpenSocket = openSocket, ear: Ear = new Microphone()) {
    this.#handlers = handlers;
    this.#open = open;
    this.#ear = ear;
  }

  press(mode: TalkMode): void {
    this.problem = null;
    this.#connect(mode);
    this.#input({ type: 'press', mode });
  }

  release(): void {
    this.#input({ type: 'release' });
  }

  cancel(): void {
    this.#input({ type: 'cancel' });
  }

  stop(): void {
    this.#input({ type: 'stop' });
  }

  ask(text: string): void {
    this.#connect(this.state.held ? this.state.mode : 'push');
    this.#input({ type: 'ask', text });
  }

  /** Ends everything, as when the page is left. */
  close(): void {
    this.#disconnect();
    this.#input({ type: 'closed' });
  }

  /** A connection is for one mode and one conversation; another needs a new one. */
  #connect(mode: TalkMode): void {
    const wanted = this.#purpose(mode);
    if (this.#socket && this.#made === wanted) return;
    if (this.#socket) this.close();
    this.#made = wanted;
    const socket = this.#open({
      onmessage: (message) => {
        if (message.type === 'ready') this.#rate = message.audio.sample_rate;
        // The server began a conversation for us: the connection belongs to it from now on.
        if (message.type === 'retrieval') {
          this.conversation = message.conversation;
          this.#made = this.#purpose(mode);
        }
        this.#input({ type: 'server', message });
      },
      onclause: (header, bytes) => this.#handlers.onclause(header, bytes, this.#rate),
      onclose: () => {
        if (this.#socket !== socket) return;
        this.#socket = null;
        const busy = this.state.phase !== 'ready' && this.state.phase !== 'off';
        this.#input({ type: 'closed' });
        if (busy) this.#handlers.onlost();
      },
    });
    this.#socket = socket;
    socket.send({
      type: 'start',
      mode,
      speak: this.speak,
      format: 'pcm',
      sample_rate: 16_000,
      ...(this.conversation ? { conversation: this.conversation } : {}),
    });
  }

  #purpose(mode: TalkMode): string {
    return `${mode} ${this.speak} ${this.conversation}`;
  }

  #disconnect(): void {
    this.#socket?.close();
    this.#socket = null;
  }

  #input(input: TalkInput): void {
    const [next, effects] = step(this.state, input);
    this.state = next;
    for (const effect of effects) this.#run(effect);
  }

  #run(effect: Effect): void {
    switch (effect.do) {
      case 'send': {
        // Behind the sound that a closing microphone still gives back.
        const socket = this.#socket;
        void this.#ending.then(() => socket?.send(effect.message));
        return;
      }
      case 'microphone':
        if (effect.on) void this.#listen();
        else this.#deaf();
        return;
      case 'silence':
        return this.#handlers.onsilence();
      case 'transcript':
        return this.#handlers.ontranscript(effect.text);
      case 'asked':
        return this.#handlers.onasked(effect.text);
      case 'answer': {
        const event = asAskEvent(effect.message);
        if (event) this.#handlers.onanswer(event);
        return;
      }
      case 'answered':
        return this.#handlers.onanswered(effect.turn, effect.stopped, effect.trace);
      case 'disconnect':
        return this.#disconnect();
    }
  }

  async #listen(): Promise<void> {
    if (this.#listening) return;
    this.#listening = true;
    const heard = ({ pcm, rms }: Heard) => {
      this.hearing = this.#listening;
      this.level = meterValue(rms);
      this.#socket?.audio(pcm);
    };
    try {
      await this.#ear.start(heard, () => this.#lost('missing'));
    } catch (error) {
      this.#lost(error instanceof MicError ? error.reason : 'failed');
    }
  }

  #lost(reason: MicReason): void {
    this.problem = reason;
    this.#input({ type: 'no_microphone' });
  }

  #deaf(): void {
    if (!this.#listening) return;
    this.#listening = false;
    this.#ending = this.#ear.stop().then(() => {
      this.hearing = this.#listening;
      this.level = 0;
    });
  }
}

/** The conversation's messages in the shape of the events of `POST /ask`. */
export function asAskEvent(message: ServerMessage): AskEvent | null {
  const { type, ...data } = message;
  switch (type) {
    case 'retrieval':
    case 'token':
    case 'sentence':
    case 'error':
      return { event: type, data } as unknown as AskEvent;
    case 'citation': {
      const { document_type, ...rest } = message;
      return { event: 'citation', data: { ...rest, type: document_type } };
    }
    case 'turn':
      return { event: 'done', data: message.view };
    default:
      return null;
  }
}
