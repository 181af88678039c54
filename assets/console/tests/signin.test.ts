import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, type ProviderView, type SignInPolicy } from '$lib/api';
import { setLocale, t } from '$lib/i18n.svelte';
import { callbackAddress } from '$lib/links';
import { proven, session, signIn, start } from '$lib/session.svelte';
import { answerJson, creationOptions, isAddress, passkeyFailure, passkeyTrouble, requestOptions, toBytes, toText } from '$lib/webauthn';
import { asFile, inGroups, tell } from '../src/pages/factors/words';
import { Entry } from '../src/pages/signin/entry.svelte';
import { SIGN_IN_ERRORS, signInError } from '../src/pages/signin/errors';
import { asked, firstMethod, returnTo } from '../src/pages/signin/steps';
import { fieldsOf, FLAVOURS, partOf, sampleOf } from '../src/pages/signinadmin/fields';
import { fromForm, splitList, toForm, warnings, type PolicyForm } from '../src/pages/signinadmin/policy';
import { blank, configOf, fromView, isComplete, isHalf, toNew, toPatch } from '../src/pages/signinadmin/provider';

const identity = join(import.meta.dirname, '../../../src/identity');
const bytes = (...list: number[]) => Uint8Array.from(list).buffer;

describe('base64url', () => {
  it('is read with and without padding, and written without', () => {
    expect([...toBytes('-_-_')]).toEqual([0xfb, 0xff, 0xbf]);
    expect([...toBytes('AQ==')]).toEqual([1]);
    expect([...toBytes('AQ')]).toEqual([1]);
    expect(toText(bytes(0xfb, 0xff, 0xbf))).toBe('-_-_');
    expect(toText(bytes(1))).toBe('AQ');
    expect([toText(bytes()), toBytes('').length]).toEqual(['', 0]);
  });

  it('gives back every byte at every length', () => {
    for (let length = 0; length < 260; length++) {
      const all = Uint8Array.from({ length }, (_, i) => (i * 7 + length) % 256);
      const text = toText(all);
      expect(text).toMatch(/^[A-Za-z0-9_-]*$/);
      expect([...toBytes(text)]).toEqual([...all]);
    }
  });

  it('that is none is refused', () => {
    expect(() => toBytes('not base64!')).toThrow();
  });
});

describe('passkeys', () => {
  it('are made with bytes in the place of texts, and everything else as it came', () => {
    const made = creationOptions({
      challenge: 'AQID', rp: { id: 'lectern.example.org', name: 'Lectern' }, user: { id: 'BAU', name: 'ada@example.org', displayName: 'Ada' },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }], timeout: 300_000, excludeCredentials: [{ type: 'public-key', id: 'Bg', transports: ['usb'] }],
      extensions: { credProps: true },
    });
    expect([...(made.challenge as Uint8Array)]).toEqual([1, 2, 3]);
    expect([...(made.user.id as Uint8Array)]).toEqual([4, 5]);
    expect(made.user.displayName).toBe('Ada');
    expect(made.excludeCredentials?.map((one) => ({ ...one, id: [...(one.id as Uint8Array)] }))).toEqual([{ type: 'public-key', id: [6], transports: ['usb'] }]);
    expect(made).toMatchObject({ rp: { id: 'lectern.example.org' }, timeout: 300_000, extensions: { credProps: true } });
  });

  it('are asked for without a list as well', () => {
    const wanted = requestOptions({ challenge: 'AQ', rpId: 'localhost', userVerification: 'required' });
    expect([...(wanted.challenge as Uint8Array)]).toEqual([1]);
    expect(wanted).toMatchObject({ rpId: 'localhost', userVerification: 'required', allowCredentials: [] });
  });

  const credential = (response: object) =>
    ({ id: 'AQ', rawId: bytes(1), type: 'public-key', authenticatorAttachment: 'platform', getClientExtensionResults: () => ({ credProps: { rk: true } }), response }) as unknown as PublicKeyCredential;

  it('answer a registration with the attestation and the ways to reach them', () => {
    const answer = answerJson(credential({ clientDataJSON: bytes(2), attestationObject: bytes(3), getTransports: () => ['internal'] }));
    expect(answer).toEqual({
      id: 'AQ', rawId: 'AQ', type: 'public-key', authenticatorAttachment: 'platform', clientExtensionResults: { credProps: { rk: true } },
      response: { clientDataJSON: 'Ag', attestationObject: 'Aw', transports: ['internal'] },
    });
  });

  it('answer a sign-in with the signature, with and without the person', () => {
    const signed = { clientDataJSON: bytes(2), authenticatorData: bytes(4), signature: bytes(5) };
    expect(answerJson(credential({ ...signed, userHandle: bytes(6) }))['response']).toEqual({ clientDataJSON: 'Ag', authenticatorData: 'BA', signature: 'BQ', userHandle: 'Bg' });
    expect(answerJson(credential({ ...signed, userHandle: null }))['response']).toMatchObject({ userHandle: null });
  });

  it('need a name, encryption and a browser that knows them', () => {
    const at = (host: string, isSecureContext = true, known = true) => passkeyTrouble({ host, isSecureContext, known });
    expect([at('lectern.example.org'), at('localhost'), at('127.0.0.1'), at('[::1]'), at('lectern', false, false), at('lectern', true, false)]).toEqual([null, null, 'address', 'address', 'insecure', 'missing']);
    expect([isAddress('10.0.0.12'), isAddress('10.example.org'), isAddress('[fe80::1]')]).toEqual([true, false, true]);
  });

  it('that the browser does not give are told about in words', () => {
    const kinds = ['NotAllowedError', 'InvalidStateError', 'SecurityError', 'NotSupportedError', 'DataError'].map((name) => passkeyFailure(new DOMException('x', name)));
    expect(kinds).toEqual(['cancelled', 'known', 'address', 'unsupported', 'other']);
    expect(passkeyFailure(new ApiError({ status: 409 }))).toBeNull();
    expect(tell(new DOMException('x', 'NotAllowedError'))).toEqual({ text: t('passkeyfailure.cancelled'), hint: t('passkeyfailure.cancelled_hint') });
    expect(tell(new ApiError({ status: 409, detail: 'No.', hint: 'Do.' }))).toEqual({ text: 'No.', hint: 'Do.' });
  });
});

