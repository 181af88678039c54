/** The mock's apps, texts, rules of how long things stay, and consents to operators. */

const now = () => new Date().toISOString();
const later = (hours) => new Date(Date.now() + hours * 3_600_000).toISOString();
const LONG = 'The organisation recognises speech on its own machine.\n\nNothing of it leaves the house.\n'.repeat(12);

export const authorizationServer = (issuer) => ({
  issuer, authorization_endpoint: `${issuer}/oauth/authorize`, token_endpoint: `${issuer}/api/v1/oauth/token`, device_authorization_endpoint: `${issuer}/api/v1/oauth/device_authorization`,
  introspection_endpoint: `${issuer}/api/v1/oauth/introspect`, revocation_endpoint: `${issuer}/api/v1/oauth/revoke`,
});

export function privacyRoutes(db, page, id) {
  const app = (b) => ({ client_id: `main.${id('app')}`, homepage: null, secrets: [], created_by: db.user?.id ?? null, created_at: now(), updated_at: now(), id: id('app'), ...b });
  const consent = (b) => ({ id: id('cns'), granted_by: db.user?.id ?? null, note: '', may_change: false, created_at: now(), expires_at: later(b.hours ?? 4), ended_at: null, ...b });
  Object.assign(db, {
    apps: [app({ name: 'Calendar of a rather long name', kind: 'confidential', homepage: 'https://calendar.example.org', redirect_uris: ['https://calendar.example.org/back'], scopes: ['ask.write', 'documents.read'], grants: ['authorization_code', 'refresh_token'], secrets: [{ prefix: 'lecs_ab12', created_at: now(), expires_at: later(20) }] })],
    texts: [
      { name: 'speech', version: 2, title: 'Speech is recognised', body: LONG, required: true, created_at: now(), ended_at: null, given: 1 },
      { name: 'speech', version: 1, title: 'Speech is recognised', body: LONG, required: false, created_at: now(), ended_at: now(), given: 4 },
    ],
    rules: { conversations: 90, uncollected: null, collections: {} },
    support: { current: consent({ note: 'Request 4711' }), earlier: [consent({ may_change: true, ended_at: now() })] },
  });
  const asked = { app: { client_id: 'main.app_1', name: 'Calendar', homepage: 'https://calendar.example.org', proves_itself: false }, user: 'usr_1', remembered: false, redirect_uri: 'https://calendar.example.org/back',
    scopes: [{ name: 'documents.read', held: true }, { name: 'ask.write', held: true }, { name: 'models.read', held: false }] };
  const made = (b) => [201, { ...b, client_secret: 'lecs_main_mocksecret' }];
  return [
    ['GET /apps', (_, q) => [200, page(db.apps, q)]],
    ['POST /apps', (_, __, b) => (db.apps.unshift(app(b)), made(db.apps[0]))],
    ['PATCH /apps/:id', ([i], _, b) => [200, Object.assign(db.apps.find((one) => one.id === i), b)]],
    ['DELETE /apps/:id', ([i]) => ((db.apps = db.apps.filter((one) => one.id !== i)), [204])],
    ['POST /apps/:id/secret', ([i]) => made(db.apps.find((one) => one.id === i))],
    ['GET /me/apps', () => [200, db.apps.map((one) => ({ ...one, allowed_at: now(), last_used_at: null }))]],
    ['DELETE /me/apps/:id', () => [204]],
    ['GET /oauth/authorize', () => [200, { outcome: 'ask', ...asked }]],
    ['GET /oauth/device', () => [200, { ...asked, redirect_uri: null }]],
    ['GET /me/consents', () => [200, db.texts.filter((text) => !text.ended_at).map((text) => ({ ...text, given_at: now() }))]],
    ['GET /consent-texts', () => [200, db.texts]],
    ['POST /consent-texts', (_, __, b) => (db.texts.unshift({ ...b, version: 1, created_at: now(), ended_at: null, given: 0 }), [201, db.texts[0]])],
    ['GET /retention', () => [200, db.rules]],
    ['PUT /retention', (_, __, b) => [200, (db.rules = b)]],
    ['POST /retention/preview', (_, __, b) => [200, { overdue: [{ what: 'conversations', count: b.conversations === 1 ? 3 : 0 }, { what: 'documents', count: 0 }] }]],
    ['GET /support-access', () => [200, db.support]],
    ['PUT /support-access', (_, __, b) => [200, (db.support.current = consent(b))]],
    ['DELETE /support-access', () => (db.support.earlier.unshift({ ...db.support.current, ended_at: now() }), (db.support.current = null), [204])],
  ];
}
