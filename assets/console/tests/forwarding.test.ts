import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TargetKind, TargetView } from '$lib/api';
import { scimAddress } from '$lib/links';
import { needs, visible } from '$lib/places';
import { ledgerOf, ledgers, tabOf } from '../src/pages/audit/ledgers';
import { blank, formats, fromView, isComplete, KINDS, SAMPLES, stateOf, toNew, toPatch, wantsSecret, withKind } from '../src/pages/audit/target';
import { SCOPES } from '../src/pages/signinadmin/scim';
import { called, isKey } from '../src/pages/tenants/operators';

const root = join(import.meta.dirname, '../../..');
const holding = (...names: string[]) => (...wanted: string[]) => wanted.some((name) => names.includes(name));
const view = (more: Partial<TargetView> = {}): TargetView => ({
  id: 'tgt_1', name: 'SIEM', kind: 'https', address: 'https://siem.example.org/raw', format: 'json', ca_pem: 'PEM', header: 'Authorization', has_secret: true, enabled: true,
  created_at: '2026-11-27T09:30:00Z', updated_at: '2026-11-27T09:30:00Z', waiting: 0, last_sent_at: null, last_error: null, hint: null, next_try_at: null, ...more,
});

describe('the two records', () => {
  it('are those that one may see on the tab', () => {
    expect(ledgers('entries', holding('audit.read', 'appliance.audit'))).toEqual(['tenant', 'appliance']);
    expect(ledgers('forwarding', holding('audit.read', 'appliance.audit'))).toEqual(['appliance']);
    expect(ledgers('forwarding', holding('audit.forward'))).toEqual(['tenant']);
    expect(ledgers('forwarding', holding('audit.read'))).toEqual([]);
  });

  it('are the one of the address where that may be seen', () => {
    const all = holding('audit.read', 'audit.forward', 'appliance.audit');
    expect([ledgerOf('entries', 'appliance', all), ledgerOf('entries', '', all), ledgerOf('entries', 'nonsense', all)]).toEqual(['appliance', 'tenant', 'tenant']);
    expect(ledgerOf('forwarding', 'appliance', holding('audit.forward'))).toBe('tenant');
    expect(ledgerOf('forwarding', '', holding('appliance.audit'))).toBe('appliance');
  });

  it('open on the tab that may be seen', () => {
    expect(tabOf('entries', holding('audit.forward'))).toBe('forwarding');
    expect(tabOf('forwarding', holding('audit.read'))).toBe('entries');
    expect(tabOf('forwarding', holding('audit.read', 'audit.forward'))).toBe('forwarding');
  });

  it('are places for who forwards only', () => {
    expect(visible('/audit', holding('audit.forward'))).toBe(true);
    expect(visible('/audit/forwarding', holding('audit.read'))).toBe(false);
    expect(needs('/audit/forwarding')).toEqual(['audit.forward', 'appliance.audit']);
  });
});

