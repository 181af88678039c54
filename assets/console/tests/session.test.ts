import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { api } from '$lib/api';
import { agree, consents } from '$lib/consents.svelte';
import { may, proven, session, signIn, signInAgain, start } from '$lib/session.svelte';

const view = (permissions: string[], id = 'usr_1') => ({
  user: { id, name: 'Ada', email: 'ada@example.org', role: 'custom' },
  tenant: { id: 'main', name: 'Main' },
  csrf_token: 'token',
  permissions,
  expires_at: '2026-12-01T00:00:00Z',
});
let answers: Record<string, [number, unknown]> = {};
const asked: { path: string; body: string }[] = [];
const settled = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  asked.length = 0;
  vi.stubGlobal('fetch', async (address: string, init: RequestInit) => {
    const path = `${init.method} ${address.replace('/api/v1', '')}`;
    asked.push({ path, body: String(init.body ?? '') });
    const [status, body] = answers[path] ?? [404, { code: 'not_found' }];
    return new Response(body === null ? null : JSON.stringify(body), { status });
  });
  vi.stubGlobal('EventSource', class { addEventListener() {} close() {} });
});
afterEach(() => vi.unstubAllGlobals());

describe('a session', () => {
  it('shows what its permissions allow', async () => {
    answers = { 'GET /setup': [200, { needed: false, version: '1' }], 'GET /session': [200, view(['audit.read'])] };
    await start();
    expect([session.phase, may('audit.read'), may('people.read'), may('people.read', 'audit.read')]).toEqual(['in', true, false, true]);
    expect(session.tenant?.name).toBe('Main');
    expect(localStorage.getItem('tenant')).toBe('main');
  });

  it('asks anew what it may after a refusal', async () => {
    answers = { 'GET /settings': [403, { code: 'forbidden' }], 'GET /session': [200, view(['documents.read'])] };
    await expect(api.settings()).rejects.toMatchObject({ status: 403 });
    await settled();
    expect([may('documents.read'), may('audit.read')]).toEqual([true, false]);
  });

  it('ends with the organisation’s reason, and can be begun elsewhere', async () => {
    answers = { 'GET /settings': [403, { code: 'tenant_suspended', detail: 'Main is suspended: a move.' }] };
    await expect(api.settings()).rejects.toMatchObject({ code: 'tenant_suspended' });
    expect([session.phase, session.suspended?.message, session.user, may('documents.read')]).toEqual(['suspended', 'Main is suspended: a move.', null, false]);
    signInAgain();
    expect(session.phase).toBe('out');
  });

  it('of a suspended organisation does not begin', async () => {
    answers = { 'POST /session': [403, { code: 'tenant_suspended', detail: 'Closed.' }] };
    await expect(signIn({ email: 'a@b.c', password: 'x' })).rejects.toThrow('Closed.');
    expect(session.phase).toBe('suspended');
    signInAgain();
  });

  it('begins with tenant and code when they were asked for', async () => {
    answers = { 'POST /session': [201, view(['ask.write'])] };
    await signIn({ email: 'a@b.c', password: 'x', tenant: 'main', code: '123456' });
    expect(JSON.parse(asked[0]?.body ?? '')).toEqual({ email: 'a@b.c', password: 'x', tenant: 'main', code: '123456' });
    expect(session.phase).toBe('in');
  });

  it('is over when the server says so', async () => {
    answers = { 'GET /settings': [401, { code: 'unauthenticated' }] };
    await expect(api.settings()).rejects.toMatchObject({ status: 401 });
    expect([session.phase, session.permissions]).toEqual(['out', []]);
  });

  it('stops at a text that has to be agreed to, and goes on afterwards', async () => {
    const text = { name: 'speech', version: 3, title: 'Speech', body: 'x', required: true, given_at: null };
    answers = { 'POST /session': [201, view(['session.use'])], 'GET /me/consents': [200, [text]], 'POST /me/consents/speech': [204, null] };
    await signIn({ email: 'a@b.c', password: 'x' });
    expect([session.phase, consents.missing.map((one) => one.name)]).toEqual(['consent', ['speech']]);
    await agree(consents.missing[0]!);
    expect(JSON.parse(asked.at(-1)?.body ?? '')).toEqual({ version: 3 });
    answers = { 'GET /session': [200, view(['session.use', 'documents.read'])] };
    await proven();
    expect([session.phase, consents.missing]).toEqual(['in', []]);
  });

  it('asks for the second factor before any text', async () => {
    answers = { 'GET /session': [200, { ...view(['session.use']), second_factor_needed: true }] };
    await proven();
    expect(session.phase).toBe('factor');
  });

  it('of somebody who may little and owes nothing goes in', async () => {
    answers = { 'GET /session': [200, view(['session.use'])], 'GET /me/consents': [200, []] };
    await proven();
    expect(session.phase).toBe('in');
  });

  it('of an operator asks for no text and leaves no trace at the browser', async () => {
    localStorage.setItem('tenant', 'main');
    const support = { operator: 'ada@example.org (main)', may_change: false };
    answers = { 'POST /session': [201, { ...view(['session.use']), tenant: { id: 'quay', name: 'Quay' }, support }] };
    asked.length = 0;
    await signIn({ email: 'a@b.c', password: 'x' });
    expect([session.phase, session.support?.operator, localStorage.getItem('tenant')]).toEqual(['in', support.operator, 'main']);
    expect(asked.map((one) => one.path)).toEqual(['POST /session']);
  });
});
