/** The conversation by WebSocket: messages as JSON, sound as binary frames. */
import { BASE } from './client';
import type { ClauseHeader, ClientMessage, ServerMessage, SoundHeader } from './voice-types';

/** Puts the binary frames that follow a `clause` or a `sound` together again. */
export class ClauseReader {
  /** The clause that sounds. */
  #clause: ClauseHeader | null = null;
  #header: ClauseHeader | null = null;
  #parts: Uint8Array[] = [];
  #missing = 0;

  /** A clause without sound is complete at once. */
  begin(message: ClauseHeader | SoundHeader): { header: ClauseHeader; bytes: Uint8Array } | null {
    if (message.type === 'clause') this.#clause = message;
    this.#header = this.#clause;
    this.#parts = [];
    this.#missing = message.bytes;
    return this.#complete();
  }

  add(frame: Uint8Array): { header: ClauseHeader; bytes: Uint8Array } | null {
    if (!this.#header) return null;
    this.#parts.push(frame);
    this.#missing -= frame.length;
    return this.#complete();
  }

  #complete(): { header: ClauseHeader; bytes: Uint8Array } | null {
    const header = this.#header;
    if (!header || this.#missing > 0) return null;
    const bytes = new Uint8Array(this.#parts.reduce((n, part) => n + part.length, 0));
    let at = 0;
    for (const part of this.#parts) {
      bytes.set(part, at);
      at += part.length;
    }
    this.#header = null;
    this.#parts = [];
    return { header, bytes };
  }
}

export interface SocketHandlers {
  onmessage: (message: ServerMessage) => void;
  onclause: (header: ClauseHeader, bytes: Uint8Array) => void;
  /** `clean`: the server ended it in good order, as after a long silence. */
  onclose: (clean: boolean) => void;
}

export interface Socket {
  send(message: ClientMessage): void;
  audio(pcm: ArrayBuffer): void;
  close(): void;
}

export type OpenSocket = (handlers: SocketHandlers) => Socket;

/** What is sent before the connection stands waits. */
export const openSocket: OpenSocket = (handlers) => {
  const address = new URL(`${BASE}/voice`, location.href);
  address.protocol = location.protocol === 'http:' ? 'ws:' : 'wss:';
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  const reader = new ClauseReader();
  const waiting: (string | ArrayBuffer)[] = [];
  let over = false;
  const give = (data: string | ArrayBuffer) => {
    if (socket.readyState === WebSocket.CONNECTING) waiting.push(data);
    else if (socket.readyState === WebSocket.OPEN) socket.send(data);
  };
  const clause = (whole: { header: ClauseHeader; bytes: Uint8Array } | null) => {
    if (whole) handlers.onclause(whole.header, whole.bytes);
  };
  socket.onopen = () => {
    for (const data of waiting.splice(0)) socket.send(data);
  };
  socket.onmessage = (e: MessageEvent<string | ArrayBuffer>) => {
    if (over) return;
    if (typeof e.data !== 'string') return clause(reader.add(new Uint8Array(e.data)));
    const message = JSON.parse(e.data) as ServerMessage;
    if (message.type === 'clause' || message.type === 'sound') clause(reader.begin(message));
    else handlers.onmessage(message);
  };
  socket.onclose = (e) => {
    if (!over) handlers.onclose(e.code === 1000 || e.code === 1001);
    over = true;
  };
  return {
    send: (message) => give(JSON.stringify(message)),
    audio: give,
    close: () => {
      over = true;
      socket.close(1000);
    },
  };
};
