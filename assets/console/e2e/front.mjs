/** The page as it was just built, before a program that has an older one inside: files from `dist`, the rest passed on. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, request as ask } from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = join(dirname(fileURLToPath(import.meta.url)), '../dist');
const MIME = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

function file(response, path, policy) {
  let target = join(DIST, path);
  if (!target.startsWith(DIST) || !existsSync(target) || !extname(target)) target = join(DIST, extname(path) ? 'none' : 'index.html');
  if (!existsSync(target)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': MIME[extname(target)] ?? 'application/octet-stream', 'content-security-policy': policy, 'cache-control': 'no-cache' });
  response.end(readFileSync(target));
}

/** Serves at `port` what the program at `behind` answers, with its policy and our files. */
export async function startFront(port, behind) {
  const policy = (await fetch(`http://127.0.0.1:${behind}/`)).headers.get('content-security-policy') ?? '';
  const pass = (request) => ask({ host: '127.0.0.1', port: behind, path: request.url, method: request.method, headers: request.headers });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://front');
    if (!pathname.startsWith('/api/') && !pathname.startsWith('/.well-known/')) return file(response, decodeURIComponent(pathname), policy);
    const onward = pass(request);
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
      response.on('close', () => answer.destroy());
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('upgrade', (request, socket, head) => {
    const onward = pass(request);
    onward.on('upgrade', (answer, behindSocket, first) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}`);
      socket.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'));
      behindSocket.write(head);
      socket.write(first);
      behindSocket.pipe(socket).pipe(behindSocket);
      for (const end of [socket, behindSocket]) end.on('error', () => (socket.destroy(), behindSocket.destroy()));
    });
    onward.on('response', () => socket.destroy());
    onward.on('error', () => socket.destroy());
    onward.end();
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return () => (server.closeAllConnections(), server.close());
}