describe('secrets shown once', () => {
  it('are written so that they can be typed and kept', () => {
    expect(inGroups('ABCDEFGHIJ')).toBe('ABCD EFGH IJ');
    expect(inGroups('ABCDEFGH')).toBe('ABCD EFGH');
    expect(asFile(['A-1', 'B-2'], 'Lectern')).toBe('Lectern\n\nA-1\nB-2\n');
  });
});

describe('an error in the address', () => {
  it('has a word for every one that the program sends', () => {
    const source = ['oidc.rs', 'federation.rs'].map((name) => readFileSync(join(identity, name), 'utf8')).join('\n');
    const sent = [...source.matchAll(/=> "([a-z_]+)"|Lost\("([a-z_]+)"\)|"(internal)"/g)].map((m) => m[1] ?? m[2] ?? m[3] ?? '');
    expect([...new Set(sent)].toSorted()).toEqual([...SIGN_IN_ERRORS]);
  });

  it.each(['en', 'de'] as const)('says in %s what happened and what to do', async (locale) => {
    await setLocale(locale, false);
    const said = SIGN_IN_ERRORS.map((code) => signInError(code));
    for (const { text, hint } of said) expect([text, hint].every((words) => /^[^.]+ .*[.]$/.test(words) && !words.includes('signinerror'))).toBe(true);
    expect(new Set(said.map(({ text }) => text)).size).toBe(SIGN_IN_ERRORS.length);
    await setLocale('en', false);
  });

  it('that nobody sent is not repeated', () => {
    expect(signInError('<b>pay here</b>')).toEqual(signInError('internal'));
  });
});

describe('the second step', () => {
  it('knows which proofs the person has', () => {
    const errors = ['totp', 'recovery_code', 'horoscope'].map((message) => ({ field: 'code', message }));
    expect(asked(new ApiError({ status: 401, code: 'second_factor_required', errors }))).toEqual({ kind: 'code', methods: ['totp', 'recovery_code'] });
  });

  it('begins with what works at this page', () => {
    expect([firstMethod([], false), firstMethod(['passkey', 'totp'], true), firstMethod(['passkey', 'recovery_code'], true), firstMethod(['passkey', 'recovery_code'], false), firstMethod(['passkey'], false)])
      .toEqual(['totp', 'totp', 'passkey', 'recovery_code', 'passkey']);
  });

  it('leads to the page that was wanted', () => {
    expect(returnTo('/documents', new URLSearchParams('q=a&sign_in_error=denied&tenant=x'))).toBe('/documents?q=a');
    expect([returnTo('/sign-in', new URLSearchParams()), returnTo('/', new URLSearchParams('sign_in_error=denied'))]).toEqual(['/', '/']);
  });
});

