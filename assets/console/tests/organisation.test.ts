import { describe, expect, it } from 'vitest';
import { ApiError, type UsageDay } from '$lib/api';
import { joinLink, tokenOf } from '$lib/links';
import { firstPlace, needs, PLACES, visible } from '$lib/places';
import { byArea, roleId, toggled, within } from '$lib/rights';
import { isTight } from '$lib/usage.svelte';
import { difference } from '../src/pages/audit/difference';
import { withEntry, withoutEntry } from '../src/pages/documents/access';
import { endOfDay, isOver, onAppliance, scopesOf, splitNetworks } from '../src/pages/keys/scopes';
import { browserName } from '../src/pages/profile/browser';
import { asked, lastFirst } from '../src/pages/signin/steps';
import { fromTexts, LIMITS, toTexts } from '../src/pages/tenants/limits';
import { isTenantId, matches, tenantId } from '../src/pages/tenants/search';
import { stepOf } from '../src/pages/tenants/steps';
import { amount, share } from '../src/pages/usage/amount';
import { lastDays, scaleEnd } from '../src/pages/usage/days';

const holding = (...names: string[]) => (...wanted: string[]) => wanted.some((name) => names.includes(name));

describe('places', () => {
  it('are shown to those who hold one of what they need', () => {
    expect(visible('/people', holding('people.read'))).toBe(true);
    expect(visible('/people/roles', holding('people.read'))).toBe(true);
    expect(visible('/people', holding('documents.read'))).toBe(false);
    expect(visible('/audit', holding('appliance.audit'))).toBe(true);
    expect(visible('/settings', holding())).toBe(true);
    expect(visible('/settings/models', holding('settings.read'))).toBe(false);
    expect(visible('/documents/doc_1', holding('ask.write'))).toBe(false);
  });

  it('that only begin alike are not the same', () => {
    expect(needs('/peoples')).toEqual([]);
    expect(needs('/profile')).toEqual([]);
  });

  it('have a first one for everybody', () => {
    expect(firstPlace(holding('ask.write', 'documents.read'))).toBe('/ask');
    expect(firstPlace(holding('audit.read', 'people.read'))).toBe('/people');
    expect(firstPlace(holding('audit.read'))).toBe('/audit');
    expect(firstPlace(holding('session.use'))).toBe('/profile');
  });

  it('fill the bar of a narrow page with at most five', () => {
    expect(PLACES.filter((place) => place.bar).length).toBeLessThanOrEqual(5);
  });
});

describe('links', () => {
  it('keep the token out of every address that is sent', () => {
    const link = joinLink('inv_main_a.b', 'https://lectern.example');
    expect(link).toBe('https://lectern.example/join#inv_main_a.b');
    expect(new URL(link).pathname + new URL(link).search).toBe('/join');
    expect(tokenOf(new URL(link).hash)).toBe('inv_main_a.b');
  });

  it('that are broken give no token', () => {
    expect(tokenOf('')).toBe('');
    expect(tokenOf('#%E0%A4%A')).toBe('');
  });
});

describe('signing in', () => {
  const choose = new ApiError({
    status: 409,
    code: 'choose_tenant',
    errors: ['main', 'harbour'].map((message) => ({ field: 'tenant', message })),
  });

  it('asks for the tenant, the last one first', () => {
    expect(asked(choose)).toEqual({ kind: 'tenant', tenants: ['main', 'harbour'] });
    expect(lastFirst(['main', 'harbour'], 'harbour')).toEqual(['harbour', 'main']);
    expect(lastFirst(['main', 'harbour'], 'gone')).toEqual(['main', 'harbour']);
    expect(lastFirst(['main'], null)).toEqual(['main']);
  });

  it('asks for a code, and for nothing else', () => {
    expect(asked(new ApiError({ status: 401, code: 'second_factor_required' }))).toEqual({ kind: 'code', methods: [] });
    expect(asked(new ApiError({ status: 401, code: 'wrong_credentials' }))).toBeNull();
    expect(asked(new ApiError({ status: 409, code: 'choose_tenant' }))).toBeNull();
    expect(asked(new Error('x'))).toBeNull();
  });
});

