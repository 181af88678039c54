/** Starts what is to be tested: the program named by LECTERN_BINARY, or the mock. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startFront } from './front.mjs';

export const HERE = dirname(fileURLToPath(import.meta.url));

const freePort = () =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });

/** The program refuses settings that it does not know, and these are the tests' own. */
const OWN = ['LECTERN_BINARY', 'LECTERN_SHOTS', 'LECTERN_SHARED', 'LECTERN_QUESTION', 'LECTERN_CACHE'];
export const programEnv = () => Object.fromEntries(Object.entries(process.env).filter(([name]) => !OWN.includes(name)));

/** With `front` the page comes from `dist` instead of out of the program; `plain` is without TLS in any case. */
export async function startTarget(mock, front = false, plain = front) {
  const binary = process.env.LECTERN_BINARY;
  if (!mock && !binary) throw new Error('Set LECTERN_BINARY to the program to test, or run `npm run test:pages`.');
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), 'lectern-e2e-'));
  const [command, args] = mock
    ? [process.execPath, [join(HERE, 'mock-server.mjs'), String(port)]]
    : [binary, ['serve', '--data', data, '--listen', `127.0.0.1:${port}`, ...(plain ? ['--insecure-http'] : [])]];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: programEnv() });
  let log = '';
  const code = await new Promise((resolve, reject) => {
    const take = (chunk) => {
      log += chunk;
      const found = /setup code: (\S+)/i.exec(log);
      if (found) resolve(found[1]);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('exit', (status) => reject(new Error(`the program ended with ${status}:\n${log}`)));
    setTimeout(() => reject(new Error(`no set-up code within 30 s:\n${log}`)), 30_000).unref();
  });
  const at = front ? await freePort() : port;
  const stopFront = front ? await startFront(at, port) : () => undefined;
  const stop = () =>
    new Promise((resolve) => {
      stopFront();
      child.removeAllListeners('exit');
      child.on('exit', resolve);
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
    }).finally(() => rmSync(data, { recursive: true, force: true }));
  return { url: `${mock || plain ? 'http' : 'https'}://127.0.0.1:${at}`, code, stop, log: () => log };
}
