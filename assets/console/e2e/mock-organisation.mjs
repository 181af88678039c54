/** The mock's people, keys, record, usage and organisations: enough for their pages to show everything they can. */

import { targetRoutes } from './mock-forwarding.mjs';

const PERMISSIONS = [
  'apps.manage', 'ask.read', 'ask.write', 'audit.forward', 'audit.read', 'documents.all', 'documents.read', 'documents.share', 'documents.write', 'keys.manage', 'keys.read', 'models.read', 'people.manage',
  'people.provision', 'people.read', 'privacy.manage', 'session.use', 'settings.manage', 'settings.read', 'signin.manage', 'status.read', 'support.consent', 'tenant.own', 'usage.read', 'voice.read', 'voice.write',
];
const APPLIANCE = ['appliance.audit', 'appliance.models', 'appliance.operators', 'appliance.support', 'appliance.tenants'];
const VIEWER = ['ask.read', 'ask.write', 'documents.read', 'session.use', 'voice.read'];

/** What the one who set the mock up may do. */
export const held = [...APPLIANCE, ...PERMISSIONS];

const now = () => new Date().toISOString();
const later = (days) => new Date(Date.now() + days * 86_400_000).toISOString();
const day = (ago) => later(-ago).slice(0, 10);

function usage() {
  const line = (what, used, limit, level, resets_at = null) => ({ what, used, limit, resets_at, level });
  return {
    plan: 'team',
    lines: [
      line('documents', 41, 20_000, 'ok'), line('storage', 17e9, 20e9, 'near'), line('members', 2, null, 'ok'), line('monthly_active_users', 2, 50, 'ok', later(5)),
      line('requests', 288_000, 300_000, 'close', later(5)), line('questions', 310, 20_000, 'ok', later(5)), line('speech_seconds', 0, 108_000, 'ok', later(5)),
    ],
    days: Array.from({ length: 60 }, (_, i) => ({ day: day(60 - i), what: 'requests', used: (i * 37) % 90 })),
  };
}