describe('rights', () => {
  it('are compared and changed', () => {
    expect(within(['a.b'], ['a.b', 'c.d'])).toBe(true);
    expect(within(['a.b', 'x.y'], ['a.b'])).toBe(false);
    expect(within([], [])).toBe(true);
    expect(toggled(['a'], 'b')).toEqual(['a', 'b']);
    expect(toggled(['a', 'b'], 'a')).toEqual(['b']);
  });

  it('stand together by their areas', () => {
    expect(byArea(['documents.write', 'ask.read', 'documents.read'])).toEqual([
      { area: 'ask', names: ['ask.read'] },
      { area: 'documents', names: ['documents.read', 'documents.write'] },
    ]);
  });

  it('have names for programs', () => {
    expect(roleId('  Night Shift (Süd) ')).toBe('night-shift-sud');
    expect(roleId('日本')).toBe('');
    expect(roleId(`${'x'.repeat(39)} y`)).toBe('x'.repeat(39));
  });
});

describe('access lists', () => {
  const list = [{ subject: 'usr_1', may: 'read' as const }];
  it('change without changing the one before', () => {
    expect(withEntry(list, 'grp_1')).toEqual([...list, { subject: 'grp_1', may: 'read' }]);
    expect(withEntry(list, 'usr_1', 'write')).toEqual([{ subject: 'usr_1', may: 'write' }]);
    expect(withoutEntry(list, 'usr_1')).toEqual([]);
    expect(list).toEqual([{ subject: 'usr_1', may: 'read' }]);
  });
});

describe('keys', () => {
  it('hold all, or what was chosen', () => {
    expect(scopesOf(true, ['documents.read', 'appliance.tenants'])).toEqual(['*', 'appliance.tenants']);
    expect(scopesOf(false, ['documents.read'])).toEqual(['documents.read']);
    expect(onAppliance({ scopes: ['*', 'appliance.audit'] })).toBe(true);
    expect(onAppliance({ scopes: ['*'] })).toBe(false);
  });

  it('come from networks, one each', () => {
    expect(splitNetworks(' 10.2.0.0/16\n10.2.0.0/16, fd00::/8 ')).toEqual(['10.2.0.0/16', 'fd00::/8']);
    expect(splitNetworks(' \n')).toEqual([]);
  });

  it('are over after their time', () => {
    expect(isOver({ expires_at: '2026-01-01T00:00:00Z' }, Date.parse('2026-01-01T00:00:00Z'))).toBe(true);
    expect(isOver({ expires_at: '2026-01-02T00:00:00Z' }, Date.parse('2026-01-01T00:00:00Z'))).toBe(false);
    expect(isOver({ expires_at: null })).toBe(false);
    expect(new Date(endOfDay('2026-03-04')).getDate()).toBe(4);
  });
});

describe('the record', () => {
  it('shows what differs only', () => {
    const lines = difference({ name: 'Eve', role: 'viewer', groups: ['a'] }, { name: 'Eve', role: 'member', groups: ['a', 'b'] });
    expect(lines).toEqual([
      { field: 'role', before: 'viewer', after: 'member', kind: 'changed' },
      { field: 'groups', before: 'a', after: 'a, b', kind: 'changed' },
    ]);
  });

  it('shows all of what was made or removed', () => {
    expect(difference(null, { name: 'Key', expires_at: null }).map((line) => [line.field, line.after, line.kind])).toEqual([
      ['name', 'Key', 'added'],
      ['expires_at', '–', 'added'],
    ]);
    expect(difference({ name: 'Key' }, undefined)[0]?.kind).toBe('removed');
    expect(difference(null, null)).toEqual([]);
  });

  it('looks into fields of fields and lists of things', () => {
    const before = { limits: { members: 5 }, entries: [{ subject: 'usr_1', may: 'read' }] };
    const after = { limits: { members: 9 }, entries: [{ subject: 'usr_1', may: 'write' }] };
    expect(difference(before, after).map((line) => line.field)).toEqual(['limits.members', 'entries[0].may']);
  });
});

