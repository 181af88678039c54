// npm's oidc-provider as the peer of src/oidc. Use: node oidc_provider.mjs FOLDER [BACKCHANNEL_ADDRESS]
//
// FOLDER is where tests/oidc-provider.sh installed the package. Listens on a free port of 127.0.0.1 and prints
// "ready ADDRESS". Who is named in login_hint is signed in at once, without a page; "refuser" is refused.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const [folder, backchannel] = process.argv.slice(2);
const entry = resolve(folder, 'node_modules/oidc-provider/lib/index.js');
const { default: Provider } = await import(pathToFileURL(entry).href);

const secret = 'a secret / that + has : odd % characters and is long enough';
const redirect = 'https://lectern.example.org/auth/callback';

const key = (kid, kind, options) => {
  const { privateKey } = generateKeyPairSync(kind, options);
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig' };
};

const client = (id, alg, method) => ({
  client_id: id,
  ...(method === 'none' ? {} : { client_secret: secret }),
  redirect_uris: [redirect],
  post_logout_redirect_uris: ['https://lectern.example.org/bye'],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: method,
  id_token_signed_response_alg: alg,
  ...(backchannel ? { backchannel_logout_uri: backchannel, backchannel_logout_session_required: true } : {}),
});

const account = (id) => ({
  accountId: id,
  claims: () => ({
    sub: id,
    email: `${id}@example.org`,
    email_verified: id !== 'stranger',
    name: `The ${id}`,
    preferred_username: id,
    groups: ['staff', `${id}s`],
  }),
});

const configuration = {
  clients: [
    client('basic-rs256', 'RS256', 'client_secret_basic'),
    client('post-es256', 'ES256', 'client_secret_post'),
    client('public-ps256', 'PS256', 'none'),
    client('basic-eddsa', 'EdDSA', 'client_secret_basic'),
    client('basic-hs256', 'HS256', 'client_secret_basic'),
  ],
  jwks: {
    keys: [
      key('rsa', 'rsa', { modulusLength: 2048 }),
      key('ec', 'ec', { namedCurve: 'P-256' }),
      key('ed', 'ed25519'),
    ],
  },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA', 'HS256'] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  pkce: { required: () => true },
  claims: {
    openid: ['sub', 'sid'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username'],
    groups: ['groups'],
  },
  features: {
    devInteractions: { enabled: false },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
  // Without its guard against addresses of this machine: the test that hears of logouts is at one.
  fetch: (url, { dispatcher, ...options }) => globalThis.fetch(url, options),
  findAccount: (ctx, id) => account(id),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  async loadExistingGrant(ctx) {
    const { client: asking, session, provider } = ctx.oidc;
    if (!session.accountId) return undefined;
    const grant = new provider.Grant({ clientId: asking.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid email profile groups');
    await grant.save();
    return grant;
  },
};

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const address = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(address, configuration);
  const rest = provider.callback();

  const approve = async (request, response) => {
    const { params } = await provider.interactionDetails(request, response);
    const name = params.login_hint;
    const result =
      !name || name === 'refuser'
        ? { error: 'access_denied', error_description: 'this person may not' }
        : { login: { accountId: name } };
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  };

  server.on('request', (request, response) => {
    if (!request.url.startsWith('/interaction/')) return rest(request, response);
    return approve(request, response).catch((error) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  console.log(`ready ${address}`);
});
