/** A small OpenID provider: it lets in whoever `who` is without asking, or refuses when nobody is. */
import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startOpenId() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const asked = new Map();
  const self = { who: null, url: '', stop: () => undefined };
  const token = (claims) => {
    const text = `${part({ alg: 'ES256', kid: 'one', typ: 'JWT' })}.${part(claims)}`;
    return `${text}.${sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const pages = {
    '/.well-known/openid-configuration': () => ({
      issuer: self.url, authorization_endpoint: `${self.url}/authorize`, token_endpoint: `${self.url}/token`, jwks_uri: `${self.url}/keys`, response_types_supported: ['code'],
      subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['ES256'], code_challenge_methods_supported: ['S256'],
    }),
    '/keys': () => ({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'ES256' }] }),
    '/token': (form) => {
      const code = asked.get(form.get('code'));
      const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
      if (!code || code.get('code_challenge') !== challenge) return { error: 'invalid_grant' };
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: self.url, aud: code.get('client_id'), iat: now, exp: now + 300, nonce: code.get('nonce'), ...self.who };
      return { access_token: 'of-the-test', token_type: 'Bearer', expires_in: 300, id_token: token(claims) };
    },
  };
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, self.url);
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    if (pathname === '/authorize') {
      const back = new URL(searchParams.get('redirect_uri'));
      back.searchParams.set('state', searchParams.get('state'));
      const code = randomUUID();
      asked.set(code, searchParams);
      back.searchParams.set(self.who ? 'code' : 'error', self.who ? code : 'access_denied');
      return response.writeHead(302, { location: back.href }).end();
    }
    const answer = pages[pathname]?.(new URLSearchParams(Buffer.concat(chunks).toString()));
    const status = !answer ? 404 : answer.error ? 400 : 200;
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  self.url = `http://localhost:${server.address().port}`;
  self.stop = () => (server.closeAllConnections(), server.close());
  return self;
}