describe('usage', () => {
  const days: UsageDay[] = [
    { day: '2026-11-26', what: 'requests', used: 6 },
    { day: '2026-11-24', what: 'requests', used: 2 },
    { day: '2026-11-26', what: 'questions', used: 1 },
  ];

  it('has every day, also the empty ones', () => {
    const shown = lastDays(days, 'requests', Date.parse('2026-11-26T23:59:00Z'), 4);
    expect(shown).toEqual([
      { day: '2026-11-23', used: 0 },
      { day: '2026-11-24', used: 2 },
      { day: '2026-11-25', used: 0 },
      { day: '2026-11-26', used: 6 },
    ]);
    expect(lastDays([], 'requests', 0).length).toBe(90);
  });

  it('is drawn to a round end', () => {
    expect([0, 1, 3, 6, 11, 480, 1000].map(scaleEnd)).toEqual([1, 1, 5, 10, 20, 500, 1000]);
  });

  it('is told in the unit of each thing', () => {
    expect(amount('storage', 1_500_000)).toBe('1.5 MB');
    expect(amount('speech_seconds', 7200)).toContain('2');
    expect(amount('questions', 1200)).toBe('1,200');
    expect([share(5, 10), share(20, 10), share(1, null), share(0, 0)]).toEqual([50, 100, 0, 100]);
    expect([isTight({ level: 'near' }), isTight({ level: 'close' }), isTight({ level: 'reached' })]).toEqual([false, true, true]);
  });
});

describe('organisations', () => {
  it('are found by all words', () => {
    const tenant = { id: 'harbour-works', name: 'Harbour Works', plan: 'team', region: 'eu' };
    expect(matches(tenant, '')).toBe(true);
    expect(matches(tenant, 'WORKS eu')).toBe(true);
    expect(matches(tenant, 'works us')).toBe(false);
  });

  it('have an id out of their name', () => {
    expect(tenantId('Straßenbau Müller & Söhne')).toBe('strassenbau-muller-sohne');
    expect(tenantId('--')).toBe('');
    expect(isTenantId(tenantId(`${'a'.repeat(62)} b`))).toBe(true);
    expect([isTenantId('a'), isTenantId('-a'), isTenantId('a-'), isTenantId('A'), isTenantId('a'.repeat(64)), isTenantId('')]).toEqual([true, false, false, false, false, false]);
  });

  it('have limits as texts and back', () => {
    const texts = toTexts({ storage: 20_000_000_000, members: 0 });
    expect([texts.storage, texts.members, texts.documents]).toEqual(['20', '0', '']);
    expect(fromTexts(texts)).toEqual({ storage: 20_000_000_000, members: 0 });
    expect(fromTexts({ ...texts, storage: 1.5 })).toEqual({ storage: 1_500_000_000, members: 0 });
    expect(fromTexts({ ...texts, documents: '-1' })).toBeNull();
    expect(fromTexts({ ...texts, documents: 'many' })).toBeNull();
    expect(Object.keys(texts)).toEqual([...LIMITS]);
  });

  it('go back to the step of what was refused', () => {
    expect(stepOf(['owner_email', 'id'], 3)).toBe(1);
    expect(stepOf(['limits.members'], 3)).toBe(2);
    expect(stepOf([], 3)).toBe(3);
    expect(stepOf(['else'], 2)).toBe(2);
  });
});

describe('browsers', () => {
  it('have short names', () => {
    expect(browserName('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('Firefox 140, Linux');
    expect(browserName('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36 Edg/150.0.0.0')).toBe('Edge 150, Windows');
    expect(browserName('Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1')).toBe('Safari 18, iOS');
    expect(browserName('curl/8.1')).toBe('curl 8');
    expect(browserName('something of its own')).toBe('something of its own');
    expect(browserName(null)).toBe('');
  });
});
