/** The server's half of a WebSocket (RFC 6455), for the mock: text and binary frames, no extensions. */
import { createHash } from 'node:crypto';

const MAGIC = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Answers an upgrade; `onmessage` gets a string or a Buffer. The result sends. */
export function accept(request, socket, onmessage, onclose) {
  const key = createHash('sha1').update(request.headers['sec-websocket-key'] + MAGIC).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  let held = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk]);
    for (let frame; (frame = take(held)); held = held.subarray(frame.size)) {
      if (frame.kind === 8) socket.end(head(8, 0));
      else if (frame.kind === 9) socket.write(Buffer.concat([head(10, frame.body.length), frame.body]));
      else if (frame.kind === 1) onmessage(frame.body.toString('utf8'));
      else if (frame.kind === 2) onmessage(frame.body);
    }
  });
  socket.on('close', onclose);
  socket.on('error', () => socket.destroy());
  const write = (kind, body) => socket.writable && socket.write(Buffer.concat([head(kind, body.length), body]));
  return {
    json: (message) => write(1, Buffer.from(JSON.stringify(message))),
    binary: (bytes) => write(2, bytes),
    close: () => socket.end(head(8, 0)),
  };
}

function head(kind, length) {
  if (length < 126) return Buffer.from([0x80 | kind, length]);
  const long = length > 0xffff;
  const out = Buffer.alloc(long ? 10 : 4);
  out[0] = 0x80 | kind;
  out[1] = long ? 127 : 126;
  if (long) out.writeBigUInt64BE(BigInt(length), 2);
  else out.writeUInt16BE(length, 2);
  return out;
}

function take(bytes) {
  if (bytes.length < 6) return null;
  let length = bytes[1] & 0x7f;
  let at = 2;
  if (length === 126) [length, at] = [bytes.readUInt16BE(2), 4];
  else if (length === 127) {
    if (bytes.length < 14) return null;
    [length, at] = [Number(bytes.readBigUInt64BE(2)), 10];
  }
  const size = at + 4 + length;
  if (bytes.length < size) return null;
  const mask = bytes.subarray(at, at + 4);
  const body = Buffer.from(bytes.subarray(at + 4, size));
  for (let i = 0; i < body.length; i++) body[i] ^= mask[i % 4];
  return { kind: bytes[0] & 0x0f, body, size };
}
