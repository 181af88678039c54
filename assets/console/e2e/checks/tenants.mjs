/** Organisations, as those who operate the appliance see them. */
import { readFileSync } from 'node:fs';
import { assert, open, USER } from './common.mjs';
import { joinAs, secretOf } from './organisation.mjs';

const OWNER = { name: 'Olga Owner', email: 'olga@example.org', password: 'amber-window-cedar-36' };
const dialog = (page) => page.getByRole('dialog');

async function signIn(page, who) {
  await page.getByLabel('E-mail address').fill(who.email);
  await page.getByLabel('Password', { exact: true }).fill(who.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Erases the one that is shown, at once. */
async function erase(t) {
  await t.page.getByRole('button', { name: 'Delete' }).click();
  await t.page.getByLabel('At once').check();
  await t.page.locator('input[name=confirm-id]').fill('harbour-works');
  await dialog(t.page).getByRole('button', { name: 'Erase now' }).click();
  await t.page.locator('[data-erasures]').getByText('Harbour Works').first().waitFor();
  await t.page.locator('[data-tenant=harbour-works]').waitFor({ state: 'detached' });
}

/** Olga's own page. */
let olga;
let file = '';

export const tenants = [
  ['organisation: the wizard makes another one, and its owner joins', async (t) => {
    await open(t, '/tenants');
    await t.page.locator('[data-tenant=main]').waitFor();
    await t.page.getByRole('button', { name: 'New organisation' }).click();
    await t.page.locator('input[name=tenant-name]').fill('Harbour Works');
    assert.equal(await t.page.locator('input[name=tenant-id]').inputValue(), 'harbour-works');
    await t.shot('wizard-1');
    await t.page.keyboard.press('Enter');
    await t.page.locator('select[name=tenant-plan]').selectOption('team');
    await t.page.locator('summary', { hasText: 'Limits other than' }).click();
    await t.page.locator('input[name=limit-members]').fill('1');
    await t.shot('wizard-2');
    await dialog(t.page).getByRole('button', { name: 'Next' }).click();
    await t.page.locator('input[name=tenant-owner]').fill(OWNER.email);
    await t.page.getByRole('button', { name: 'Create organisation' }).click();
    await t.page.getByText('Whoever has it can join as the owner').waitFor();
    await t.shot('wizard-end');
    const link = await secretOf(t.page);
    olga = await joinAs(t, link, OWNER);
    await olga.locator('a.who').getByText('Harbour Works').waitFor();
    assert.equal(await olga.getByRole('link', { name: 'Organisations' }).count(), 0);
    await olga.goto(`${t.url}/documents`);
    await olga.getByRole('heading', { name: 'Add your first documents' }).waitFor();
    await t.page.locator('[data-tenant=harbour-works]').waitFor();
    await t.shot('tenants');
  }],
  ['organisation: a limit that is reached is told on every page', async (t) => {
    await olga.goto(`${t.url}/usage`);
    await olga.locator('[data-usage=members]').getByText('Limit reached').waitFor();
    await t.shot('usage-limits', olga);
    await olga.goto(`${t.url}/ask`);
    await olga.locator('[data-usage-banner]').getByText('A limit is reached').waitFor();
    await t.shot('usage-banner', olga);
  }],
  ['organisation: plan and limits are changed', async (t) => {
    await open(t, '/tenants/harbour-works');
    await t.page.locator('input[name=limit-members]').fill('25');
    await t.page.getByRole('button', { name: 'Save' }).click();
    await t.page.getByText('The settings are saved.').first().waitFor();
    await t.page.locator('[data-usage=members]').getByText('1 of 25').waitFor();
    await t.shot('tenant');
  }],
  ['organisation: an e-mail in two of them is asked which', async (t) => {
    // The roles come late: nobody is invited without one.
    let send;
    const asked = new Promise((resolve) => (send = resolve));
    await olga.route('**/api/v1/roles', async (route) => (await asked, route.continue()));
    await olga.goto(`${t.url}/people`);
    await olga.getByRole('button', { name: 'Invite' }).click();
    await olga.locator('input[name=invite-email]').fill(USER.email);
    assert.equal(await olga.getByRole('button', { name: 'Make the link' }).isDisabled(), true);
    send();
    await olga.getByRole('button', { name: 'Make the link' }).click();
    await olga.unroute('**/api/v1/roles');
    const link = await secretOf(olga);
    const page = await joinAs(t, link, USER);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await signIn(page, USER);
    await page.locator('select[name=tenant]').waitFor();
    assert.equal(await page.locator('select[name=tenant]').inputValue(), 'harbour-works', 'the last one stands first');
    await t.shot('signin-choose', page);
    await page.locator('select[name=tenant]').selectOption('main');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.locator('a.who').getByText('Main').waitFor();
    await page.context().close();
  }],
  ['organisation: a suspended one says why, and is let in again', async (t) => {
    await open(t, '/tenants/harbour-works');
    await t.page.getByRole('button', { name: 'Suspend' }).click();
    await t.page.locator('input[name=reason]').fill('the invoice is open');
    await t.shot('suspend');
    await dialog(t.page).getByRole('button', { name: 'Suspend' }).click();
    await t.page.getByText('Reason: the invoice is open').waitFor();
    await olga.goto(`${t.url}/documents`);
    await olga.locator('h1').waitFor();
    if ((await olga.getByRole('heading', { name: 'Sign in' }).count()) > 0) await signIn(olga, OWNER);
    await olga.locator('[data-suspended]').getByText('the invoice is open').waitFor();
    await t.shot('suspended', olga);
    await t.page.getByRole('button', { name: 'Let in again' }).click();
    await dialog(t.page).getByRole('button', { name: 'Let in again' }).click();
    await t.page.locator('.facts .active').waitFor();
    await olga.getByRole('button', { name: 'Sign in elsewhere' }).click();
    await signIn(olga, OWNER);
    await olga.locator('a.who').waitFor();
  }],
  ['organisation: it is exported, deleted, and its erasure attested', async (t) => {
    // Nothing of it is open any more: what is in use is not erased.
    await olga.context().close();
    await open(t, '/tenants/harbour-works');
    await t.page.getByRole('button', { name: 'Export' }).click();
    await t.page.locator('input[name=passphrase]').fill('möwen über dem Hafen');
    const [download] = await Promise.all([t.page.waitForEvent('download'), dialog(t.page).getByRole('button', { name: 'Export' }).click()]);
    assert.equal(download.suggestedFilename(), 'harbour-works.lectern-tenant');
    file = await download.path();
    assert.ok(readFileSync(file).length > 1000);
    await t.page.getByRole('button', { name: 'Delete' }).click();
    const mark = dialog(t.page).getByRole('button', { name: 'Delete' });
    assert.equal(await mark.isDisabled(), true);
    await t.page.locator('input[name=confirm-id]').fill('harbour-works');
    await t.shot('delete');
    await mark.click();
    await t.page.getByText('Will be erased on').waitFor();
    await t.page.getByRole('button', { name: 'Take back' }).click();
    await dialog(t.page).getByRole('button', { name: 'Take back' }).click();
    await t.page.locator('.facts .suspended').waitFor();
    await erase(t);
    const [statement] = await Promise.all([t.page.waitForEvent('download'), t.page.getByRole('button', { name: 'Save the statement' }).click()]);
    assert.match(readFileSync(await statement.path(), 'utf8'), /harbour-works/);
    await t.shot('erased');
  }],
  ['organisation: the appliance’s record tells of it', async (t) => {
    await open(t, '/audit?of=appliance');
    for (const action of ['tenant.created', 'tenant.suspended', 'tenant.exported', 'tenant.erased']) await t.page.locator(`[data-action="${action}"]`).first().waitFor();
    await t.shot('audit-appliance');
  }],
  ['organisation: a second factor is asked for when the server wants one', async (t) => {
    const page = await (await t.newContext()).newPage();
    const sent = [];
    await page.route('**/api/v1/session', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      const body = route.request().postDataJSON();
      sent.push(body.code ?? null);
      const detail = body.code ? 'The code is wrong.' : 'A code is needed.';
      await route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ type: 'about:blank', title: 'x', status: 401, code: 'second_factor_required', detail }) });
    });
    await page.goto(t.url);
    await signIn(page, USER);
    await page.getByLabel('Code').fill('123456');
    assert.equal(await page.getByRole('alert').count(), 0);
    await t.shot('signin-code', page);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('The code is wrong.').waitFor();
    assert.deepEqual(sent, [null, '123456']);
    await page.context().close();
  }],
  ['organisation: an export comes back with its passphrase only', async (t) => {
    await open(t, '/tenants');
    await t.page.getByRole('button', { name: 'Import' }).click();
    await t.page.locator('[data-tenant-file]').setInputFiles(file);
    await t.page.locator('input[name=passphrase]').fill('wrong');
    await dialog(t.page).getByRole('button', { name: 'Import' }).click();
    await dialog(t.page).getByRole('alert').waitFor();
    await t.shot('import');
    await t.page.locator('input[name=passphrase]').fill('möwen über dem Hafen');
    await dialog(t.page).getByRole('button', { name: 'Import' }).click();
    await t.page.locator('[data-tenant=harbour-works] a').click();
    await t.page.locator('[data-usage=members]').getByText('2 of 25').waitFor();
    await erase(t);
  }],
];