export function organisationRoutes(db, page, id, Problem) {
  const people = () => [
    { ...db.user, state: 'active', groups: [], has_password: true, second_factor: true, sessions: 1, last_seen_at: now(), created_at: now() },
    ...db.people,
  ];
  Object.assign(db, { people: [], groups: [], roles: [], invitations: [], record: [], lists: new Map(), tenants: null });
  const note = (action, object, before, after) =>
    db.record.unshift({ sequence: db.record.length, at: now(), actor: db.user.id, by: 'ses_mock', address: '127.0.0.1', request: 'req_mock', action, object, before: before ?? null, after: after ?? null, forgotten: false });
  const find = (list, wanted, key = 'id') => {
    const found = list.find((one) => one[key] === wanted);
    if (!found) throw new Problem(404, 'not_found', 'There is no such thing here.');
    return found;
  };
  const tenant = (tenantId, name) => ({
    id: tenantId, name, state: 'active', reason: null, plan: 'team', own_limits: {}, limits: { members: 50, documents: 20_000, storage: 20e9 }, region: null,
    usage: { documents: 3, bytes: 4200, members: 2, counted_at: now() }, open: true, read_only: null, created_at: now(), updated_at: now(), erase_at: null,
  });
  const tenants = () => (db.tenants ??= [tenant('main', 'Main'), { ...tenant('quay', 'Quay Side'), state: 'suspended', reason: 'the invoice is open', open: false }]);
  const roles = () => [
    { name: 'owner', title: 'Owner', built_in: true, permissions: PERMISSIONS },
    { name: 'viewer', title: 'Viewer', built_in: true, permissions: VIEWER },
    ...db.roles,
  ];
  const invite = (kind, b) => {
    const made = { id: id('inv'), kind, email: b.email, name: b.name ?? '', role: b.role, groups: b.groups ?? [], created_at: now(), expires_at: later(b.days ?? 7) };
    db.invitations.unshift(made);
    note('invitation.created', made.id, null, made);
    return [201, { ...made, token: `inv_main_${made.id}` }];
  };
  const access = (key, more) => db.lists.get(key) ?? { access: 'everyone', entries: [], ...more };

  return [
    ['GET /me/groups', () => [200, db.groups]],
    ['GET /me/sessions', () => [200, [{ id: 'ses_mock', current: true, method: 'password', address: '127.0.0.1', agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0', created_at: now(), last_seen_at: now() }]]],
    ['PATCH /me', (_, __, b) => [200, Object.assign(db.user, b)]],
    ['GET /people', (_, q) => {
      const text = (q.get('q') ?? '').toLowerCase();
      const fits = (p) => `${p.name} ${p.email}`.toLowerCase().includes(text) && (!q.get('role') || p.role === q.get('role')) && (!q.get('group') || p.groups.includes(q.get('group')));
      return [200, page(people().filter(fits), q)];
    }],
    ['GET /people/:id', ([i]) => [200, find(people(), i)]],
    ['GET /groups', () => [200, db.groups]],
    ['POST /groups', (_, __, b) => {
      const group = { id: id('grp'), name: b.name, kind: b.kind ?? 'group', members: 0, created_at: now() };
      db.groups.push(group);
      note('group.created', group.id, null, group);
      return [201, group];
    }],
    ['PATCH /groups/:id', ([i], _, b) => [200, Object.assign(find(db.groups, i), b.name ? { name: b.name } : {})]],
    ['DELETE /groups/:id', ([i]) => ((db.groups = db.groups.filter((g) => g.id !== i)), [204])],
    ['GET /roles', () => [200, roles()]],
    ['POST /roles', (_, __, b) => (db.roles.push({ ...b, built_in: false }), [201, db.roles.at(-1)])],
    ['DELETE /roles/:name', ([name]) => ((db.roles = db.roles.filter((r) => r.name !== name)), [204])],
    ['GET /permissions', () => [200, PERMISSIONS.map((name) => ({ name, roles: roles().filter((r) => r.permissions.includes(name)).map((r) => r.name) }))]],
    ['GET /invitations', () => [200, db.invitations]],
    ['POST /invitations', (_, __, b) => invite('join', b)],
    ['DELETE /invitations/:id', ([i]) => ((db.invitations = db.invitations.filter((v) => v.id !== i)), [204])],
    ['GET /audit', (_, q) => [200, page(db.record.filter((e) => e.action.startsWith(q.get('action') ?? '')), q)]],
    ['GET /appliance/audit', (_, q) => [200, page([], q)]],
    ['GET /operators', () => [200, [{ id: db.user.id, tenant: 'main', name: db.user.name, email: db.user.email }, { id: 'key_mock', tenant: 'main', name: 'Monitoring of a rather long name', email: null }]]],
    ...['/audit', '/appliance/audit'].flatMap((record) => targetRoutes(record, db, find, id)),
    ['GET /usage', () => [200, usage()]],
    ['GET /tenants', () => [200, tenants()]],
    ['GET /tenants/erasures', () => [200, [{ tenant: 'old-mill', name: 'Old Mill', erased_at: now(), statement: 'lectern.erasure\nold-mill\n\n— mock' }]]],
    ['GET /tenants/:id', ([i]) => [200, find(tenants(), i)]],
    ['GET /tenants/:id/usage', () => [200, usage()]],
    ['GET /collections', (_, q) => [200, page([...new Set(db.documents.map((d) => d.collection).filter(Boolean))].map((name) => ({ name, access: 'everyone', may: 'write', documents: 1, created_at: now(), updated_at: now() })), q)]],
    ['GET /documents/:id/access', ([i]) => [200, access(i, { document: i, own: false, collection: null })]],
    ['PUT /documents/:id/access', ([i], _, b) => (db.lists.set(i, { document: i, own: true, access: 'listed', collection: null, entries: b.entries }), [200, access(i)])],
    ['DELETE /documents/:id/access', ([i]) => (db.lists.delete(i), [204])],
    ['GET /collections/:name/access', ([name]) => [200, access(`c:${name}`, { name })]],
    ['PUT /collections/:name/access', ([name], _, b) => (db.lists.set(`c:${name}`, { name, ...b }), [200, access(`c:${name}`)])],
  ];
}
