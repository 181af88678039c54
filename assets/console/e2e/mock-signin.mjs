/** The mock's second factors, rules and services: enough for their pages to show everything they can. */

const now = () => new Date().toISOString();
const SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path fill="#fff" d="M0 0h9v9H0z"/><path d="M2 2h2v2h-2z M5 5h2v2h-2z"/></svg>';

export function signInRoutes(db, id, Problem) {
  const policy = { second_factor: 'nobody', password_sign_in: true, idle_minutes: null, lifetime_minutes: null, password_length: 10, domains: [] };
  const service = (more) => ({
    id: id('idp'), enabled: true, has_secret: true, default_role: 'member', create_people: false, link_people: true, owners: true, groups: [], addresses: [], created_at: now(), updated_at: now(), ...more,
  });
  Object.assign(db, {
    policy,
    factors: [{ id: 'fac_app', kind: 'totp', name: 'Phone', created_at: now(), last_used_at: now() }, { id: 'fac_key', kind: 'passkey', name: 'Security key', created_at: now(), last_used_at: null }],
    services: [
      service({ kind: 'oidc', name: 'Company login', config: { issuer: 'https://login.example.org/realms/a-rather-long-name-of-a-realm', client_id: 'lectern' }, groups: [{ external: 'editors', role: 'viewer' }] }),
      service({ kind: 'ldap', name: 'Old directory', enabled: false, owners: false, config: { kind: 'open_ldap', urls: ['ldaps://ldap.example.org'], user_base: 'ou=people,dc=example,dc=org' } }),
    ],
  });
  const find = (wanted) => {
    const found = db.services.find((one) => one.id === wanted);
    if (!found) throw new Problem(404, 'not_found', 'There is no such provider.');
    return found;
  };
  const proof = (b) => {
    if (b.password !== db.password) throw new Problem(422, 'invalid_field', 'A field is wrong.', null, [{ field: 'password', message: 'is not your password' }]);
  };
  return [
    ['GET /me/factors', () => [200, { factors: db.factors, recovery_codes_left: 2, recovery_codes_made_at: now() }]],
    ['POST /me/factors/totp', (_, __, b) => (proof(b), [200, { id: 'enr_1', secret: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP', uri: 'otpauth://totp/x', qr_svg: SVG }])],
    ['POST /me/factors/totp/confirm', () => (db.factors.push({ id: id('fac'), kind: 'totp', name: 'Phone', created_at: now(), last_used_at: null }), [201, db.factors.at(-1)])],
    ['POST /me/factors/recovery-codes', (_, __, b) => (proof(b), [201, { codes: Array.from({ length: 10 }, (_, i) => `ABCD${i}-EFGHJ`) }])],
    ['DELETE /me/factors/:id', ([i], _, b) => (proof(b), (db.factors = db.factors.filter((f) => f.id !== i)), [204])],
    ['GET /sign-in/options', () => [200, { password: true, providers: db.services.filter((s) => s.enabled).map(({ id, kind, name }) => ({ id, kind, name })) }]],
    ['GET /sign-in/policy', () => [200, db.policy]],
    ['PUT /sign-in/policy', (_, __, b) => [200, (db.policy = b)]],
    ['GET /sign-in/providers', () => [200, db.services]],
    ['POST /sign-in/providers', (_, __, { secret, ...b }) => (db.services.push(service({ ...b, has_secret: Boolean(secret) })), [201, db.services.at(-1)])],
    ['PATCH /sign-in/providers/:id', ([i], _, { secret: _s, ...b }) => [200, Object.assign(find(i), b)]],
    ['DELETE /sign-in/providers/:id', ([i]) => ((db.services = db.services.filter((s) => s.id !== i)), [204])],
    ['POST /sign-in/providers/:id/test', ([i]) => [200, find(i).kind === 'ldap'
      ? { works: false, people: null, steps: [
          { step: 'connect', server: 'ldaps://ldap.example.org:636', ok: true, message: 'the server answers', field: null, hint: null },
          { step: 'tls', server: 'ldaps://ldap.example.org:636', ok: false, message: 'the certificate is of an unknown authority', field: 'config.authorities', hint: 'Enter the certificate of the authority.' },
        ] }
      : { works: true, people: null, steps: [{ step: 'discovery', server: null, ok: true, message: 'The settings and keys were read and fit.', field: null, hint: null }] }]],
  ];
}
