import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, appApi, keyApi, newKey, oauthApi, type AppView, type AskedConsent, type ConsentText, type DocumentView, type OwnConsent } from '$lib/api';
import { PAUSES } from '$lib/api/once';
import { missing, offered } from '$lib/consents.svelte';
import { needs } from '$lib/places';
import { withoutParams } from '$lib/router.svelte';
import { Uploads } from '$lib/uploads.svelte';
import { isAsked, keepWanted, takeWanted } from '$lib/wanted';
import { addresses, blank, choosable, conflict, fromView, isComplete, redirectProblem, toNew, toPatch } from '../src/pages/apps/app';
import { fewer, isTarget, placeOf, tidyCode } from '../src/pages/oauth/flow';
import { fromForm, isRight, isSame, toForm, total } from '../src/pages/privacy/retention';
import { byName, isTextName } from '../src/pages/privacy/texts';
import { returnTo, siteOf } from '../src/pages/signin/steps';
import { fieldsOf } from '../src/pages/signinadmin/fields';
import { left, overAt } from '../src/pages/support/times';

describe('requests that make something', () => {
  let sent: { method: string; key: string | null }[] = [];
  let answers: (() => Promise<Response>)[] = [];
  const lost = () => Promise.reject(new TypeError('network'));
  const answer = (status: number, body: unknown, headers = {}) => () => Promise.resolve(new Response(JSON.stringify(body), { status, headers }));

  beforeEach(() => {
    sent = [];
    vi.useFakeTimers();
    vi.stubGlobal('fetch', (_: string, init: RequestInit) => {
      sent.push({ method: init.method ?? '', key: new Headers(init.headers).get('idempotency-key') });
      return (answers.shift() ?? lost)();
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  async function made() {
    const result = keyApi.create({ name: 'x', scopes: ['*'] }).then((key) => key.id, (error: unknown) => error);
    await vi.advanceTimersByTimeAsync(10_000);
    return result;
  }

  it('are sent again under the same key when nothing came back', async () => {
    answers = [lost, answer(409, { code: 'conflict', detail: 'still runs' }), answer(201, { id: 'key_1' })];
    expect(await made()).toBe('key_1');
    expect(sent).toHaveLength(3);
    expect(sent[0]?.key).toMatch(/^[0-9a-f-]{32,36}$/);
    expect(new Set(sent.map((one) => one.key)).size).toBe(1);
  });

  it('get a key of their own each time', async () => {
    answers = [answer(201, { id: 'key_1' }), answer(201, { id: 'key_2' })];
    await made();
    await made();
    expect(new Set(sent.map((one) => one.key)).size).toBe(2);
  });

  it('are given up in the end, and not sent again when they were refused', async () => {
    answers = [];
    expect(await made()).toMatchObject({ code: 'unreachable' });
    expect(sent).toHaveLength(PAUSES.length + 1);
    sent = [];
    answers = [answer(409, { code: 'conflict', detail: 'There are too many.' })];
    expect(await made()).toMatchObject({ status: 409 });
    expect(sent).toHaveLength(1);
  });

  it('differ from those that only ask, which have no key and are not sent again', async () => {
    answers = [lost];
    await expect(oauthApi.decide('client_id=x', true, null)).rejects.toMatchObject({ code: 'unreachable' });
    answers = [lost];
    await expect(appApi.list()).rejects.toMatchObject({ code: 'unreachable' });
    expect(sent).toEqual([{ method: 'POST', key: null }, { method: 'GET', key: null }]);
  });

  it('have keys also where the browser makes none', () => {
    vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) });
    expect(newKey()).toBe('07'.repeat(16));
  });

  it('say how long to wait', async () => {
    answers = [answer(429, { code: 'too_many_requests' }, { 'Retry-After': '17' })];
    await expect(oauthApi.device('BCDF')).rejects.toMatchObject({ retryAfter: 17 });
    expect(new ApiError({ status: 429 }, 'Fri, 27 Nov 2026 02:00:00 GMT').retryAfter).toBeNull();
  });
});

describe('uploads that are sent again', () => {
  const file = { file: new File(['x'], 'a.md'), path: 'a.md' };
  const run = async (...answers: (ApiError | null)[]) => {
    const keys: string[] = [];
    const uploads = new Uploads((_, __, ___, ____, key) => {
      keys.push(key ?? '');
      const error = answers.shift();
      return error ? Promise.reject(error) : Promise.resolve({ document: { id: 'doc_1' } as DocumentView, existed: false });
    }, () => Promise.resolve());
    uploads.add([file]);
    while (uploads.active) await new Promise((r) => setTimeout(r, 1));
    return { keys, state: uploads.tasks[0]?.state };
  };

  it('keep their key, and wait for the try that still runs', async () => {
    const { keys, state } = await run(ApiError.unreachable(), new ApiError({ status: 409, code: 'conflict' }), null);
    expect([state, keys.length, new Set(keys).size]).toEqual(['done', 3, 1]);
  });

  it('take another key where the browser wrote the form in another length', async () => {
    const other = new ApiError({ status: 422, errors: [{ field: 'Idempotency-Key', message: 'was used for another request' }] });
    const { keys, state } = await run(ApiError.unreachable(), other, null);
    expect([state, keys[0] === keys[1], keys[1] === keys[2]]).toEqual(['done', true, false]);
  });

  it('are refused at once when they are refused', async () => {
    expect((await run(new ApiError({ status: 409, code: 'conflict' }))).state).toBe('failed');
  });
});

describe('an app', () => {
  const view = {
    name: 'Calendar', homepage: null, kind: 'confidential', redirect_uris: ['https://a.example/back'], scopes: ['ask.read'], grants: ['client_credentials', 'authorization_code'],
  } as unknown as AppView;

  it('is a form and back', () => {
    const form = fromView(view);
    expect(form.grants).toEqual(['code', 'itself']);
    expect(toPatch(form)).toEqual({ name: 'Calendar', homepage: '', redirect_uris: ['https://a.example/back'], scopes: ['ask.read'], grants: ['authorization_code', 'client_credentials'] });
    expect('homepage' in toNew({ ...blank(), name: ' x ' })).toBe(false);
  });

  it('in people’s hands does not act for itself', () => {
    expect(toNew({ ...fromView(view), kind: 'public' }).grants).toEqual(['authorization_code']);
  });

  it('is complete when it can get tokens somehow', () => {
    const form = { ...blank(), name: 'x', redirects: 'https://a.example/back', scopes: ['ask.read'] };
    expect((['kind', 'about', 'grants', 'scopes'] as const).map((part) => isComplete(form, part))).toEqual([true, true, true, true]);
    expect(isComplete({ ...form, redirects: ' ' }, 'grants')).toBe(false);
    expect(conflict({ ...form, grants: [] })).toBe('none');
    expect(conflict({ ...form, grants: ['refresh'] })).toBe('refresh_alone');
    expect(conflict({ ...form, grants: ['refresh', 'device'] })).toBeNull();
  });

  it('names the address that is wrong', () => {
    expect(addresses(' a:/x\n\na:/x b:/y')).toEqual(['a:/x', 'b:/y']);
    expect(redirectProblem({ 'redirect_uris[1]': 'must be https' }, { ...blank(), redirects: 'https://a/\nftp://b/' })).toBe('ftp://b/: must be https');
    expect(redirectProblem({ name: 'no' }, blank())).toBeNull();
  });

  it('cannot have what is of the appliance or the browser', () => {
    expect(choosable(['appliance.audit', 'session.use', 'ask.read'])).toEqual(['ask.read']);
  });
});

describe('the page of consent', () => {
  const consent = { scopes: [{ name: 'a.b', held: true }, { name: 'c.d', held: true }, { name: 'x.y', held: false }] } as AskedConsent;

  it('sends the browser to nothing that runs in the page', () => {
    for (const good of ['https://a.example/back?code=1', 'http://127.0.0.1:4711/back', 'http://[::1]:5/', 'org.example.app:/back']) expect(isTarget(good), good).toBe(true);
    for (const bad of ['javascript:alert(1)', 'data:text/html,x', 'http://a.example/', 'http://localhost/', '/documents', '', 'blob:https://a/1', 'ftp://a/']) expect(isTarget(bad), bad).toBe(false);
  });

  it('tells where the browser goes', () => {
    expect(placeOf('https://a.example:8443/back?x')).toBe('a.example:8443');
    expect(placeOf('org.example.app:/back')).toBe('org.example.app');
  });

  it('names scopes only when the person left some out', () => {
    expect(fewer(consent, ['a.b', 'c.d'])).toBeNull();
    expect(fewer(consent, ['c.d', 'x.y'])).toEqual(['c.d']);
  });

  it('takes codes as people type them', () => {
    expect([tidyCode(' bcdf ghjk '), tidyCode('BCDF-GHJK'), tidyCode('bc'), tidyCode('<b>')]).toEqual(['BCDF-GHJK', 'BCDF-GHJK', 'BC', 'B']);
  });

  it('keeps the app’s query letter by letter', () => {
    const search = '?scope=a%20b+c&state=%7e&tenant=x&sign_in_error=denied&redirect_uri=https%3A%2F%2Fa';
    expect(withoutParams(search, 'sign_in_error')).toBe('?scope=a%20b+c&state=%7e&tenant=x&redirect_uri=https%3A%2F%2Fa');
    expect(withoutParams('?sign_in_error=x', 'sign_in_error')).toBe('');
  });

  it('is come back to from a service for signing in', () => {
    expect(returnTo('/oauth/authorize', new URLSearchParams('state=1'))).toBe('/oauth/authorize');
    keepWanted('/oauth/authorize?state=%7e', 1000);
    expect(takeWanted(2000)).toBe('/oauth/authorize?state=%7e');
    expect(takeWanted(2000)).toBeNull();
    keepWanted('/oauth/device?user_code=X', 1000);
    expect(takeWanted(1000 + 11 * 60_000)).toBeNull();
    keepWanted('//evil.example/oauth', 1000);
    expect(takeWanted(2000)).toBeNull();
    expect([isAsked('/oauth/device'), isAsked('/oauth')]).toEqual([true, false]);
  });

  it('offers the services of the organisation whose app asks', () => {
    const query = new URLSearchParams('client_id=harbour.app_1&tenant=other');
    expect(siteOf('/oauth/authorize', query, 'main')).toBe('harbour');
    expect(siteOf('/oauth/device', new URLSearchParams(), 'main')).toBe('main');
    expect(siteOf('/', query, 'main')).toBe('other');
  });
});

describe('texts', () => {
  const own = (name: string, required: boolean, given_at: string | null): OwnConsent => ({ name, version: 2, title: name, body: 'x', required, given_at });
  const texts = [own('a', true, null), own('b', true, '2026-01-01'), own('c', false, null), own('d', false, null)];

  it('that are missing hold up, others are offered until they are put off', () => {
    expect(missing(texts).map((text) => text.name)).toEqual(['a']);
    expect(offered(texts, ['c@2', 'd@1']).map((text) => text.name)).toEqual(['d']);
  });

  it('stand with their versions, those that hold first', () => {
    const text = (name: string, version: number, ended_at: string | null) => ({ name, version, ended_at }) as ConsentText;
    const found = byName([text('z', 1, 'x'), text('b', 1, 'x'), text('b', 2, null)]);
    expect(found.map((one) => [one.name, one.current?.version ?? null, one.versions.length])).toEqual([['b', 2, 2], ['z', null, 1]]);
    expect([isTextName('speech-1'), isTextName('A'), isTextName('x')]).toEqual([true, false, false]);
  });
});

describe('how long things stay', () => {
  it('is a form and back', () => {
    const form = toForm({ conversations: 90, uncollected: null, collections: { Gone: 3 } }, ['News']);
    expect(form).toEqual({ conversations: 90, uncollected: null, collections: { Gone: 3, News: null } });
    expect(fromForm({ ...form, collections: { Gone: null, News: 30 } })).toEqual({ conversations: 90, uncollected: null, collections: { News: 30 } });
    expect(isSame(fromForm(form), { conversations: 90, uncollected: null, collections: { Gone: 3 } })).toBe(true);
    expect(isSame(fromForm(form), { conversations: 91, uncollected: null, collections: { Gone: 3 } })).toBe(false);
  });

  it('is counted in whole days', () => {
    const form = { conversations: 1, uncollected: null, collections: {} };
    expect([isRight(form), isRight({ ...form, uncollected: 0 }), isRight({ ...form, uncollected: 1.5 }), isRight({ ...form, collections: { a: 36_501 } })]).toEqual([true, false, false, false]);
    expect(total([{ what: 'a', count: 2 }, { what: 'b', count: 3 }])).toBe(5);
  });
});

describe('support', () => {
  it('has an end', () => {
    expect(left('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:00:00Z'))).toBe(10);
    expect(left('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:01Z'))).toBe(0);
    expect(overAt({ expires_at: 'b', ended_at: 'a' })).toBe('a');
    expect(overAt({ expires_at: 'b', ended_at: null })).toBe('b');
  });

  it('and what it goes with need their permissions', () => {
    expect([needs('/apps'), needs('/privacy'), needs('/support-access')]).toEqual([['apps.manage'], ['privacy.manage'], ['support.consent']]);
  });
});

it('a private authority is asked for beside the address, of both kinds of services', () => {
  const pem = (kind: 'oidc' | 'ldap') => fieldsOf(kind).filter((field) => field.type === 'pem').map((field) => [field.path, field.part]);
  expect([pem('oidc'), pem('ldap')]).toEqual([[['ca_pem', 'connection']], [['authorities', 'connection']]]);
});
