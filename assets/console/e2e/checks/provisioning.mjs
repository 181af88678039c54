/** The key and the address with which an identity service makes people. */
import { assert, open, until } from './common.mjs';
import { bothThemes, small } from './looks.mjs';
import { secretOf } from './organisation.mjs';

const MADE = 'scim.made@example.org';

export const provisioning = [
  ['provisioning: one button makes a key that makes people by SCIM, and nothing more', async (t) => {
    await open(t, '/signing-in');
    const address = await t.page.locator('[data-copy=scim]').innerText();
    assert.equal(address, `${t.url}/api/v1/scim/v2`);
    await t.page.locator('[data-scim]').scrollIntoViewIfNeeded();
    await bothThemes(t, t.page, 'scim');
    await small(t, t.page, 'scim');
    await t.page.locator('textarea[name=scim-networks]').fill('not a network');
    await t.page.getByRole('button', { name: 'Make the key for the service' }).click();
    await t.page.locator('textarea[name=scim-networks][aria-invalid=true]').waitFor();
    await t.page.locator('textarea[name=scim-networks]').fill('127.0.0.0/8');
    await t.page.getByRole('button', { name: 'Make the key for the service' }).click();
    await t.page.getByText('This is the only time the key is shown.').waitFor();
    await t.shot('scim-key');
    const secret = await secretOf(t.page);
    const call = (path, more = {}) => t.page.request.fetch(path, { headers: { Authorization: `Bearer ${secret}`, 'content-type': 'application/scim+json' }, ...more });
    assert.equal((await call(`${address}/ServiceProviderConfig`)).status(), 200);
    const person = { schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'], userName: MADE, displayName: 'Sam Provisioned' };
    const made = await call(`${address}/Users`, { method: 'POST', data: JSON.stringify(person) });
    assert.equal(made.status(), 201);
    assert.equal((await call(`${t.url}/api/v1/documents`)).status(), 403);
    await open(t, '/people');
    await t.page.locator(`[data-person="${MADE}"]`).getByText('signs in elsewhere').waitFor();
    await bothThemes(t, t.page, 'people-signin');
    await small(t, t.page, 'people-signin');
    assert.equal((await call(`${address}/Users/${(await made.json()).id}`, { method: 'DELETE' })).status(), 204);
    await open(t, '/keys');
    await t.page.locator('[data-key="Identity service"]').getByText('3 permissions').waitFor();
    await t.page.evaluate(() => localStorage.setItem('locale', 'de'));
    await open(t, '/signing-in');
    await small(t, t.page, 'scim-de');
    await t.page.evaluate(() => localStorage.setItem('locale', 'en'));
    await open(t, '/keys');
    await t.page.getByRole('button', { name: 'Revoke “Identity service”' }).click();
    await t.page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await until(async () => (await t.page.locator('[data-key="Identity service"]').count()) === 0, 'the key is gone');
  }],
];
