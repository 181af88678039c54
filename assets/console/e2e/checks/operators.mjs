/** Who operates the appliance, on the page of organisations. */
import { assert, open, USER } from './common.mjs';
import { bothThemes, small } from './looks.mjs';
import { joinAs, secretOf } from './organisation.mjs';

const OSKAR = { name: 'Oskar Oncall', email: 'oskar@example.org', password: 'marble-corridor-thunder-62' };
const dialog = (t) => t.page.getByRole('dialog');
const list = (t) => t.page.locator('[data-operators]');

export const operators = [
  ['operators: the last one stays, and that is told', async (t) => {
    await open(t, '/tenants');
    await list(t).getByText(USER.name).waitFor();
    await t.page.getByRole('button', { name: `Take it back: ${USER.name}` }).click();
    await dialog(t).getByText('You give up the appliance yourself').waitFor();
    await dialog(t).getByRole('button', { name: 'Take it back' }).click();
    await t.page.getByRole('alert').getByText('This is the last operator.').waitFor();
    await t.page.getByRole('alert').getByText('Make somebody else an operator first.').waitFor();
    await bothThemes(t, t.page, 'operators-last');
    await small(t, t.page, 'operators-last');
  }],
  ['operators: somebody of the own organisation becomes one, sees it, and is none any more', async (t) => {
    await open(t, '/people');
    await t.page.getByRole('button', { name: 'Invite' }).click();
    await t.page.locator('input[name=invite-email]').fill(OSKAR.email);
    await t.page.getByRole('button', { name: 'Make the link' }).click();
    const oskar = await joinAs(t, await secretOf(t.page), OSKAR);
    await oskar.locator('a.who').waitFor();
    assert.equal(await oskar.getByRole('link', { name: 'Organisations' }).count(), 0);
    await open(t, '/tenants');
    await t.page.getByRole('combobox', { name: 'Make somebody an operator' }).fill('oskar');
    await t.page.getByRole('option', { name: /Oskar/ }).waitFor();
    await t.page.keyboard.press('Enter');
    await dialog(t).getByRole('button', { name: 'Make an operator' }).click();
    await list(t).locator(`[data-operator="${OSKAR.email}"]`).waitFor();
    await bothThemes(t, t.page, 'operators');
    await t.page.evaluate(() => localStorage.setItem('locale', 'de'));
    await open(t, '/tenants');
    await list(t).locator(`[data-operator="${OSKAR.email}"]`).waitFor();
    await small(t, t.page, 'operators-de');
    await t.page.evaluate(() => localStorage.setItem('locale', 'en'));
    await oskar.goto(`${t.url}/tenants`);
    await oskar.locator('[data-tenant=main]').waitFor();
    await open(t, '/people');
    await t.page.locator(`[data-person="${OSKAR.email}"]`).getByText('password only').waitFor();
    await t.page.locator(`[data-person="${OSKAR.email}"]`).getByRole('button').click();
    await t.page.locator('[data-operates=true]').waitFor();
    assert.equal(await t.page.getByRole('button', { name: 'Reset second factors' }).count(), 0);
    await t.shot('operators-person');
    await open(t, '/tenants');
    await list(t).locator(`[data-operator="${OSKAR.email}"]`).getByRole('button').click();
    await dialog(t).getByText('The person keeps the role').waitFor();
    await dialog(t).getByRole('button', { name: 'Take it back' }).click();
    await list(t).locator(`[data-operator="${OSKAR.email}"]`).waitFor({ state: 'detached' });
    await oskar.goto(`${t.url}/tenants`);
    await oskar.getByRole('heading', { name: 'You may not see this page' }).waitFor();
    await oskar.context().close();
    await open(t, '/people');
    await t.page.locator(`[data-person="${OSKAR.email}"]`).getByRole('button').click();
    await t.page.getByRole('button', { name: 'Remove', exact: true }).click();
    await t.page.getByRole('dialog', { name: `Remove ${OSKAR.name}?` }).getByRole('button', { name: 'Remove' }).click();
    await t.page.locator(`[data-person="${OSKAR.email}"]`).waitFor({ state: 'detached' });
  }],
];