describe('a server for entries', () => {
  it('has formats that its way takes, and keeps its own where it can', () => {
    expect(KINDS.map((kind) => formats(kind).length)).toEqual([3, 3, 3, 2]);
    expect(withKind({ ...blank(), format: 'cef' }, 'udp').format).toBe('cef');
    expect(withKind({ ...blank(), format: 'cef' }, 'https').format).toBe('json');
    expect(withKind({ ...blank(), format: 'json_array' }, 'tls').format).toBe('rfc5424');
    expect(withKind({ ...blank(), format: 'json' }, 'https').format).toBe('json');
  });

  it('knows each way and format of the program', () => {
    const source = readFileSync(join(root, 'src/access/model_forward.rs'), 'utf8');
    const names = [...source.matchAll(/Self::\w+ => "([a-z0-9_]+)"/g)].map((m) => m[1] ?? '');
    const known = [...KINDS, ...new Set(KINDS.flatMap((kind) => formats(kind)))];
    expect(names.toSorted()).toEqual(known.toSorted());
    expect(Object.keys(SAMPLES).toSorted()).toEqual([...KINDS].toSorted());
  });

  it('is sent with what its way needs only', () => {
    const form = { ...blank(), name: ' SIEM ', address: ' siem.example.org ', ca: 'PEM', secret: 's', header: ' ' };
    expect(toNew(form)).toEqual({ name: 'SIEM', kind: 'tls', address: 'siem.example.org', format: 'rfc5424', ca_pem: 'PEM', from_beginning: false });
    expect(toNew(withKind(form, 'udp'))).toEqual({ name: 'SIEM', kind: 'udp', address: 'siem.example.org', format: 'rfc5424', from_beginning: false });
    expect(toNew({ ...withKind(form, 'https'), beginning: true })).toMatchObject({ header: 'Authorization', secret: 's', format: 'json', from_beginning: true });
  });

  it('keeps its secret when nothing is typed, and loses it when that is asked', () => {
    const form = fromView(view());
    expect(form.secret).toBe('');
    expect('secret' in toPatch(form, view())).toBe(false);
    expect(toPatch({ ...form, drop: true }, view()).secret).toBe('');
    expect(toPatch({ ...form, secret: 'new' }, view()).secret).toBe('new');
    expect(toPatch({ ...form, ca: ' ' }, view()).ca_pem).toBe('');
  });

  it('leaves nothing behind of a way that it has no more', () => {
    const patch = toPatch(withKind(fromView(view()), 'udp'), view());
    expect(patch).toMatchObject({ kind: 'udp', ca_pem: '', secret: '' });
    expect('secret' in toPatch(withKind(fromView(view({ has_secret: false })), 'tcp'), view({ has_secret: false }))).toBe(false);
  });

  it('wants its secret again at another place', () => {
    const form = fromView(view());
    const wants = (more: object, before: Partial<TargetView> = {}) => wantsSecret({ ...form, ...more }, view(before));
    expect([wants({}), wants({ name: 'x' }), wants({ address: ' https://siem.example.org/raw ' }), wants({ header: '' })]).toEqual([false, false, false, false]);
    expect([wants({ address: 'https://b/' }), wants({ header: 'X-Token' })]).toEqual([true, true]);
    expect([wants({ address: 'https://b/', secret: 's' }), wants({ address: 'https://b/', drop: true }), wants({ address: 'https://b/' }, { has_secret: false })]).toEqual([false, false, false]);
    expect([isComplete({ ...form, address: 'https://b/' }, view()), isComplete(form, view()), isComplete(blank(), null)]).toEqual([false, true, false]);
    expect(wantsSecret(withKind({ ...form, address: 'b' }, 'tcp' as TargetKind), view())).toBe(false);
  });

  it('is told in one word', () => {
    const state = (more: Partial<TargetView>) => stateOf(view(more));
    const at = '2026-11-27T09:30:00Z';
    expect([state({ enabled: false, last_error: 'x' }), state({ last_error: 'x', waiting: 3 }), state({ waiting: 3 }), state({}), state({ last_sent_at: at })])
      .toEqual(['off', 'failing', 'sending', 'fresh', 'good']);
  });
});

describe('provisioning', () => {
  it('asks for the permissions that the manual names', () => {
    const manual = readFileSync(join(root, 'docs/scim.md'), 'utf8');
    const named = JSON.parse(/"scopes": (\[[^\]]*\])/.exec(manual)?.[1] ?? '[]') as string[];
    expect([...SCOPES]).toEqual(named);
    expect(manual).toContain('https://HOST/api/v1/scim/v2');
    expect(scimAddress('https://HOST')).toBe('https://HOST/api/v1/scim/v2');
  });
});

describe('operators', () => {
  it('have a name where one is known', () => {
    expect([called({ id: 'usr_1', name: 'Ada', email: 'a@b.c' }), called({ id: 'usr_1', name: '', email: 'a@b.c' }), called({ id: 'usr_1', name: null, email: null })]).toEqual(['Ada', 'a@b.c', 'usr_1']);
    expect([isKey({ id: 'key_1' }), isKey({ id: 'usr_1' })]).toEqual([true, false]);
  });
});