describe('signing in', () => {
  const view = (more: object = {}) => ({ user: { id: 'usr_1', name: 'Ada', email: 'a@b.c', role: 'member' }, tenant: { id: 'main', name: 'Main' }, csrf_token: 't', permissions: ['session.use'], expires_at: '2027-01-01T00:00:00Z', ...more });
  let answers: Record<string, [number, unknown]> = {};
  const sent: [string, unknown][] = [];

  beforeEach(() => {
    sent.length = 0;
    vi.stubGlobal('fetch', async (address: string, init: RequestInit) => {
      const path = `${init.method} ${address.replace('/api/v1', '')}`;
      sent.push([path, init.body ? JSON.parse(String(init.body)) : null]);
      const [status, body] = answers[path] ?? [404, { code: 'not_found' }];
      return new Response(JSON.stringify(body), { status });
    });
    vi.stubGlobal('EventSource', class { addEventListener() {} close() {} });
  });
  afterEach(() => vi.unstubAllGlobals());

  it('without the second factor that is asked for goes only as far as setting one up', async () => {
    answers = { 'POST /session': [201, view({ second_factor_needed: true })], 'GET /session': [200, view({ permissions: ['ask.write'] })] };
    await signIn({ email: 'a@b.c', password: 'x' });
    expect(session.phase).toBe('factor');
    await proven();
    expect([session.phase, session.permissions]).toEqual(['in', ['ask.write']]);
  });

  it('asks for a code, sends it, and says when it was wrong', async () => {
    const refusal = { code: 'second_factor_required', detail: 'The code is wrong.', errors: [{ field: 'code', message: 'totp' }] };
    answers = { 'POST /session': [401, refusal] };
    const entry = new Entry();
    Object.assign(entry, { email: ' a@b.c ', password: 'x' });
    await entry.submit();
    expect([entry.methods, entry.problem]).toEqual([['totp'], null]);
    await entry.submit('123456');
    expect([entry.methods, entry.problem?.text]).toEqual([['totp'], 'The code is wrong.']);
    expect(sent.at(-1)).toEqual(['POST /session', { email: 'a@b.c', password: 'x', code: '123456' }]);
    entry.back();
    expect([entry.methods, entry.password, entry.problem]).toEqual([null, '', null]);
  });

  it('at a directory names it and its organisation', async () => {
    answers = { 'GET /sign-in/options?tenant=quay': [200, { password: false, providers: [{ id: 'idp_1', kind: 'ldap', name: 'Harbour' }] }], 'POST /session': [401, { code: 'wrong_credentials', detail: 'No.' }] };
    const entry = new Entry();
    entry.site = 'quay';
    await entry.load();
    entry.choose(entry.options.providers[0] ?? null);
    Object.assign(entry, { email: 'ada', password: 'x' });
    await entry.submit();
    expect(sent.at(-1)?.[1]).toEqual({ email: 'ada', password: 'x', tenant: 'quay', provider: 'idp_1' });
    expect([entry.problem?.text, entry.password, entry.provider?.name]).toEqual(['No.', '', 'Harbour']);
  });

  it('with a password goes on when the services cannot be asked for', async () => {
    answers = {};
    const entry = new Entry();
    await entry.load();
    expect(entry.options).toEqual({ password: true, providers: [] });
  });

  it('is over for who has no session', async () => {
    answers = { 'GET /setup': [200, { needed: false, version: '1' }], 'GET /session': [401, { code: 'unauthenticated' }] };
    await start();
    expect(session.phase).toBe('out');
  });
});

describe('the rules', () => {
  const saved: SignInPolicy = { second_factor: 'nobody', password_sign_in: true, idle_minutes: null, lifetime_minutes: 600, password_length: 10, domains: ['example.org'] };
  const of = { saved, services: 1, factors: 1, owner: true };
  const told = (change: Partial<PolicyForm>, circumstances: Partial<typeof of> = {}) => warnings({ ...toForm(saved), ...change }, { ...of, ...circumstances }).map(({ key }) => key);

  it('become a form and rules again', () => {
    expect(fromForm(toForm(saved))).toEqual(saved);
    expect(fromForm({ ...toForm(saved), domains: ' @Example.org,\nexample.com ', idle: 30 })).toMatchObject({ domains: ['example.org', 'example.com'], idle_minutes: 30 });
    expect(splitList(' a, b\n\nc;d ')).toEqual(['a', 'b', 'c', 'd']);
  });

  it('warn of nothing while nothing changes', () => {
    expect(told({})).toEqual([]);
  });

  it('warn of who would stand outside', () => {
    expect(told({ second_factor: 'administrators' })).toEqual(['factors']);
    expect(told({ second_factor: 'everybody' }, { factors: 0 })).toEqual(['factors', 'own_factor']);
    expect(told({ password_sign_in: false }, { services: 0 })).toEqual(['no_service']);
    expect(told({ password_sign_in: false }, { owner: false })).toEqual(['passwords_off', 'not_owner']);
  });

  it('warn of times that are too short, and of open sessions', () => {
    expect(told({ idle: 5 })).toEqual(['short_idle', 'open_sessions']);
    expect(told({ lifetime: 30 })).toEqual(['short_lifetime', 'open_sessions']);
    expect(told({ lifetime: 900 })).toEqual([]);
  });
});

