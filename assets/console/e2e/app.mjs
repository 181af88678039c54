/** A small app of a third party: it begins the code flow with PKCE and listens where the browser comes back to. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

export async function startApp() {
  /** The queries with which browsers came back. */
  const came = [];
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, 'http://app');
    if (pathname === '/back') came.push(Object.fromEntries(searchParams));
    response.writeHead(pathname === '/back' ? 200 : 404, { 'content-type': 'text/html' }).end('<!doctype html><title>App</title><h1>The app</h1>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { came, url, back: `${url}/back`, stop: () => (server.closeAllConnections(), server.close()) };
}

/** What stands behind `?` of the page of consent, and what redeems the code. */
export function codeRequest(client_id, redirect_uri, more = {}) {
  const verifier = randomBytes(32).toString('base64url');
  const code_challenge = createHash('sha256').update(verifier).digest('base64url');
  const query = new URLSearchParams({ response_type: 'code', client_id, redirect_uri, code_challenge, code_challenge_method: 'S256', ...more });
  return { query: query.toString(), verifier };
}
