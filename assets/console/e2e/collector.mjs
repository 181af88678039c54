/** A small syslog server and a small collector: they keep what they are sent. */
import { createServer } from 'node:http';
import { createServer as createTcp } from 'node:net';

const listening = (server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server.address().port)));

/** One JSON object a line, by TCP. */
export async function startSyslog() {
  const lines = [];
  const sockets = new Set();
  const server = createTcp((socket) => {
    sockets.add(socket);
    let rest = '';
    socket.setEncoding('utf8').on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.on('data', (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop();
      lines.push(...parts.filter(Boolean).map((line) => JSON.parse(line)));
    });
  });
  const port = await listening(server);
  return { lines, port, stop: () => (sockets.forEach((socket) => socket.destroy()), server.close()) };
}

/** Requests, with the header that carries the secret. */
export async function startCollector() {
  const came = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    came.push({ authorization: request.headers.authorization ?? null, body });
    response.writeHead(200).end();
  });
  const port = await listening(server);
  return { came, url: `http://127.0.0.1:${port}/raw`, stop: () => (server.closeAllConnections(), server.close()) };
}

/** A port at which nobody listens. */
export async function closedPort() {
  const probe = createTcp();
  const port = await listening(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