describe('a service', () => {
  const view: ProviderView = {
    id: 'idp_1', kind: 'ldap', name: 'Harbour', enabled: true, has_secret: true, default_role: 'member', create_people: true, link_people: false, owners: false, addresses: [],
    config: { kind: 'open_ldap', urls: ['ldaps://a', 'ldaps://b'], starttls: false, user_base: 'ou=people,dc=a', groups: { base: 'ou=groups,dc=a', nested: true, max_depth: 3 }, later: { kept: 1 } },
    groups: [{ external: 'crew', role: 'editor' }], created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z',
  };

  it('becomes a form and settings again, with what the form does not know', () => {
    const form = fromView(view);
    expect([form.flavour, form.texts['urls'], form.texts['groups.max_depth'], form.flags['groups.nested'], form.groups]).toEqual(['open_ldap', 'ldaps://a\nldaps://b', '3', true, [{ external: 'crew', role: 'editor', group: '' }]]);
    expect(configOf(form, view.config)).toEqual({ ...view.config, allow_plain: false });
    expect(view.config['allow_plain']).toBeUndefined();
  });

  it('loses what was emptied', () => {
    const form = fromView(view);
    Object.assign(form.texts, { 'groups.base': '', 'groups.max_depth': ' ' });
    expect(configOf(form, view.config)['groups']).toEqual({ nested: true });
  });

  it('sends its secret only when one was typed, or is to go', () => {
    const form = fromView(view);
    expect('secret' in toPatch(form, view.config)).toBe(false);
    expect(toPatch({ ...form, secret: 'new' }, view.config).secret).toBe('new');
    expect(toPatch({ ...form, drop: true }, view.config).secret).toBe('');
  });

  it('is new without what was left empty, and off', () => {
    const form = blank('oidc');
    Object.assign(form, { name: ' Quay ', addresses: 'https://t.example.org' });
    Object.assign(form.texts, { issuer: 'https://a.example.org', client_id: 'lectern', scopes: 'openid groups', clock_skew_seconds: '90' });
    form.groups.push({ external: ' crew ', role: '', group: 'grp_1' }, { external: '', role: '', group: '' });
    expect(toNew(form)).toEqual({
      kind: 'oidc', name: 'Quay', enabled: false, default_role: 'member', create_people: false, link_people: false, addresses: ['https://t.example.org'], groups: [{ external: 'crew', group: 'grp_1' }],
      config: { issuer: 'https://a.example.org', client_id: 'lectern', scopes: ['openid', 'groups'], clock_skew_seconds: 90, require_verified_email: true, allow_http: false },
    });
  });

  it('is complete when all that is needed is there', () => {
    const form = blank('oidc');
    expect(isComplete(form, 'connection')).toBe(false);
    form.name = 'Quay';
    Object.assign(form.texts, { issuer: 'https://a', client_id: 'x' });
    expect([isComplete(form, 'connection'), isComplete(form, 'people'), isComplete(blank('ldap'), 'people')]).toEqual([true, true, false]);
    form.groups.push({ external: 'crew', role: '', group: '' });
    expect([isComplete(form, 'groups'), isHalf({ external: '', role: '', group: '' }), isHalf({ external: '', role: 'editor', group: '' })]).toEqual([false, false, true]);
  });

  it('shows every setting that the program reads, in words', () => {
    const known = (file: string) => readFileSync(join(identity, '..', file), 'utf8');
    for (const [kind, file] of [['oidc', 'oidc/config.rs'], ['ldap', 'ldap/config.rs']] as const) {
      const source = known(file);
      for (const { path } of fieldsOf(kind)) expect(source, path).toContain(`pub ${path.split('.').at(-1)}:`);
      const named = [...source.matchAll(/^ {4}pub (\w+):/gm)].map((m) => m[1]);
      const shown = [...fieldsOf(kind).map(({ path }) => path.split('.').at(-1)), 'kind', 'attributes', 'groups', 'limits'];
      expect(named.filter((name) => !shown.includes(name)), kind).toEqual([]);
    }
  });

  it('has defaults for both kinds of directory, and finds the part of a setting', () => {
    const filter = fieldsOf('ldap').find(({ path }) => path === 'user_filter')!;
    expect(new Set(FLAVOURS.map((flavour) => sampleOf(filter, flavour))).size).toBe(2);
    expect([partOf('oidc', 'config.issuer'), partOf('ldap', 'config.groups.base'), partOf('oidc', 'secret'), partOf('oidc', 'groups'), partOf('oidc', 'addresses'), partOf('ldap', 'config')]).toEqual(['connection', 'groups', 'connection', 'groups', 'advanced', null]);
  });

  it('sends browsers back to one address', () => {
    expect(callbackAddress('https://lectern.example.org')).toBe('https://lectern.example.org/api/v1/session/oidc/callback');
  });
});
